"""The folders of this user that the program writes to: its cache and its sessions."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APPLICATION = "fewshot-labeler"


def cache_folder() -> Path:
    """Return where embeddings are kept between runs; FEWSHOT_CACHE names another place."""
    chosen = os.environ.get("FEWSHOT_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def data_folder() -> Path:
    """Return where sessions without a name of their own lie; FEWSHOT_DATA names another place."""
    chosen = os.environ.get("FEWSHOT_DATA")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))
