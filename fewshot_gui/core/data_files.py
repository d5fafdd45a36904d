"""Where the files that travel with the program lie: shipped weights and assets."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _folder(name: str) -> Path:
    """Return the folder inside an installed wheel, else the one of the same name in a checkout."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def models_folder() -> Path:
    """Return the folder of the shipped bundles: NAME.safetensors and NAME.md."""
    return _folder("models")


def assets_folder() -> Path:
    """Return the folder of icons and sample pictures."""
    return _folder("assets")
