"""Carries files to their goals, a batch at a time: written down, then done, then written down as done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting import sidecars
from fewshot_gui.engine.sorting.files import (
    copy_to_new,
    fingerprint,
    hash_file,
    is_untouched,
    missing_folders,
    remove,
    rename_exclusively,
    set_mtime,
    sync_and_close,
    sync_disks,
    sync_folders,
)
from fewshot_gui.engine.sorting.item import (
    COPYING,
    FIRST_STATE,
    Item,
    Kind,
    Stage,
    temporary_beside,
)
from fewshot_gui.engine.sorting.plan import Way
from fewshot_gui.engine.sorting.states import Failure, FileState, Reason, from_system
from fewshot_gui.engine.sorting.steps import STEPS
from fewshot_gui.engine.sorting.trash import SystemTrash, throw_away

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.journal import Journal
    from fewshot_gui.engine.sorting.records import FileRecord, RunRecord

_WRITTEN: Final = (*COPYING, Kind.SIDECAR)
_AT_TARGET: Final = (Kind.DROP, Kind.RESTORE)
_WITH_TEMPORARY: Final = (*_WRITTEN, *_AT_TARGET)
_RENAMED: Final = (Kind.RENAME, Kind.TRASH, Kind.CARRY)
_ELSEWHERE: Final = (Way.SIDECAR, Way.TRASH)  # they do not go to the folder of the run
BATCH_FILES: Final = 64
BATCH_BYTES: Final = 64 << 20

Progress = Callable[[int, int, int], None]
"""Called with the files done, the files in all, and the bytes read so far."""


def _no_progress(_done: int, _total: int, _bytes: int) -> None: ...


def _never() -> bool:
    return False


def _no_fault(_point: str, _path: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a run tells and asks while it goes on.

    Attributes:
        progress: called after each chunk and each file.
        cancelled: asked before each chunk and each file.
        at: called at each point that a crash or a fault may meet, with its name and the file; for tests.
        trash: the system's trash; without it our quarantine takes what is thrown away.
    """

    progress: Progress = _no_progress
    cancelled: Callable[[], bool] = _never
    at: Callable[[str, str], None] = _no_fault
    trash: SystemTrash | None = None


