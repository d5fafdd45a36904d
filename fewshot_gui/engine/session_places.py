"""Where sessions lie: the one to go on with, and a name for a new one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from fewshot_gui.engine.folders import data_folder

SUFFIX: Final = ".fewshot"
MOST_RECENT: Final = 8


def _register() -> Path:
    return data_folder() / "recent.json"


def recent_sessions() -> list[str]:
    """The session files used last, newest first, that are still there."""
    try:
        listed = json.loads(_register().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # a convenience: a lost or damaged list costs nobody anything
    if not isinstance(listed, list):
        return []
    return [path for path in listed if isinstance(path, str) and _is_file(path)]


def note_session(path: str) -> None:
    """Put a session file at the head of the recent ones; silently not where the folder cannot be written."""
    listed = [path, *(other for other in recent_sessions() if other != path)][:MOST_RECENT]
    partial = _register().with_suffix(".partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        # Beside, then renamed: on a full disk the former list stays, and with it the way to the sessions.
        partial.write_text(json.dumps(listed), encoding="utf-8")
        partial.replace(_register())
    except OSError:
        return


def _is_file(path: str) -> bool:
    # Path.is_file raises where a folder on the way may not be entered, and the program would not start.
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_same_file(one: str, other: str) -> bool:
    """Return whether two paths lead to one file that is there."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def new_session_path() -> Path:
    """A free path for a session that has no name yet: Untitled, Untitled 2, ...

    Raises:
        OSError: the user's data folder cannot be made.
    """
    folder = data_folder() / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while (path := folder / f"Untitled{f' {number}' if number > 1 else ''}{SUFFIX}").exists():
        number += 1
    return path
