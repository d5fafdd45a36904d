"""The trash as a place where files go: the system's where it takes them, else our own quarantine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from fewshot_gui.engine.folders import data_folder
from fewshot_gui.engine.sorting.files import device_of, fingerprint, rename_exclusively
from fewshot_gui.engine.sorting.states import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fewshot_gui.engine.sorting.records import FileRecord

SystemTrash: TypeAlias = Callable[[str], str | None]
"""Throws a file into the system's trash and tells where it is now; None where it could not."""

NAME: Final = "quarantine"
_INFO: Final = ".trashinfo"


def quarantine() -> str:
    """The folder of what the system's trash does not take."""
    return str(data_folder() / NAME)


def quarantine_place(folder: str, run: str, group: int, name: str) -> str:
    """The place of a file in the quarantine: no other file has it, and those of a group share a folder."""
    return os.path.join(folder, run, str(group), name)  # noqa: PTH118 - paths are strings in the engine


def throw_away(record: FileRecord, system: SystemTrash | None) -> str:
    """Where the file is now: in the system's trash, else at the record's target; it is never deleted.

    What the system says is believed only if the file is there.

    Raises:
        FileExistsError: There is something at the target; the file is where it was.
        OSError: It could not be moved; it is where it was.
    """
    place = system(record.source) if system is not None else None
    if place and _is_it(record, place):
        return place
    # It may have gone without saying where to.
    if system is not None and not os.path.lexists(record.source):
        found = find_in_trash(record)
        if found:
            return found
    os.makedirs(os.path.dirname(record.target), exist_ok=True)  # noqa: PTH103, PTH120
    rename_exclusively(record.source, record.target)
    return record.target


def find_in_trash(record: FileRecord) -> str:
    """Where in the system's trash the file is, by its inode; "" if it is not there.

    A program that ended between the system's rename and the next entry in the journal knows no place.
    """
    for folder in _trash_folders(record.source):
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.inode() == record.inode and _is_it(record, entry.path):
                    return entry.path
    return ""


def forget(place: str) -> None:
    """The note is gone that a trash of freedesktop.org keeps beside a file, where that file is."""
    files, name = os.path.split(place)
    above, last = os.path.split(files)
    if last == "files" and not os.path.lexists(place):
        with suppress(OSError):  # else the trash shows a file that is not there, until it is emptied
            os.unlink(os.path.join(above, "info", name + _INFO))  # noqa: PTH108, PTH118


def _is_it(record: FileRecord, place: str) -> bool:
    try:
        found = fingerprint(place)
    except (OSError, Failure):
        return False
    return (found.size, found.mtime_ns) == (record.size, record.mtime_ns)


def _trash_folders(path: str) -> Iterator[str]:
    home = Path.home()
    if sys.platform == "win32":
        bin_of_drive = Path(os.path.splitdrive(path)[0] + "\\") / "$Recycle.Bin"
        with suppress(OSError):
            yield from map(str, bin_of_drive.iterdir())
    elif sys.platform == "darwin":
        yield str(home / ".Trash")
    else:
        data = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
        yield str(Path(data) / "Trash" / "files")
        top = _top_of_disk(Path(path).parent)
        yield str(top / f".Trash-{os.getuid()}" / "files")
        yield str(top / ".Trash" / str(os.getuid()) / "files")


def _top_of_disk(folder: Path) -> Path:
    """The folder at which the disk of `folder` is mounted."""
    device = device_of(str(folder))
    while folder != folder.parent and device_of(str(folder.parent)) == device:
        folder = folder.parent
    return folder
