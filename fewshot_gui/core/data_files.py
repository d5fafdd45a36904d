"""Where weights and assets lie: those that travel with the program, and those that the user added."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parents[1]


def _folder(name: str) -> Path:
    """Return the folder inside an installed wheel, else the one of the same name in a checkout."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def models_folder() -> Path:
    """Return the folder of the shipped bundles: NAME.safetensors and NAME.md."""
    return _folder("models")


def user_models_folder() -> Path:
    """Return the folder of the bundles that the user downloaded or converted; it may not exist yet."""
    told = os.environ.get("FEWSHOT_MODELS")
    if told:
        return Path(told)
    return Path(platformdirs.user_data_dir("fewshot-labeler", appauthor=False)) / "backbones"


def assets_folder() -> Path:
    """Return the folder of icons and sample pictures."""
    return _folder("assets")
