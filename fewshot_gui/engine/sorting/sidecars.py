"""Writes sidecars that can be taken back: what was there is kept, to the byte, before it is replaced."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting.files import (
    copy_to_new,
    fingerprint,
    hash_file,
    remove,
    rename_exclusively,
    sync_and_close,
    sync_folder,
)
from fewshot_gui.engine.sorting.sidecar import Keyword, SidecarError, merged
from fewshot_gui.engine.sorting.states import Failure, FileState, Reason
from fewshot_gui.engine.sorting.trash import quarantine

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.records import FileRecord

_ASIDE: Final = ".aside"


def kept_path(record: FileRecord) -> str:
    """The place where the former sidecar is kept; nothing is there if there was none."""
    return os.path.join(quarantine(), record.run, f"{record.id}.xmp")  # noqa: PTH118 - strings, as all paths


def _aside(record: FileRecord) -> str:
    return record.temporary + _ASIDE


def write(record: FileRecord) -> FileRecord:
    """The record with the hash of the new sidecar, which lies whole under its temporary name.

    Raises:
        Failure: The category is there already, or the sidecar that is there cannot be merged into.
        OSError: It cannot be written.
    """
    existing = _read(record.target)
    try:
        data = merged(existing, _keyword(record))
    except SidecarError as error:
        raise Failure(Reason.SIDECAR, str(error)) from error
    if data == existing:
        raise Failure(Reason.ALREADY_THERE, record.target)
    if existing is not None:
        _keep(record)
    with open(record.temporary, "xb") as file:  # noqa: PTH123 - a string, as all paths here
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made = fingerprint(record.temporary)
    return replace(record, hash=_hash(data), made_inode=made.inode, made_mtime_ns=made.mtime_ns)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _keyword(record: FileRecord) -> Keyword:
    machine = record.machine
    weights = f"{machine.backbone} {machine.weights}".strip()
    return Keyword(record.category, record.by, record.probability, weights, machine.learner, record.at)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read()
    except FileNotFoundError:
        return None


def _keep(record: FileRecord) -> None:
    """A copy of the former sidecar is on the disk, with its times, before anything is done to it."""
    kept = kept_path(record)
    os.makedirs(os.path.dirname(kept), exist_ok=True)  # noqa: PTH103, PTH120
    with suppress(FileNotFoundError):  # of an attempt that was put back
        remove(kept)
    sync_and_close(copy_to_new(record.target, kept, lambda _count: None).handle, is_synced=False)
    sync_folder(os.path.dirname(kept))  # noqa: PTH120


def publish(record: FileRecord) -> None:
    """The new sidecar bears its name; the former one is kept.

    Raises:
        Failure: The former one was changed after it was read; it is as it was.
        OSError: It cannot be done; all is as it was.
    """
    kept = kept_path(record)
    if not os.path.lexists(kept):
        rename_exclusively(record.temporary, record.target)
        return
    rename_exclusively(record.target, _aside(record))
    try:
        if hash_file(_aside(record)) != hash_file(kept):
            raise Failure(Reason.SOURCE_CHANGED, record.target)
        rename_exclusively(record.temporary, record.target)
    except (Failure, OSError):
        rename_exclusively(_aside(record), record.target)
        raise
    remove(_aside(record))  # its content is kept


def withdraw(record: FileRecord) -> None:
    """The former sidecar bears its name, and nothing else of ours is left."""
    if os.path.lexists(_aside(record)):
        rename_exclusively(_aside(record), record.target)
    drop_kept(record)


def drop_kept(record: FileRecord) -> None:
    """Nothing is kept of a sidecar that was not replaced."""
    with suppress(FileNotFoundError):
        remove(kept_path(record))
    with suppress(OSError):  # others of the run are kept there
        os.rmdir(os.path.dirname(kept_path(record)))  # noqa: PTH106, PTH120


def restore(record: FileRecord) -> None:
    """The former sidecar is at its place, to the byte, or none where there was none.

    Raises:
        Failure: Our sidecar was changed since, or what it replaced is no longer kept; it is left as it is.
        OSError: It cannot be done; all is as it was.
    """
    kept, former = kept_path(record), _aside(record)
    if not os.path.lexists(kept) and _hash(merged(None, _keyword(record))) != record.hash:
        raise Failure(Reason.ONLY_COPY, kept)  # others' words are in it, and nowhere else any more
    rename_exclusively(record.target, record.temporary)
    try:
        if hash_file(record.temporary) != record.hash:
            raise Failure(Reason.TARGET_CHANGED, record.target)
        if os.path.lexists(kept):
            sync_and_close(copy_to_new(kept, former, lambda _count: None).handle, is_synced=False)
            rename_exclusively(former, record.target)
    except (Failure, OSError):
        with suppress(FileNotFoundError):
            remove(former)
        rename_exclusively(record.temporary, record.target)
        raise
    remove(record.temporary)
    drop_kept(record)


def settle(record: FileRecord) -> bool:
    """Return whether a sidecar in doubt has got to its goal; if not, it is as it was before it set out.

    Raises:
        OSError: It cannot be told; nothing more was done.
    """
    folder = os.path.dirname(record.target)  # noqa: PTH120
    if not os.path.isdir(folder):  # noqa: PTH112 - its drive is gone, which says nothing of the sidecar
        raise FileNotFoundError(folder)
    if record.state is FileState.REMOVING:
        return _settle_back(record)
    aside, temporary = _aside(record), record.temporary
    if not os.path.lexists(temporary) and _is_ours(record):
        with suppress(FileNotFoundError):
            remove(aside)
        return True
    if os.path.lexists(aside):
        rename_exclusively(aside, record.target)
    with suppress(FileNotFoundError):
        remove(temporary)
    drop_kept(record)
    return False


def _settle_back(record: FileRecord) -> bool:
    aside, temporary, kept = _aside(record), record.temporary, kept_path(record)
    if os.path.lexists(temporary):
        back = not os.path.lexists(kept) or (
            os.path.lexists(record.target) and hash_file(record.target) == hash_file(kept)
        )
        if back and hash_file(temporary) == record.hash:
            remove(temporary)
        else:
            back = False
            rename_exclusively(temporary, record.target)
    else:
        back = not _is_ours(record)
    with suppress(FileNotFoundError):
        remove(aside)
    if back:
        drop_kept(record)
    return back


def _is_ours(record: FileRecord) -> bool:
    return bool(record.hash) and os.path.lexists(record.target) and hash_file(record.target) == record.hash
