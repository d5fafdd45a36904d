"""Recipes: everything that decides a training, read from one TOML file."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from fewshot_gui.core.images.view import View
from fewshot_gui.core.training.stage import (
    Augmentation,
    Stage,
    most,
    number_between,
    out_of_range,
    whole_number,
)

RECIPES_FOLDER = Path(__file__).parent / "recipes"
HEAD_LEARNERS = ("prototypical", "matching", "relation", "ridge", "feat", "mann", "snail", "caml")
WAYS_LEARNERS = ("mann", "snail", "caml")
"""Those whose head is made for a number of classes."""
GRADIENT_LEARNERS = ("maml", "fomaml", "anil", "meta-sgd", "reptile", "meta-lstm")

_RANGES = {
    "side": whole_number(1),
    "source_side": whole_number(0),
    "seed": number_between(0, 2**32, whole=True),
    "validation_every": whole_number(0),
    "validation_episodes": whole_number(2),
    "validation_ways": whole_number(2),
    "validation_shots": whole_number(1),
    "validation_queries": whole_number(1),
    "whiten": number_between(0, 1),
}
_TEACHING_RANGES = {"whiten": number_between(0, 1)}
_FINISHED = ("pool_power", "pooled_stages", "embedding")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Teaching:
    """What a stage of kind distil takes of its teacher.

    Attributes:
        layer: of a TensorFlow Lite model, the name of the tensor whose values are the embedding; empty for a
            bundle, which has but one.
        square_root: of values that are never negative; brings the many small ones and the few large ones
            together.
        whiten: after the embeddings are turned to their principal components, each is divided by its standard
            deviation to this power: 0 leaves them, 1 gives all the same say.
    """

    layer: str = ""
    square_root: bool = False
    whiten: float = 0.0

    def problem(self) -> str:
        """Return what is wrong with it, naming the key and what it may be; empty where nothing is."""
        return out_of_range(self, _TEACHING_RANGES)


class RecipeError(ValueError):
    """A recipe that cannot be followed; its sentence names the file, the key and what it may be."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training.

    Attributes:
        name: of the recipe.
        title: of the bundle, for people.
        network: the arguments of `build_network`, less the channels.
        side: of the pictures in use, in pixels.
        source_side: of the pictures that training crops are cut from; 0: as `side`. A network does best on
            pictures a little larger than its crops (Touvron et al. 2019, "Fixing the train-test resolution
            discrepancy").
        channels: 1 grey, 3 colour.
        stages: one after the other.
        learner: the method that the episodes train.
        start: the bundle whose weights the network begins with, a name or a path; empty: random ones.
        needs_start: it is made to go on from a trained network, and `start` is for who trains to say.
        head: the arguments of `build_head`; empty: the learner's name with nothing else.
        method: the settings of a gradient method.
        teacher: what is taken of the teacher in stages of kind distil; None where there are none.
        invert: dark ink on light paper becomes light on dark.
        views: how the finished network looks at a picture: its embedding is the mean over them. In training
            and in validation it sees the middle square, or crops of it.
        centre: subtract the training set's mean embedding.
        normalise: divide each embedding by its length.
        whiten: where the network has an embedding of its own, that layer is set, after training, to the
            principal components of what comes into it, each divided by its standard deviation to this power;
            0 leaves what was trained.
        finished: arguments of the network that are others once it is trained, those of its pooling and the
            length of its embedding. What a network learned with the mean over its maps tells more of other
            kinds of pictures with a mean of powers (on `photo` 2 to 3 points); trained with it, it does not.
        caution: what the temperature that fits the held-out classes is multiplied with in the bundle: above 1
            for a backbone that is meant for other kinds of pictures, which it tells apart less surely.
        class_rotations: each class turned by 90, 180 and 270 degrees is a class of its own.
        seed: of every random choice.
        bfloat16: compute in bfloat16 where that is safe; twice as fast on new processors.
        held_out: share of the classes kept from training where no validation classes are given.
        validation_every: steps between two looks at the validation classes; 0: never before the end.
        validation_episodes: tasks of each look, the same every time.
        validation_ways: classes of a task.
        validation_shots: support pictures a class.
        validation_queries: query pictures a class.
        keep: which weights are exported: the `last`, or those of the `best` look in the last stage, the one
            whose 95 % interval has the highest lower end: a lucky mean of few tasks does not win.
    """

    name: str
    title: str
    network: dict[str, Any]
    side: int
    channels: int
    stages: tuple[Stage, ...]
    learner: str = "prototypical"
    source_side: int = 0
    start: str = ""
    needs_start: bool = False
    head: dict[str, Any] = field(default_factory=dict)
    method: dict[str, Any] = field(default_factory=dict)
    teacher: Teaching | None = None
    invert: bool = False
    views: tuple[View, ...] = (View(),)
    centre: bool = False
    normalise: bool = False
    whiten: float = 0.0
    finished: dict[str, Any] = field(default_factory=dict)
    caution: float = 1.0
    class_rotations: bool = False
    seed: int = 0
    bfloat16: bool = False
    held_out: float = 0.1
    validation_every: int = 0
    validation_episodes: int = 200
    validation_ways: int = 5
    validation_shots: int = 1
    validation_queries: int = 10
    keep: Literal["last", "best"] = "last"

    @property
    def steps(self) -> int:
        """Return the number of updates of all stages together."""
        return sum(stage.steps for stage in self.stages)

    @property
    def distils(self) -> bool:
        """Return whether one of its stages needs a teacher."""
        return any(stage.kind == "distil" for stage in self.stages)

    @property
    def is_frozen(self) -> bool:
        """Return whether no stage trains the network, but what lies on top of it alone."""
        return not any(stage.network_rate for stage in self.stages)

    @property
    def most_ways(self) -> int:
        """Return the most classes of any episode, in training or in validation."""
        ways = [most(stage.ways) for stage in self.stages if stage.kind == "episodes"]
        return max(*ways, self.validation_ways) if ways else 0

    @property
    def adapts(self) -> bool:
        """Return whether its learner is one of those that adapt by gradients."""
        return self.learner in GRADIENT_LEARNERS

    @property
    def _learns_to_compare(self) -> bool:
        """Whether a head is trained on the embeddings; prototypes have at most a temperature to learn."""
        episodes = any(stage.kind == "episodes" for stage in self.stages)
        return episodes and not self.adapts and self.learner != "prototypical"

    def embeds_once(self, stage: Stage) -> bool:
        """Return whether a picture has one embedding throughout a stage, so that it is computed once.

        That is where nothing changes the network, nor the pictures at random: a head alone is trained.
        """
        plain = stage.augmentation == stage.class_augmentation == Augmentation() and not stage.sides
        frozen = stage.network_rate == 0 and stage.frozen_norms
        return stage.kind == "episodes" and not self.adapts and frozen and plain

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """Return (stage, step within it) of a step counted over all stages."""
        number = self.stage_number(step)
        return self.stages[number], step - sum(stage.steps for stage in self.stages[:number])

    def stage_number(self, step: int) -> int:
        """Return which stage a step belongs to that is counted over all, from 0: two may be alike."""
        for number, stage in enumerate(self.stages):
            if step < stage.steps:
                return number
            step -= stage.steps
        raise IndexError("the recipe has fewer steps")

    def problem(self) -> str:
        """Return what is wrong with it, naming the key and what it may be; empty where nothing is."""
        return out_of_range(self, _RANGES) or self._contradiction()

    def _contradiction(self) -> str:
        learners = (*HEAD_LEARNERS, *GRADIENT_LEARNERS)
        checks = {
            f"learner may be one of {', '.join(learners)}, not {self.learner!r}": self.learner in learners,
            "there is no [[stage]]": bool(self.stages),
            f"channels may be 1 or 3, not {self.channels!r}": self.channels in {1, 3},
            "network needs a kind": "kind" in self.network,
            f"keep may be 'last' or 'best', not {self.keep!r}": self.keep in {"last", "best"},
            "keep = 'best' needs validation_every": self.keep == "last" or self.validation_every > 0,
            f"caution must be a number above 0, not {self.caution!r}": self.caution > 0,
            f"held_out must be a share between 0 and 1, not {self.held_out!r}": 0 < self.held_out < 1,
            f"{self.learner} is trained by episodes, and there is no [[stage]] of that kind": (
                self.learner == "prototypical" or any(stage.kind == "episodes" for stage in self.stages)
            ),
            "a network that no stage trains (network_rate = 0) needs a start": bool(
                self.start or self.needs_start or not self.is_frozen
            ),
            f"{self.learner} tells max_ways of its [head] apart, fewer than ways or validation_ways": (
                self.learner not in WAYS_LEARNERS or self.most_ways <= self.head.get("max_ways", math.inf)
            ),
            "[head] belongs to a learner with a head": not (self.head and self.adapts),
            "[method] belongs to a learner that adapts by gradients": self.adapts or not self.method,
            "a stage of kind distil needs a [teacher] and an embedding of the network, to be as long": (
                not self.distils or (self.teacher is not None and bool(self.network.get("embedding")))
            ),
            "whiten needs an embedding of the network": not self.whiten
            or bool(self.network.get("embedding")),
            f"finished may have {', '.join(_FINISHED)}; all but pool_power need whiten": (
                set(self.finished) <= ({*_FINISHED} if self.whiten else {"pool_power"})
            ),
            "centre, normalise, whiten and finished "
            f"change the embeddings that {self.learner} was trained on": not (
                (self.centre or self.normalise or self.whiten or self.finished) and self._learns_to_compare
            ),
            f"{self.learner} adapts the embedding as it was trained, which whiten and finished replace": not (
                self.adapts and (self.whiten or self.finished)
            ),
            "finished: embedding must be a whole number from 1 up": (
                type(given := self.finished.get("embedding", 1)) is int and given >= 1
            ),
            f"with norm = 'task' no picture has an embedding of its own, as {self.learner} needs": (
                self.adapts
                or self.network.get("norm") != "task"
                or not any(stage.kind == "episodes" for stage in self.stages)
            ),
            "a teacher sees pictures in colour and as they are: not with channels = 1, nor with invert": not (
                self.distils and (self.channels == 1 or self.invert)
            ),
            "views has no view": bool(self.views),
            f"{self.learner} adapts to one view alone, so there are no views": not self.adapts
            or self.views == (View(),),
            "class_rotations and a stage of kind distil contradict each other": not (
                self.class_rotations and self.distils
            ),
            "rotation_head and class_rotations contradict each other": not (
                self.class_rotations and any(stage.rotation_head for stage in self.stages)
            ),
        }
        return next((sentence for sentence, holds in checks.items() if not holds), "")


def _build(kind: type[T], values: Any, where: str) -> T:
    if not isinstance(values, dict):
        raise RecipeError(f"{where}: it must be a table of keys and values, not {values!r}")
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise RecipeError(f"{where}: unknown {', '.join(unknown)}; it may have {', '.join(sorted(known))}")
    switches = {item.name for item in fields(kind) if isinstance(item.default, bool)}  # type: ignore[arg-type]
    for key in switches & set(values):
        if not isinstance(values[key], bool):  # "no" would count as yes
            raise RecipeError(f"{where}: {key} may be true or false, not {values[key]!r}")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}") from error


def parse_recipe(text: str, name: str) -> Recipe:
    """Return the recipe that a TOML text holds.

    Raises:
        RecipeError: not TOML, a key that is unknown or missing, or a value that it may not have.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name}: not TOML: {error}") from error
    stages, found = [], values.pop("stage", [])
    if not isinstance(found, list) or not all(isinstance(stage, dict) for stage in found):
        raise RecipeError(f"recipe {name}: a stage begins with [[stage]], in two pairs of brackets")
    for number, stage in enumerate(found, start=1):
        where = f"recipe {name}, stage {number}"
        changes = {
            key: _checked(_build(Augmentation, stage.pop(key, {}), f"{where}, {key}"), f"{where}, {key}")
            for key in ("augmentation", "class_augmentation")
        }
        stages.append(_checked(_build(Stage, {**stage, **changes}, where), where))
    where = f"recipe {name}"
    if "teacher" in values:
        teaching = f"{where}, teacher"
        values["teacher"] = _checked(_build(Teaching, values["teacher"], teaching), teaching)
    if "views" in values:
        views = values["views"]
        if not isinstance(views, list) or not all(isinstance(view, dict) for view in views):
            raise RecipeError(f"{where}: views must be a list of tables, such as [{{ whole = true }}]")
        values["views"] = [_build(View, view, f"{where}, views") for view in views]
    return _checked(_build(Recipe, {**values, "name": name, "stages": stages}, where), where)


