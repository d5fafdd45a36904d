"""Where sessions lie: the one to go on with, and a name for a new one."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from fewshot_gui.engine.folders import data_folder, file_finder

SUFFIX: Final = ".fewshot"
MOST_RECENT: Final = 8
_MOST_REGISTERED: Final = 32


def _register() -> Path:
    return data_folder() / "recent.json"


def recent_sessions(most: int = MOST_RECENT) -> list[str]:
    """The session files used last, newest first, that are there now; no more are looked for than wanted."""
    return list(islice(filter(file_finder(), _registered()), most))


def _registered() -> list[str]:
    """Every file of the list: one on a drive that is away is offered again when that is back."""
    try:
        listed = json.loads(_register().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # a convenience: a lost or damaged list costs nobody anything
    if not isinstance(listed, list):
        return []
    return [path for path in listed if isinstance(path, str)]


def note_session(path: str) -> None:
    """Put a session file at the head of the recent ones; silently not where the folder cannot be written."""
    listed = [path, *(other for other in _registered() if other != path)][:_MOST_REGISTERED]
    partial = _register().with_suffix(".partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        # Beside, then renamed: on a full disk the former list stays, and with it the way to the sessions.
        partial.write_text(json.dumps(listed), encoding="utf-8")
        partial.replace(_register())
    except OSError:
        return


def is_same_file(one: str, other: str) -> bool:
    """Return whether two paths lead to one file that is there."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def moved_along(folder: str, former: str, session: str) -> str:
    """The folder of pictures as it lies beside the session now, where both were moved together.

    That may be to another computer with another system. Where the session was not moved, or the folder is
    where it was, or nothing lies beside the session like that, it is `folder` itself. Looks at the disk only
    where the session was moved.

    Args:
        folder: where the pictures were.
        former: the session file at that time.
        session: the session file now.
    """
    if former == session:
        return folder
    kind = PureWindowsPath if PureWindowsPath(former).drive else PurePosixPath
    parts, base = kind(folder).parts, kind(former).parent.parts
    shared = 0
    while shared < min(len(parts), len(base)) and parts[shared] == base[shared]:
        shared += 1
    if not shared:  # on another disk
        return folder
    beside = os.path.normpath(Path(session).parent.joinpath(*[".."] * (len(base) - shared), *parts[shared:]))
    return beside if not _is_folder(folder) and _is_folder(beside) else folder


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a folder on the way may not be entered


def is_taken(path: Path) -> bool:
    """Return whether a session of that name is there, or what a deleted one left: SQLite would put it in."""
    return any(os.path.lexists(f"{path}{end}") for end in ("", "-wal", "-journal"))


def new_session_path() -> Path:
    """A free path for a session that has no name yet: Untitled, Untitled 2, ...

    Raises:
        OSError: the user's data folder cannot be made.
    """
    folder = data_folder() / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while is_taken(path := folder / f"Untitled{f' {number}' if number > 1 else ''}{SUFFIX}"):
        number += 1
    return path
