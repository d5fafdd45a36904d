"""What is done to files: copying into new ones, renaming to free names, syncing; nothing overwrites."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import stat
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.images.scan import changed_at
from fewshot_gui.engine.sorting.states import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHUNK: Final = 1 << 20
_BINARY: Final = getattr(os, "O_BINARY", 0)
_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY
_NO_SUCH_CALL: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1
_RENAME_EXCL: Final = 4
_SYNC_FILE_RANGE_WRITE: Final = 2
_WORTH_A_DISK: Final = 3
_WINDOWS: Final = sys.platform == "win32"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells, without reading it, that a file is still the same."""

    size: int
    mtime_ns: int
    inode: int
    device: int
    changed_ns: int = 0  # ctime: moves with every write, even where somebody sets mtime back


def fingerprint(path: str) -> Fingerprint:
    """The fingerprint of the regular file at `path`.

    Raises:
        Failure: It is something else.
        OSError: There is nothing, or it cannot be looked at.
    """
    return _of(os.lstat(path), path)


def _of(status: os.stat_result, path: str) -> Fingerprint:
    if not stat.S_ISREG(status.st_mode):
        raise Failure(Reason.NOT_A_FILE, path)
    return Fingerprint(status.st_size, changed_at(status), status.st_ino, status.st_dev, status.st_ctime_ns)


def device_of(path: str) -> int:
    """The device of the nearest folder that is there, at or above `path`."""
    while True:
        try:
            return os.stat(path).st_dev  # noqa: PTH116 - paths are strings here
        except FileNotFoundError:
            above = os.path.dirname(path)  # noqa: PTH120
            if above == path:
                raise
            path = above


def hash_file(path: str, tick: Callable[[int], None] = lambda _count: None) -> str:
    """SHA-256 of the file's content, as hex: with the processor's instructions for it the fastest we have.

    Args:
        path: The file.
        tick: Called with the number of bytes after each chunk; may raise to end it.
    """
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        view = memoryview(bytearray(CHUNK))
        while count := file.readinto(view):
            digest.update(view[:count])
            tick(count)
    return digest.hexdigest()


def is_untouched(path: str, before: Fingerprint, content: str) -> bool:
    """Return whether the file is as it was when it was read, and `content` the hash of it.

    When another name of the same file is removed, its ctime moves and nothing else: then it is read again.
    """
    now = fingerprint(path)
    if now == before:
        return True
    only_ctime = replace(now, changed_ns=before.changed_ns) == before
    return only_ctime and hash_file(path) == content and fingerprint(path) == now


