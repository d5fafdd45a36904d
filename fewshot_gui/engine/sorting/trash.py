"""Throwing away so that it can be undone: to the system's trash where one is handed in, else to our own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from fewshot_gui.engine.folders import data_folder
from fewshot_gui.engine.sorting.files import (
    copy_to_new,
    device_of,
    fingerprint,
    hash_file,
    rename_exclusively,
    sync_and_close,
    sync_folder,
)
from fewshot_gui.engine.sorting.states import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: Final = "quarantine"


@dataclass(frozen=True, slots=True)
class Trashed:
    """A file that was thrown away.

    Attributes:
        path: where it was.
        place: where it is now.
        by_system: whether that is the system's trash.
    """

    path: str
    place: str
    by_system: bool


def throw_away(path: str, system: Callable[[str], str | None] | None = None) -> Trashed:
    """Where the file is now; it is never deleted.

    Args:
        path: a regular file.
        system: the system's trash. What it returns is believed only if the file is there: on some network
            drives and partitions a "trash" deletes.

    Raises:
        Failure: It is no file, or did not arrive whole; it is where it was.
        OSError: It could not be moved; it is where it was.
    """
    fingerprint(path)
    if system is not None and _same_disk_as_home(path):
        place = system(path)
        if place and os.path.lexists(place):
            return Trashed(path, place, by_system=True)
    folder = str(data_folder() / NAME / uuid4().hex)
    os.makedirs(folder)  # noqa: PTH103
    place = os.path.join(folder, os.path.basename(path))  # noqa: PTH118, PTH119
    _move(path, place)
    return Trashed(path, place, by_system=False)


def restore(trashed: Trashed) -> None:
    """The file is where it was.

    Raises:
        FileExistsError: There is something else now; both are as they were.
        OSError: It is no longer in the trash, or could not be moved.
    """
    if os.path.lexists(trashed.path):
        raise FileExistsError(trashed.path)
    _move(trashed.place, trashed.path)


def _same_disk_as_home(path: str) -> bool:
    return device_of(str(data_folder())) == fingerprint(path).device


def _move(path: str, place: str) -> None:
    folder = os.path.dirname(place)  # noqa: PTH120
    if device_of(folder) == fingerprint(path).device:
        rename_exclusively(path, place)
        sync_folder(folder)
        return
    temporary = os.path.join(folder, f".fewshot-{uuid4().hex}.part")  # noqa: PTH118
    copied = copy_to_new(path, temporary, lambda _count: None)
    sync_and_close(copied.handle, is_synced=False)
    try:
        if hash_file(temporary) != copied.hash:
            raise Failure(Reason.VERIFY_FAILED, place)
        rename_exclusively(temporary, place)
    except (Failure, OSError):
        os.unlink(temporary)  # noqa: PTH108
        raise
    sync_folder(folder)
    if fingerprint(path) != copied.source:
        raise Failure(Reason.SOURCE_CHANGED, path)
    os.unlink(path)  # noqa: PTH108