@dataclass(slots=True)
class Transfer:
    """Carries the files of one run in one direction.

    Attributes:
        stop: why it went no further, if it did not.
    """

    journal: Journal
    run: RunRecord
    hooks: Hooks
    total: int = 0
    stop: Failure | None = None
    _root_is_there: bool = False
    _made: set[str] = field(default_factory=set)
    _finished: int = 0
    _bytes: int = 0
    _pending: list[FileRecord] = field(default_factory=list)

    def carry(self, groups: Iterable[list[Item]]) -> None:
        """The files are at their goals, or back at their origins with a reason; the journal says so.

        Args:
            groups: files that go together or not at all.

        Raises:
            JournalError: The journal cannot be written: the files of the last batch are in doubt.
        """
        batch: list[list[Item]] = []
        try:
            for group in groups:
                self._check_cancelled()
                batch.append(group)
                items = [item for each in batch for item in each]
                if len(items) >= BATCH_FILES or sum(item.record.size for item in items) >= BATCH_BYTES:
                    self._carry_batch(batch)
                    batch = []
                if self.stop is not None:
                    break
        except Failure as failure:  # it may only compare files for an hour, and write none
            self.stop = failure
        if batch and self.stop is None:
            self._carry_batch(batch)
        self.flush()

    def expect(self, files: int) -> None:
        """So many files are still to come."""
        self.total = self._finished + files

    def flush(self) -> None:
        """All that has been done is written down."""
        self.journal.write(self._pending)
        self._pending.clear()

    def _carry_batch(self, batch: list[list[Item]]) -> None:
        items = [item for group in batch for item in group]
        self._check_root(items)
        self._begin(items)
        placed = [item for item in items if item.kind is not Kind.TRASH]  # the system has its own folder
        self._each(placed, "folder", self._make_folder)
        self._each([item for item in items if item.kind in _WRITTEN], "written", self._write)
        self._sync_files([item for item in items if item.handle >= 0])
        self._break_groups(batch)
        self._note([item for item in items if item.kind in _WRITTEN], FileState.COPIED)
        self._each(items, "published", self._publish)
        self._sync_folders(items, goal=True)
        self._break_groups(batch)
        carried = [item for item in items if item.kind is Kind.CARRY and item.goes]
        if carried:
            self._note(carried, FileState.VERIFIED)
            self._each(carried, "removed", self._remove_origin)
        self._sync_folders(items, goal=False)
        far = [group for group in batch if any(item.is_far for item in group)]
        self._end([item for group in batch if group not in far for item in group])
        if far:
            self._carry_batch([[item.across() for item in group] for group in far])

    # Before and after -----------------------------------------------------------------------------------

    def _check_root(self, items: list[Item]) -> None:
        # A drive that was taken away must not be made anew as a folder of the disk below it.
        bound = [item for item in items if item.record.way not in _ELSEWHERE]
        expected = self._root_is_there or any(item.record.back for item in bound)
        if bound and expected and not os.path.isdir(self.run.root):  # noqa: PTH112
            self._stop_at(Failure(Reason.TARGET_VANISHED, self.run.root), bound)
        for item in items:
            if item.failure is not None and item.failure.stops:
                self.stop = self.stop or item.failure

    def expect_root(self) -> None:
        """The destination folder has been there before: without it, nothing is done."""
        self._root_is_there = True

    def _begin(self, items: list[Item]) -> None:
        folders: dict[str, None] = {}
        for item in (item for item in items if item.goes):
            record = item.record
            beside = record.target if item.kind in _AT_TARGET else record.goal
            temporary = temporary_beside(record, beside) if item.kind in _WITH_TEMPORARY else ""
            item.record = replace(record, state=FIRST_STATE[item.kind], temporary=temporary)
            missing = missing_folders(os.path.dirname(record.goal))  # noqa: PTH120
            self._made.update(missing)
            if not record.back:
                folders |= dict.fromkeys(missing)
        begun = [item.record for item in items if item.goes]
        self.journal.write([*self._pending, *begun], folders, self.run.id)
        self._pending.clear()
        self._tell("begun", items)

    def _note(self, items: list[Item], state: FileState) -> None:
        going = [item for item in items if item.goes]
        for item in going:
            item.record = replace(item.record, state=state)
        self.journal.write([item.record for item in going])
        self._tell(state.value, going)

    def _end(self, items: list[Item]) -> None:
        for item in items:
            if not item.in_doubt:
                self._pending.append(item.outcome())
            if not (item.failure and item.failure.stops):
                self._finished += 1
        self._root_is_there = self._root_is_there or os.path.isdir(self.run.root)  # noqa: PTH112
        self.hooks.progress(self._finished, self.total, self._bytes)
        self._tell("ended", items)

    def _tell(self, point: str, items: list[Item]) -> None:
        for item in items:
            self.hooks.at(point, item.record.source)

    # The steps of one file ------------------------------------------------------------------------------

    def _make_folder(self, item: Item) -> None:
        for folder in missing_folders(os.path.dirname(item.record.goal)):  # noqa: PTH120
            with suppress(FileExistsError):
                os.mkdir(folder)  # noqa: PTH102

    def _write(self, item: Item) -> None:
        record = item.record
        self._check_cancelled()
        item.stage = Stage.TEMPORARY
        if item.kind is Kind.SIDECAR:
            item.record = sidecars.write(record)
            return
        copied = copy_to_new(record.origin, record.temporary, lambda count: self._tick(item, count))
        item.handle, item.copied_from = copied.handle, copied.source
        if record.back:
            set_mtime(record.temporary, record.mtime_ns)
        made = fingerprint(record.temporary)
        if record.hash and record.hash != copied.hash:  # it has been read before, and must be what it was
            raise Failure(Reason.TARGET_CHANGED if record.back else Reason.SOURCE_CHANGED, record.origin)
        item.record = replace(record, hash=copied.hash, made_inode=made.inode, made_mtime_ns=made.mtime_ns)

    def _sync_files(self, items: list[Item]) -> None:
        # A plain copy is on its way to the disk, and nobody waits: no original is removed for it, and
        # waiting made copying half as fast as cp.
        carried = [item for item in items if item.kind is Kind.CARRY]
        self._each(carried, "read", self._verify)  # while the disk is writing already
        synced = sync_disks([item.handle for item in carried if item.goes])
        self._each(items, "synced", lambda item: self._close(item, is_synced=synced))

    def _close(self, item: Item, *, is_synced: bool) -> None:
        handle, item.handle = item.handle, -1
        sync_and_close(handle, is_synced=is_synced or item.kind is Kind.COPY)

    def _verify(self, item: Item) -> None:
        if hash_file(item.record.temporary) != item.record.hash:
            raise Failure(Reason.VERIFY_FAILED, item.record.goal)

    def _publish(self, item: Item) -> None:
        record = item.record
        if item.kind in COPYING:
            rename_exclusively(record.temporary, record.goal)
        elif item.kind is Kind.TRASH:
            self._check_cancelled()
            item.record = record = replace(record, target=throw_away(record, self.hooks.trash))
        else:
            self._check_cancelled()
            STEPS[item.kind](record)
        item.stage = Stage.ORIGIN_REMOVED if item.kind in _AT_TARGET else Stage.PUBLISHED
        if item.kind in {Kind.RENAME, Kind.HARD_LINK, Kind.TRASH}:
            made = fingerprint(record.goal)
            item.record = replace(record, made_inode=made.inode, made_mtime_ns=made.mtime_ns)

    def _remove_origin(self, item: Item) -> None:
        record, before = item.record, item.copied_from
        if before is None or not is_untouched(record.origin, before, record.hash):
            raise Failure(Reason.SOURCE_CHANGED, record.origin)
        remove(record.origin)
        item.stage = Stage.ORIGIN_REMOVED

    # What goes wrong ------------------------------------------------------------------------------------

    def _each(self, items: list[Item], point: str, step: Callable[[Item], None]) -> None:
        for item in items:
            if not item.goes:
                continue
            try:
                step(item)
                self.hooks.at(point, item.record.source)
            except Failure as failure:
                self._fail(item, failure)
            except OSError as error:
                self._fail(item, from_system(error, item.record.origin, self._root(item)))

    def _root(self, item: Item) -> str:
        return "" if item.record.way is Way.TRASH else self.run.root

    def _fail(self, item: Item, failure: Failure) -> None:
        if item.stage is Stage.ORIGIN_REMOVED:  # it has arrived, whatever comes after
            return
        item.failure = failure
        if item.kind is Kind.SIDECAR and failure.reason is Reason.ALREADY_THERE:
            item.skipped = True
        try:
            item.withdraw()
        except (Failure, OSError):
            item.in_doubt = True
        if failure.stops and self.stop is None:
            self.stop = failure

    def _stop_at(self, failure: Failure, items: list[Item]) -> None:
        for item in items:
            if item.goes:
                self._fail(item, failure)

    def _break_groups(self, batch: list[list[Item]]) -> None:
        for group in batch:
            culprit = next((item for item in group if _broke(item)), None)
            if culprit is None or culprit.failure is None:
                continue
            failure = culprit.failure
            if not failure.stops:
                failure = Failure(Reason.GROUP, culprit.record.source)
            for item in group:
                if item.goes:
                    self._fail(item, failure)

    def _sync_folders(self, items: list[Item], *, goal: bool) -> None:
        folders: dict[str, list[Item]] = {}
        for item in items:
            if item.goes and item.kind in _RENAMED:
                folder = os.path.dirname(item.record.goal if goal else item.record.origin)  # noqa: PTH120
                folders.setdefault(folder, []).append(item)
                while goal and folder in self._made:  # a new folder has a name to be kept too
                    folder = os.path.dirname(folder)  # noqa: PTH120
                    folders.setdefault(folder, []).append(item)
        for folder, error in sync_folders(list(folders)).items():
            # Not on the disk for sure, so no original may be removed for it.
            for item in folders[folder] if goal else ():
                if item.goes:
                    self._fail(item, from_system(error, folder, self._root(item)))

    def _tick(self, item: Item, count: int) -> None:
        self.hooks.at("chunk", item.record.source)
        self.tick(count)

    def tick(self, count: int) -> None:
        """So many bytes more have been read.

        Raises:
            Failure: it is to go no further.
        """
        self._bytes += count
        self.hooks.progress(self._finished, self.total, self._bytes)
        self._check_cancelled()

    def _check_cancelled(self) -> None:
        if self.stop is not None:
            raise self.stop
        if self.hooks.cancelled():
            raise Failure(Reason.CANCELLED)


def _broke(item: Item) -> bool:
    if item.failure is None:
        return item.in_doubt
    return not item.skipped