def is_one_file(one: str, other: str) -> bool:
    """Return whether both paths lead to one file, as A.JPG and a.jpg do on some systems."""
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that is written but not yet on the disk: `handle` is still open for `sync_and_close`."""

    handle: int
    hash: str
    source: Fingerprint


def copy_to_new(source: str, temporary: str, tick: Callable[[int], None]) -> Copied:
    """A new file `temporary` holds the content, the times and as far as possible the rights of `source`.

    Args:
        source: A regular file.
        temporary: A path where nothing is; nothing is there again after an error.
        tick: Called with the number of bytes after each chunk; may raise to end it.

    Raises:
        Failure: The source changed while it was read, or is no file.
        OSError: Reading or writing failed.
    """
    before = fingerprint(source)
    handle = os.open(temporary, _NEW, 0o600)
    try:
        digest = _pour(source, handle, tick)
        if _WINDOWS:  # there a file gets its time when the last who has written it closes it
            unwritten = os.open(temporary, os.O_RDWR | _BINARY)
            os.close(handle)
            handle = unwritten
        _copy_facts(source, temporary)
        if fingerprint(source) != before:
            raise Failure(Reason.SOURCE_CHANGED, source)
    except BaseException:
        os.close(handle)
        with suppress(OSError):  # what went wrong before is the error to tell
            remove(temporary)
        raise
    start_writing(handle)
    return Copied(handle, digest, before)


def _pour(source: str, handle: int, tick: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    view = memoryview(bytearray(CHUNK))
    with open(source, "rb", buffering=0) as file:  # noqa: PTH123
        while count := file.readinto(view):
            digest.update(view[:count])
            written = os.write(handle, view[:count])
            while written < count:
                written += os.write(handle, view[written:count])
            tick(count)
    return digest.hexdigest()


def _copy_facts(source: str, temporary: str) -> None:
    """Times, rights and extended attributes; what the file system cannot hold is left out."""
    try:
        shutil.copystat(source, temporary, follow_symlinks=False)
    except OSError:
        status = os.lstat(source)
        with suppress(OSError):
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        with suppress(OSError):  # where an attribute was too large, the rights have not been copied yet
            os.chmod(temporary, stat.S_IMODE(status.st_mode))  # noqa: PTH101
    if sys.platform == "darwin":  # "Locked" in the Finder, which copystat copies, would keep it from its name
        with suppress(OSError):
            os.chflags(temporary, 0)


def set_mtime(path: str, mtime_ns: int) -> None:
    """The file bears that time of change, where the file system can hold it."""
    with suppress(OSError):
        os.utime(path, ns=(os.lstat(path).st_atime_ns, mtime_ns))


def remove(path: str, twin: str = "") -> None:
    """The file at `path` is gone, also a read-only one, which Windows does not remove.

    Args:
        path: The file.
        twin: Where it may have another name, for which it is to stay read-only.

    Raises:
        OSError: It cannot be removed; it is as it was.
    """
    try:
        os.unlink(path)  # noqa: PTH108
    except PermissionError:
        if not _WINDOWS:
            raise
        rights = stat.S_IMODE(os.lstat(path).st_mode)
        kept = twin if twin and is_one_file(path, twin) else ""
        os.chmod(path, rights | stat.S_IWRITE)  # noqa: PTH101
        try:
            os.unlink(path)  # noqa: PTH108
        except OSError:
            os.chmod(path, rights)  # noqa: PTH101
            raise
        if kept:
            os.chmod(kept, rights)  # noqa: PTH101


def sync_and_close(handle: int, *, is_synced: bool) -> None:
    """The file is on the disk, and closed even if that failed."""
    try:
        if not is_synced:
            os.fsync(handle)
    finally:
        os.close(handle)


def sync_disks(handles: Sequence[int]) -> bool:
    """Return whether all that was written to the disks of these open files is on them.

    One call for a batch: 64 times fsync makes the disk empty its own cache 64 times (measured on ext4:
    350 ms, against 7 ms). Where there is no such call, or for a few files, nothing is done.
    """
    call = _disk_call()
    if call is None or len(handles) < _WORTH_A_DISK:
        return False
    disks = {os.fstat(handle).st_dev: handle for handle in handles}
    return all(call(handle) == 0 for handle in disks.values())


def start_writing(handle: int) -> None:
    """The disk has begun to write what the file holds, so that a later sync finds most of it done."""
    start = _range_call()
    if start is not None:
        start(handle, ctypes.c_int64(0), ctypes.c_int64(0), _SYNC_FILE_RANGE_WRITE)


@cache
def _range_call() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    call: Callable[..., int] | None = getattr(ctypes.CDLL(None), "sync_file_range", None)
    return call


@cache
def _disk_call() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    call: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "syncfs", None)
    return call


def sync_folders(paths: Sequence[str]) -> dict[str, OSError]:
    """The names in these folders are on the disk; what could not be synced is returned with its error."""
    failed: dict[str, OSError] = {}
    if sys.platform == "win32":  # neither needs nor allows it
        return failed
    with ExitStack() as opened:
        handles: dict[str, int] = {}
        for path in paths:
            try:
                handles[path] = os.open(path, os.O_RDONLY)
                opened.callback(os.close, handles[path])
            except OSError as error:
                failed[path] = error
        if sync_disks(list(handles.values())):
            return failed
        for path, handle in handles.items():
            try:
                os.fsync(handle)
            except OSError as error:
                if error.errno not in _NO_SUCH_CALL:  # some network drives cannot say
                    failed[path] = error
    return failed


def sync_folder(path: str) -> None:
    """The names in a folder are on the disk.

    Raises:
        OSError: They may not be.
    """
    for error in sync_folders([path]).values():
        raise error


def rename_exclusively(source: str, target: str) -> None:
    """What was `source` is `target`; both lie on one file system.

    Raises:
        FileExistsError: There is something at `target`; both are as they were.
        OSError: It cannot be done; both are as they were.
    """
    if sys.platform == "win32":
        os.rename(source, target)  # noqa: PTH104 - exclusive there
        return
    call = _exclusive_call()
    if call is not None:
        if call(os.fsencode(source), os.fsencode(target)) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NO_SUCH_CALL:
            raise OSError(number, os.strerror(number), source, None, target)
    link_then_unlink(source, target)


def link_then_unlink(source: str, target: str) -> None:
    """What was `source` is `target`, for file systems whose rename cannot be made exclusive.

    Raises:
        FileExistsError: There is something at `target`.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EMLINK, *_NO_SUCH_CALL}:
            raise
        # No links either (FAT): hold the name with an empty file of our own, and put the other in its place.
        os.close(os.open(target, _NEW, 0o600))
        try:
            os.rename(source, target)  # noqa: PTH104
        except OSError:
            os.unlink(target)  # noqa: PTH108 - ours, and empty
            raise
    else:
        os.unlink(source)  # noqa: PTH108


@cache
def _exclusive_call() -> Callable[[bytes, bytes], int] | None:
    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        return lambda source, target: int(library.renamex_np(source, target, _RENAME_EXCL))
    if not hasattr(library, "renameat2"):
        return None
    renameat2 = library.renameat2
    return lambda source, target: int(renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE))


def missing_folders(path: str) -> list[str]:
    """The folders that have to be made for `path` to be one, the outermost first."""
    missing: list[str] = []
    while not os.path.isdir(path):  # noqa: PTH112
        missing.append(path)
        above = os.path.dirname(path)  # noqa: PTH120
        if above == path:
            break
        path = above
    return missing[::-1]
