"""What lies at the destination and what its disk can do, found out by asking alone: nothing is written."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.names import byte_length, folded, safe_name
from fewshot_gui.engine.sorting.watched import go_on, watched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from fewshot_gui.engine.sorting.watched import Check

_STRICT_SYSTEMS = frozenset(
    {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3", "smbfs", "hfsplus"}
)
_LINKLESS_SYSTEMS = frozenset({"vfat", "msdos", "exfat"})
# A file of theirs has another number once the drive is mounted anew, or was long not looked at.
_RENUMBERING_SYSTEMS = frozenset({"vfat", "msdos", "exfat", "cifs", "smb3", "smbfs"})
_LONGEST_PATHS = {"linux": 4095, "darwin": 1023, "win32": 259}


@dataclass(frozen=True, slots=True)
class Existing:
    """A file that is at the destination already; a link counts as what it leads to."""

    size: int
    inode: int
    device: int

    def is_same(self, inode: int, device: int) -> bool:
        """Return True if this is the file of that number on that device, reached by a link of any kind."""
        return inode != 0 and (self.inode, self.device) == (inode, device)


@dataclass(frozen=True, slots=True)
class Destination:
    """The folder of the category folders, which need not exist yet.

    Attributes:
        root: its absolute path.
        real: the same with links resolved.
        problem: why nothing can be written there; empty where it can.
        device: number of the device that it is on, or will be on.
        free: bytes that are free there.
        ignores_case: whether "A" and "a" are one name there; None where that cannot be told by looking.
        strict_names: whether names must be safe there also for Windows.
        links: whether hard and symbolic links can be made there.
        longest_path: of a file, in bytes, or where `utf16` in the units of UTF-16, as Windows counts.
        utf16: how `longest_path` is counted.
        folders: by name, those that a category may go to, and what each holds by name.
        names: of all that lies in the root and is no folder.
    """

    root: str
    real: str
    problem: str = ""
    device: int = 0
    free: int = 0
    ignores_case: bool | None = None
    strict_names: bool = False
    links: bool = True
    longest_path: int = 4095
    utf16: bool = False
    folders: Mapping[str, Mapping[str, Existing]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def length(self, path: str) -> int:
        """Return how long a path is, as `longest_path` counts it."""
        return len(path.encode("utf-16-le", "surrogatepass")) // 2 if self.utf16 else byte_length(path)


def survey_destination(root: str, categories: Iterable[str] = (), check: Check = go_on) -> Destination:
    """Return what is there, and what the disk below can do, found out without writing.

    Args:
        root: the folder of the category folders; it need not exist.
        categories: whose folders are looked into.
        check: asked now and then; raises to end the work.
    """
    path = Path(os.path.abspath(root))  # noqa: PTH100 - resolves no links, unlike Path.resolve
    base = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    try:
        device, free = base.stat().st_dev, shutil.disk_usage(base).free
    except OSError as error:
        return Destination(str(path), os.path.realpath(path), problem=os_word(error))
    problem = _blocked(base)
    system = file_system(str(base))
    folders: dict[str, Mapping[str, Existing]] = {}
    names: frozenset[str] = frozenset()
    if base == path and not problem:
        try:
            folders, names = _listing(str(path), {folded(safe_name(each)) for each in categories}, check)
        except OSError as error:
            problem = os_word(error)
    return Destination(
        str(path),
        os.path.realpath(path),
        problem,
        device,
        free,
        ignores_case(base),
        strict_names=sys.platform == "win32" or system in _STRICT_SYSTEMS,
        links=system not in _LINKLESS_SYSTEMS,
        longest_path=_LONGEST_PATHS.get(sys.platform, 4095),
        utf16=sys.platform == "win32",
        folders=folders,
        names=names,
    )


def _blocked(base: Path) -> str:
    """Return why nothing can be made in the nearest folder that exists; empty where it can."""
    if not base.is_dir():
        return f"{base} is not a folder"
    return "" if os.access(base, os.W_OK | os.X_OK) else f"{base} cannot be written to"


def _listing(
    root: str, wanted: Collection[str], check: Check
) -> tuple[dict[str, Mapping[str, Existing]], frozenset[str]]:
    """Return the folders that categories may go to, and the names of all that is no such folder.

    A category's folder may have been taken when its name was made, so that it is called "name (2)": any
    folder that begins as a category is looked into.
    """
    beginnings = tuple(wanted)
    folders: dict[str, Mapping[str, Existing]] = {}
    names: set[str] = set()
    with os.scandir(root) as entries:
        for entry in watched(sorted(watched(entries, check), key=lambda each: each.name), check):
            if not entry.is_dir():
                names.add(entry.name)
            elif folded(entry.name).startswith(beginnings):
                folders[entry.name] = _existing(entry.path, check)
    return folders, frozenset(names)


def _existing(folder: str, check: Check) -> dict[str, Existing]:
    found: dict[str, Existing] = {}
    with os.scandir(folder) as entries:
        for entry in watched(entries, check):
            try:
                status = os.stat(entry.path) if os.name == "nt" else entry.stat()  # noqa: PTH116 - a string
                found[entry.name] = Existing(status.st_size, status.st_ino, status.st_dev)
            except OSError:  # a link to nowhere: its name is taken all the same
                found[entry.name] = Existing(-1, 0, 0)
    return {name: found[name] for name in sorted(found)}


def ignores_case(folder: Path) -> bool | None:
    """Return whether the disk takes "A" and "a" for one name, by asking for what is there in another case.

    None where nothing is there whose name has letters: the disk is not written to just to know.
    """
    for path in _neighbours(folder):
        swapped = path.name.swapcase()
        if swapped == path.name or folded(swapped) != folded(path.name):
            continue
        try:
            return (path.parent / swapped).samefile(path)
        except OSError:
            return False
    return None


def _neighbours(folder: Path) -> Iterator[Path]:
    """Yield some paths on the disk of `folder`: from within, then itself and the folders above."""
    with contextlib.suppress(OSError):
        yield from islice(folder.iterdir(), 16)
        device = folder.stat().st_dev
        for path in (folder, *folder.parents):
            if path.parent.stat().st_dev != device:
                return
            yield path


def file_system(path: str) -> str:
    """Return the name of the file system that an existing path lies on; empty where Linux does not tell."""
    try:
        lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    best = ("", "")
    for line in lines:
        _what, place, system, *_rest = line.split(" ")
        place = place.replace("\\040", " ")
        inside = place in {"/", real} or real.startswith(f"{place}/")
        if inside and len(place) >= len(best[0]):
            best = (place, system)
    return best[1]


def renumbers(path: str) -> bool:
    """Return whether the file system that an existing path lies on may give its files other inodes."""
    system = file_system(path)
    return system in _RENUMBERING_SYSTEMS or system.startswith("fuse")


def os_word(error: OSError) -> str:
    """Return the system's own word on what went wrong."""
    return error.strerror or str(error)