def _checked(part: T, where: str) -> T:
    try:
        problem = part.problem()  # type: ignore[attr-defined]
    except TypeError as error:  # a text where a number belongs, and the like
        raise RecipeError(f"{where}: {error}") from error
    if problem:
        raise RecipeError(f"{where}: {problem}")
    return part


def load_recipe(name_or_path: str) -> Recipe:
    """Return a recipe of this package by its name, or one from a TOML file.

    Raises:
        RecipeError: there is none, or it cannot be followed.
    """
    packaged = RECIPES_FOLDER / f"{name_or_path}.toml"
    path = packaged if packaged.is_file() else Path(name_or_path)
    if not path.is_file():
        there = ", ".join(recipe_names())
        raise RecipeError(f"there is no recipe {name_or_path!r}; there are {there}; or give a TOML file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is no TOML file: it is not written in UTF-8") from error
    return parse_recipe(text, path.stem)


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml"))


def recipe_for(learner: str, channels: int) -> Recipe:
    """Return the one recipe of this package for a learner and pictures of so many channels.

    Args:
        learner: its name.
        channels: 1 for drawings, 3 for photos.

    Raises:
        RecipeError: there is none, or more than one, by name.
    """
    recipes = [load_recipe(name) for name in recipe_names()]
    fitting = [r for r in recipes if r.learner == learner and r.channels == channels]
    if len(fitting) == 1:
        return fitting[0]
    pictures = "drawings" if channels == 1 else "photos"
    if fitting:
        names = ", ".join(recipe.name for recipe in fitting)
        raise RecipeError(f"{names} all train {learner} on {pictures}; say which with --recipe")
    names = ", ".join(recipe.name for recipe in recipes if recipe.learner == learner)
    others = f"; there are {names}" if names else ""
    raise RecipeError(f"no recipe trains {learner} on {pictures}{others}; give one with --recipe or --config")
