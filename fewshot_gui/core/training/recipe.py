"""Recipes: everything that decides a training, read from one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

RECIPES_FOLDER = Path(__file__).parent / "recipes"

T = TypeVar("T")


class RecipeError(ValueError):
    """A recipe that cannot be followed; its sentence names the file, the key and what it may be."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes to each training picture.

    Attributes:
        smallest_crop: share of the side that a random crop keeps at least; 1 for none.
        flip: mirror every second picture.
        rotate: largest turn either way, in degrees.
        shift: largest move either way, as a share of the side.
        jitter: largest relative change of brightness, contrast and saturation.
    """

    smallest_crop: float = 1.0
    flip: bool = False
    rotate: float = 0.0
    shift: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training with one loss and one schedule.

    Attributes:
        kind: `classify`, cross-entropy over all classes; `episodes`, the learner's own loss on episodes.
        steps: how many updates.
        learning_rate: at its height, after the warm-up; it falls to zero along a cosine.
        optimiser: `sgd` with Nesterov momentum 0.9, or `adam`.
        weight_decay: L2, on convolutions and heads.
        batch: pictures a step of `classify`.
        label_smoothing: of `classify`.
        ways: classes of a training episode; more than in use pays (Snell et al. 2017).
        shots: support pictures a class.
        queries: query pictures a class.
        sides: the picture side in pixels, in equal parts of the stage; small ones first save time.
        augmentation: the random changes.
    """

    kind: Literal["classify", "episodes"]
    steps: int
    learning_rate: float
    optimiser: Literal["sgd", "adam"] = "sgd"
    weight_decay: float = 5e-4
    batch: int = 128
    label_smoothing: float = 0.0
    ways: int = 20
    shots: int = 1
    queries: int = 5
    sides: tuple[int, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training.

    Attributes:
        name: of the recipe.
        title: of the bundle, for people.
        network: the arguments of `build_network`, less the channels.
        side: of the pictures in use, in pixels.
        channels: 1 grey, 3 colour.
        stages: one after the other.
        invert: dark ink on light paper becomes light on dark.
        centre: subtract the training set's mean embedding.
        normalise: divide each embedding by its length.
        class_rotations: each class turned by 90, 180 and 270 degrees is a class of its own.
        seed: of every random choice.
        bfloat16: compute in bfloat16 where that is safe; twice as fast on new processors.
    """

    name: str
    title: str
    network: dict[str, Any]
    side: int
    channels: int
    stages: tuple[Stage, ...]
    invert: bool = False
    centre: bool = False
    normalise: bool = False
    class_rotations: bool = False
    seed: int = 0
    bfloat16: bool = False

    @property
    def steps(self) -> int:
        """Return the number of updates of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """Return (stage, step within it) of a step counted over all stages."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError("the recipe has fewer steps")


def _build(kind: type[T], values: dict[str, Any], where: str) -> T:
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise RecipeError(f"{where}: unknown {', '.join(unknown)}; it may have {', '.join(sorted(known))}")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )
    except TypeError as error:
        raise RecipeError(f"{where}: {error}") from error


def parse_recipe(text: str, name: str) -> Recipe:
    """Return the recipe that a TOML text holds.

    Raises:
        RecipeError: not TOML, or a key that is unknown or missing.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name}: not TOML: {error}") from error
    stages = []
    for number, stage in enumerate(values.pop("stage", []), start=1):
        changes = _build(
            Augmentation, stage.pop("augmentation", {}), f"recipe {name}, stage {number}, augmentation"
        )
        stages.append(_build(Stage, {**stage, "augmentation": changes}, f"recipe {name}, stage {number}"))
    return _build(Recipe, {**values, "name": name, "stages": stages}, f"recipe {name}")


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
    return parse_recipe(path.read_text(encoding="utf-8"), path.stem)


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml"))
