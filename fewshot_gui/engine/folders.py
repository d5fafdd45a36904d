"""The folders of this user that the program writes to, and files in folders that may be away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = "fewshot-labeler"


def cache_folder() -> Path:
    """Return where embeddings are kept between runs; FEWSHOT_CACHE names another place."""
    chosen = os.environ.get("FEWSHOT_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def data_folder() -> Path:
    """Return where sessions without a name of their own lie; FEWSHOT_DATA names another place."""
    chosen = os.environ.get("FEWSHOT_DATA")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def file_finder() -> Callable[[str], bool]:
    """Return a call that says whether a file is there, and asks once for each folder that is not.

    A drive or share that is away may take long to say so, and many files lie in one of its folders.
    """
    folders: dict[str, bool] = {}

    # As strings: Path.is_file raises where a folder on the way may not be entered.
    def is_there(path: str) -> bool:
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder not in folders:
            folders[folder] = os.path.isdir(folder)  # noqa: PTH112
        return folders[folder] and os.path.isfile(path)  # noqa: PTH113

    return is_there
