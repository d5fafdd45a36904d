"""What lies in the source folders and at the destination: each folder listed once, no file opened."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fewshot_gui.core.images.scan import changed_at
from fewshot_gui.engine.sorting.destination import os_word, survey_destination
from fewshot_gui.engine.sorting.groups import may_be_companion
from fewshot_gui.engine.sorting.plan import ConflictKind
from fewshot_gui.engine.sorting.trash import quarantine
from fewshot_gui.engine.sorting.watched import go_on, watched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from fewshot_gui.engine.sorting.destination import Destination
    from fewshot_gui.engine.sorting.plan import Decided
    from fewshot_gui.engine.sorting.watched import Check


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the system says of one file, a link not followed.

    Attributes:
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds since 1970.
        inode: its number on the device.
        device: number of the device.
        trouble: why it cannot go, or None.
        detail: the system's own word on the trouble, or where a link leads.
    """

    size: int
    mtime_ns: int
    inode: int
    device: int
    trouble: ConflictKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """One folder that decided files lie in.

    Attributes:
        real: its path with links resolved.
        files: what is known of the decided files in it, and of all that may belong to them, by name.
        others: names of the other files.
        writable: whether files can be taken out of it.
        trouble: why it could not be listed, or None.
        detail: the system's own word on the trouble.
    """

    real: str
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    writable: bool = True
    trouble: ConflictKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that a plan is made of beside what was decided.

    Attributes:
        absolute: of each decided path.
        sources: by absolute path of the folder.
        destination: where the files would go.
        quarantine: the folder of what is thrown away and the system's trash does not take.
    """

    absolute: Mapping[str, str]
    sources: Mapping[str, SourceFolder]
    destination: Destination
    quarantine: str = ""


def survey(decided: Iterable[Decided], destination: str, check: Check = go_on) -> Survey:
    """Return what a plan needs to know; each folder is listed once, no file is opened, nothing is written.

    Args:
        decided: the files, and the categories that they go to.
        destination: the folder of the category folders.
        check: asked now and then; raises to end the work.
    """
    absolute: dict[str, str] = {}
    wanted: dict[str, set[str]] = defaultdict(set)
    categories: set[str] = set()
    for each in watched(decided, check):
        absolute[each.path] = os.path.abspath(each.path)  # noqa: PTH100 - ten times as fast as Path
        folder, name = os.path.split(absolute[each.path])
        wanted[folder].add(name)
        categories.add(each.category)
    sources = {folder: _source_folder(folder, names, check) for folder, names in wanted.items()}
    return Survey(absolute, sources, survey_destination(destination, categories, check), quarantine())


def _source_folder(folder: str, wanted: Collection[str], check: Check) -> SourceFolder:
    real = os.path.realpath(folder)
    files: dict[str, FileFacts] = {}
    others: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in watched(entries, check):
                if entry.name in wanted or may_be_companion(entry.name):
                    files[entry.name] = _facts(entry)
                else:
                    others.append(entry.name)
    except FileNotFoundError as error:
        return SourceFolder(real, trouble=ConflictKind.SOURCE_MISSING, detail=os_word(error))
    except OSError as error:
        return SourceFolder(real, trouble=ConflictKind.SOURCE_UNREADABLE, detail=os_word(error))
    # Sorted, because a system lists in any order, and the same folder shall give the same plan.
    ordered = {name: files[name] for name in sorted(files)}
    return SourceFolder(real, ordered, tuple(sorted(others)), os.access(folder, os.W_OK | os.X_OK))


def _facts(entry: os.DirEntry[str]) -> FileFacts:
    try:
        # Not entry.stat, which on Windows knows neither inode nor device.
        status = os.lstat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)
    except FileNotFoundError as error:
        return FileFacts(0, 0, 0, 0, ConflictKind.SOURCE_MISSING, os_word(error))
    except OSError as error:
        return FileFacts(0, 0, 0, 0, ConflictKind.SOURCE_UNREADABLE, os_word(error))
    trouble, detail = _trouble(entry.path, status.st_mode)
    return FileFacts(status.st_size, changed_at(status), status.st_ino, status.st_dev, trouble, detail)


def _trouble(path: str, mode: int) -> tuple[ConflictKind | None, str]:
    if stat.S_ISLNK(mode):
        with contextlib.suppress(OSError):
            return ConflictKind.LINK, os.readlink(path)  # noqa: PTH115 - a string, as everywhere here
        return ConflictKind.LINK, ""
    if not stat.S_ISREG(mode):
        return ConflictKind.NOT_A_FILE, ""
    if not os.access(path, os.R_OK):
        return ConflictKind.SOURCE_UNREADABLE, ""
    return None, ""
