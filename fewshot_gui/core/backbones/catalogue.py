"""The shipped bundles, and which of them fits what is to be seen."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from fewshot_gui.core.backbones.bundle import BundleError, BundleInfo, describe_bundle
from fewshot_gui.core.data_files import models_folder

DEFAULTS = {"photo": "photo", "drawing": "omniglot-conv4"}


def shipped() -> list[BundleInfo]:
    """Return every shipped bundle, by name; none where the models folder is missing.

    Raises:
        BundleError: one of them is damaged.
    """
    return [describe_bundle(path) for path in sorted(models_folder().glob("*.safetensors"))]


def shipped_sound() -> list[BundleInfo]:
    """Return every shipped bundle that can be described, by name: a damaged one does not hide the others."""
    found = []
    for path in sorted(models_folder().glob("*.safetensors")):
        with suppress(BundleError):
            found.append(describe_bundle(path))
    return found


def default_bundle(kind: Literal["photo", "drawing"]) -> str:
    """Return the name of the bundle to start with for photos or for drawings."""
    return DEFAULTS[kind]
