"""The bundles that are here, and which of the shipped fits what is to be seen and who is to learn from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleInfo, describe_bundle
from fewshot_gui.core.data_files import models_folder, user_models_folder
from fewshot_gui.core.learners.facts import LearnerError, facts_of

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.images.kind import PictureKind

DEFAULTS: dict[PictureKind, str] = {"photo": "photo", "drawing": "omniglot-conv4"}


def shipped() -> list[BundleInfo]:
    """Return every shipped bundle, by name; none where the models folder is missing.

    Raises:
        BundleError: one of them is damaged.
    """
    return [describe_bundle(path) for path in sorted(models_folder().glob("*.safetensors"))]


def shipped_sound() -> list[BundleInfo]:
    """Return every shipped bundle that can be described, by name: a damaged one does not hide the others."""
    return _described(models_folder())[0]


def installed_sound() -> list[BundleInfo]:
    """Return every bundle that can be chosen by its name: see `installed`."""
    return installed()[0]


def installed() -> tuple[list[BundleInfo], list[BundleError]]:
    """Return every bundle that can be chosen by its name, and what is wrong with those that are damaged.

    The shipped ones come first. A bundle of the user's with the name of a shipped one is left out, as that
    name means the shipped one.
    """
    found, damaged = _described(models_folder())
    own, own_damaged = _described(user_models_folder())
    taken = {info.name for info in found}
    return [*found, *(info for info in own if info.name not in taken)], [*damaged, *own_damaged]


def _described(folder: Path) -> tuple[list[BundleInfo], list[BundleError]]:
    found, damaged = [], []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            found.append(describe_bundle(path))
        except BundleError as error:
            damaged.append(error)
    return found, damaged


def default_bundle(kind: PictureKind) -> str:
    """Return the name of the bundle to start with for photos or for drawings."""
    return DEFAULTS[kind]


def kind_of_bundle(info: BundleInfo) -> PictureKind:
    """Return the kind of pictures that a bundle was made for: it sees drawings in grey, photos in colour."""
    return "drawing" if info.preprocessing.channels == 1 else "photo"


def bundle_for(learner: str, kind: PictureKind) -> str:
    """Return the name of the shipped bundle that fits a learner and a kind of pictures best.

    One that was trained for the learner and the kind comes first, then the one to start with for the kind. A
    learner that needs a bundle of its own gets one of the other kind rather than none.

    Raises:
        LearnerError: there is no such learner, or it needs a bundle of its own and none is shipped.
    """
    facts = facts_of(learner)
    own = [info for info in shipped_sound() if info.learner == learner]
    fitting = [info for info in own if kind_of_bundle(info) == kind]
    if fitting:
        return fitting[0].name
    if not facts.needs_own_bundle:
        return default_bundle(kind)
    if not own:
        raise LearnerError(
            f"{learner} works only on a bundle that was trained for it, and none is shipped; "
            f"train one with: fewshot-gui train"
        )
    return own[0].name
