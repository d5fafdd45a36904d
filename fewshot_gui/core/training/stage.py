"""One stretch of a training: its loss, its schedule, its batches and its random changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Range: TypeAlias = "tuple[Callable[[object], bool], str]"
"""What tells whether a value fits, and that in words."""
Count = int | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes to each training picture.

    Attributes:
        smallest_crop: share of the side that a random crop keeps at least; 1 for none.
        flip: mirror every second picture.
        rotate: largest turn either way, in degrees.
        shift: largest move either way, as a share of the side.
        shear: largest slant either way, as the tangent of its angle.
        stretch: largest natural logarithm of width over height, either way; a crop has at least 0.15.
        jitter: largest relative change of brightness, contrast and saturation.
    """

    smallest_crop: float = 1.0
    flip: bool = False
    rotate: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    stretch: float = 0.0
    jitter: float = 0.0

    def problem(self) -> str:
        """Return what is wrong with it, naming the key and what it may be; empty where nothing is."""
        return out_of_range(self, _CHANGES)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training with one loss and one schedule.

    Attributes:
        kind: `classify`, cross-entropy over all classes; `distil`, the cosine distance to a teacher's
            embeddings (Hinton et al. 2015, "Distilling the knowledge in a neural network"); `episodes`, the
            learner's own loss on episodes.
        steps: how many updates.
        learning_rate: at its height, after the warm-up.
        optimiser: `sgd` with Nesterov momentum 0.9, or `adam`; `plain`, sgd without momentum, which with
            the learning rate as its share is Reptile's outer step.
        weight_decay: L2, on convolutions and heads.
        schedule: `cosine` to zero (Loshchilov & Hutter 2017), or `step`: times `drop` at each of `drops`.
        warm_up: share of the stage in which the learning rate rises from zero.
        drops: shares of the stage, ascending.
        drop: what the learning rate is multiplied with at each of them.
        clip: largest length of all gradients together; 0 for any.
        network_rate: the network's learning rate as a share of that of what lies on top; 0 freezes it.
        frozen_norms: batch norms use and keep their running statistics.
        batch: pictures a step of `classify` and `distil`.
        label_smoothing: of the cross-entropy in `classify` and `distil`.
        label_weight: of the cross-entropy over all classes beside the teacher's embeddings, in `distil`.
        rotation_head: weight of telling by how many quarters each picture was turned, beside its class,
            in `classify`; every picture is then shown four times (Gidaris et al. 2018).
        mixup: `input` blends pairs of pictures (Zhang et al. 2018), `manifold` what a block of the
            network makes of them (Verma et al. 2019); empty for neither.
        mixup_alpha: both parameters of the Beta distribution of their shares.
        ways: classes of a training episode; more than in use pays (Snell et al. 2017); or the least and
            the most, drawn anew each step.
        shots: support pictures a class; or the least and the most (R2-D2: Bertinetto et al. 2019).
        queries: query pictures a class.
        every_role: with one shot, each picture of a class is the support picture in turn, and the loss is
            the mean over them: the same loss, averaged over the choice, for the same work of the network.
        meta_batch: episodes a step.
        sides: the picture side in pixels, in equal parts of the stage; small ones first save time.
        augmentation: the random changes to each picture.
        class_augmentation: in episodes, before those, the changes that all pictures of a class share: slanted
            and mirrored, a character is another one, and new classes are what meta-training lacks first
            (Rajendran et al. 2020, "Meta-learning requires meta-augmentation").
    """

    kind: Literal["classify", "distil", "episodes"]
    steps: int
    learning_rate: float
    optimiser: Literal["sgd", "adam", "plain"] = "sgd"
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "step"] = "cosine"
    warm_up: float = 0.05
    drops: tuple[float, ...] = (0.5, 0.75)
    drop: float = 0.1
    clip: float = 0.0
    network_rate: float = 1.0
    frozen_norms: bool = False
    batch: int = 128
    label_smoothing: float = 0.0
    label_weight: float = 0.0
    rotation_head: float = 0.0
    mixup: Literal["", "input", "manifold"] = ""
    mixup_alpha: float = 2.0
    ways: Count = 20
    shots: Count = 1
    queries: int = 5
    every_role: bool = False
    meta_batch: int = 1
    sides: tuple[int, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    class_augmentation: Augmentation = field(default_factory=Augmentation)

    def problem(self) -> str:
        """Return what is wrong with it, naming the key and what it may be; empty where nothing is."""
        for key, allowed in _CHOICES.items():
            if getattr(self, key) not in allowed:
                return f"{key} may be {_listed(allowed)}, not {getattr(self, key)!r}"
        return out_of_range(self, _RANGES) or self._contradiction()

    def _contradiction(self) -> str:
        nothing = Augmentation()
        holds = {
            "every_role needs shots = 1": not self.every_role or self.shots == 1,
            "rotation_head and mixup belong to a stage of kind classify": (
                self.kind == "classify" or not (self.rotation_head or self.mixup)
            ),
            "rotation_head and mixup cannot be in the same stage; make two of it": (
                not self.rotation_head or not self.mixup
            ),
            "label_weight belongs to a stage of kind distil": self.kind == "distil" or not self.label_weight,
            "class_augmentation belongs to a stage of kind episodes": (
                self.kind == "episodes" or self.class_augmentation == nothing
            ),
            "class_augmentation changes shapes, not colours: jitter belongs to augmentation": (
                not self.class_augmentation.jitter
            ),
        }
        return next((sentence for sentence, held in holds.items() if not held), "")


def most(count: Count) -> int:
    """Return the count, or the upper end of its range."""
    return count[1] if isinstance(count, tuple) else count


def out_of_range(part: object, ranges: Mapping[str, Range]) -> str:
    """Return which value of a part is none that it may be, and what it may be; empty where all are."""
    for key, (fits, words) in ranges.items():
        if not fits(getattr(part, key)):
            return f"{key} must be {words}, not {getattr(part, key)!r}"
    return ""


def _listed(allowed: tuple[str, ...]) -> str:
    return " or ".join(repr(value) for value in allowed)


def whole_number(least: int) -> Range:
    """Return what tells whether a value is a whole number from `least` up, and that in words."""
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= least, (
        f"a whole number from {least} up"
    )


def number_between(low: float, high: float, *, whole: bool = False) -> Range:
    """Return what tells whether a value is a number in a range, and that in words."""
    kinds, words = (int, "a whole number") if whole else (int | float, "a number")

    def fits(value: object) -> bool:
        return isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high

    return fits, f"{words} from {low:.10g} to {high:.10g}" if high != 1e9 else f"{words} from {low:g} up"


def _range(least: int) -> Range:
    one = whole_number(least)[0]

    def fits(value: object) -> bool:
        if isinstance(value, tuple):
            return len(value) == 2 and all(one(v) for v in value) and value[0] <= value[1]
        return one(value)

    return fits, f"a whole number from {least} up, or [least, most]"


def _sides(value: object) -> bool:
    return isinstance(value, tuple) and all(whole_number(1)[0](side) for side in value)


def _rising_shares(value: object) -> bool:
    return isinstance(value, tuple) and list(value) == sorted(value) and all(0 < v < 1 for v in value)


_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": ("classify", "distil", "episodes"),
    "optimiser": ("sgd", "adam", "plain"),
    "schedule": ("cosine", "step"),
    "mixup": ("", "input", "manifold"),
}
_RANGES: dict[str, Range] = {
    "steps": whole_number(1),
    "learning_rate": number_between(0, 1e9),
    "weight_decay": number_between(0, 1e9),
    "warm_up": number_between(0, 1),
    "drops": (_rising_shares, "ascending shares of the stage, each between 0 and 1"),
    "drop": number_between(0, 1),
    "clip": number_between(0, 1e9),
    "network_rate": number_between(0, 1e9),
    "batch": whole_number(1),
    "label_smoothing": number_between(0, 1),
    "label_weight": number_between(0, 1e9),
    "rotation_head": number_between(0, 1e9),
    "mixup_alpha": number_between(1e-3, 1e9),
    "ways": _range(2),
    "shots": _range(1),
    "queries": whole_number(1),
    "meta_batch": whole_number(1),
    "sides": (_sides, "a list of whole numbers from 1 up"),
}
_CHANGES: dict[str, Range] = {
    "smallest_crop": number_between(0.01, 1),
    "rotate": number_between(0, 180),
    "shift": number_between(0, 1),
    "shear": number_between(0, 10),
    "stretch": number_between(0, 10),
    "jitter": number_between(0, 1),
}
