"""The user's own bundles: which they are, what a new one may be called, and how one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.ladder import rung_of
from fewshot_gui.core.data_files import models_folder, user_models_folder

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo

_LONGEST_NAME: Final = 50  # of four bytes each, with what is put round it, less than the 255 of most disks
_NEVER_IN_NAMES: Final = '/\\:#*?"<>|'
"""What file systems refuse, and the sign before `PIXELS`."""


def own_path(name: str) -> Path:
    """Return where the user's bundle of that name lies, or would."""
    return user_models_folder() / f"{name}.safetensors"


def is_users(info: BundleInfo) -> bool:
    """Return whether a bundle lies in the user's folder."""
    return info.path.parent.resolve() == user_models_folder().resolve()


def is_name(name: str) -> bool:
    """Return whether a bundle can be called that."""
    return name == near_name(name)


def near_name(text: str) -> str:
    """Return the text itself where a bundle can be called that, else the nearest name that it can have."""
    kept = (sign if sign.isprintable() and sign not in _NEVER_IN_NAMES else "-" for sign in text)
    return "".join(kept).lstrip(".")[:_LONGEST_NAME] or "backbone"


def is_taken(name: str) -> bool:
    """Return whether a bundle that is here, or one that can be downloaded, is called that."""
    path = own_path(name)
    return path.exists() or (models_folder() / path.name).exists() or rung_of(name) is not None


def remove_own(name: str) -> bool:
    """Return whether the user has a bundle of that name, which is removed with its card, sound or not.

    Raises:
        OSError: it cannot be removed.
    """
    path = next((path for path in user_models_folder().glob("*.safetensors") if path.stem == name), None)
    if path is None:
        return False
    path.unlink()
    path.with_suffix(".md").unlink(missing_ok=True)
    return True
