"""What becomes of a group when its turn comes: whether it is still as planned, and under which free names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.images.scan import stem_of
from fewshot_gui.engine.sorting.destination import renumbers
from fewshot_gui.engine.sorting.files import device_of, fingerprint, hash_file, is_one_file
from fewshot_gui.engine.sorting.item import Item, Kind, is_as_planned, looks_as_planned
from fewshot_gui.engine.sorting.names import folded, free_stem, safe_name
from fewshot_gui.engine.sorting.placing import tail_of
from fewshot_gui.engine.sorting.plan import TAKES_AWAY, SameName, Way
from fewshot_gui.engine.sorting.states import Failure, Reason
from fewshot_gui.engine.sorting.trash import quarantine, quarantine_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.sorting.files import Fingerprint
    from fewshot_gui.engine.sorting.records import FileRecord

_NUMBER: Final = re.compile(r" \([0-9]+\)$")
_KINDS: Final = {
    Way.COPY: Kind.COPY,
    Way.HARD_LINK: Kind.HARD_LINK,
    Way.SYMBOLIC_LINK: Kind.SYMBOLIC_LINK,
    Way.SIDECAR: Kind.SIDECAR,
    Way.TRASH: Kind.TRASH,
}
_NAMED: Final = (Way.SIDECAR, Way.TRASH)  # whose targets nobody else has


@dataclass(slots=True)
class Settling:
    """Makes items of records; nothing is written.

    Attributes:
        same_name: what becomes of a file whose name was taken since the plan.
        tick: called with the bytes of each chunk that is read to compare files; may raise to end it.
    """

    same_name: SameName = SameName.RENAME
    tick: Callable[[int], None] = lambda _count: None
    _claimed: set[str] = field(default_factory=set)
    _hashes: dict[tuple[str, Fingerprint], str] = field(default_factory=dict)
    _devices: dict[str, int] = field(default_factory=dict)

    def settle(self, group: list[FileRecord]) -> list[Item]:
        """The items of a group; those that do not go bear the reason.

        Raises:
            Failure: what `tick` raised.
        """
        items = [self._item(record) for record in group]
        if all(item.failure is None and item.record.way not in _NAMED for item in items):
            self._name(items)
        culprits = [item.record.source for item in items if item.failure and not item.skipped]
        for item in items if culprits else ():
            if item.failure is None or item.skipped:
                item.failure, item.skipped = Failure(Reason.GROUP, culprits[0]), False
        self._claimed.update(folded(item.record.target) for item in items if item.goes)
        return items

    def _item(self, record: FileRecord) -> Item:
        if record.way is Way.TRASH:  # it may have been in the system's trash and come back
            name = os.path.basename(record.source)  # noqa: PTH119
            place = quarantine_place(quarantine(), record.run, record.group, name)
            record = replace(record, target=place)
        item = Item(record, _KINDS.get(record.way, Kind.RENAME))
        try:
            found = fingerprint(record.source)
            if not self._is_the_one(record, found):
                raise Failure(Reason.SOURCE_CHANGED, record.source)
            if record.way in TAKES_AWAY and self._device_of_target(record) != found.device:
                item.kind = Kind.CARRY
        except Failure as failure:
            if failure.stops:
                raise
            item.failure = failure
        except FileNotFoundError:
            item.failure = Failure(Reason.SOURCE_VANISHED, record.source)
        except OSError as error:
            item.failure = Failure(Reason.UNREADABLE, str(error))
        return item

    def _device_of_target(self, record: FileRecord) -> int:
        folder = os.path.dirname(record.target)  # noqa: PTH120
        if folder not in self._devices:
            self._devices[folder] = device_of(folder)
        return self._devices[folder]

    def _name(self, items: list[Item]) -> None:
        taken = [item for item in items if self._is_taken(item.record.target)]
        for item in items:
            twin = self._twin(item.record, taken=item in taken)
            if twin:
                item.failure, item.skipped = Failure(Reason.ALREADY_THERE, twin), True
        if all(item.failure is not None for item in taken):
            return
        if self.same_name is SameName.SKIP:
            for item in items:
                if item.failure is None:
                    item.failure, item.skipped = Failure(Reason.TARGET_TAKEN, item.record.target), True
            return
        for item, target in zip(items, self._free_targets(items), strict=True):
            item.record = replace(item.record, target=target)

    def _free_targets(self, items: list[Item]) -> list[str]:
        """The targets with the first number that is free for all of them, so that they still share a stem."""
        folder = os.path.dirname(items[0].record.target)  # noqa: PTH120 - a group goes to one folder
        stem, tails = _parts([item.record.target for item in items])
        own, _tails = _parts([item.record.source for item in items])
        if stem not in {own, safe_name(own)}:  # it has a number of ours already, which is taken now
            stem = _NUMBER.sub("", stem)
        path = partial(os.path.join, folder)
        chosen, _number = free_stem(stem, tails, lambda name: self._is_taken(path(name)))
        return [path(chosen + tail) for tail in tails]

    def _is_taken(self, target: str) -> bool:
        return os.path.lexists(target) or folded(target) in self._claimed

    # Contents -------------------------------------------------------------------------------------------

    def _is_the_one(self, record: FileRecord, found: Fingerprint) -> bool:
        """Return whether the source is the file that was planned, or what came back of it."""
        if is_as_planned(record, found):
            return True
        # A card that was taken out while the run was paused, and put in again, numbers its files anew.
        renumbered = looks_as_planned(record, found) and renumbers(record.source)
        return renumbered or self._has_content(record, found)

    def _has_content(self, record: FileRecord, found: Fingerprint) -> bool:
        """Return whether the source holds what was once read of it, as one that came back across disks."""
        known = bool(record.hash) and found.size == record.size
        return known and self._hash(record.source, found) == record.hash

    def _twin(self, record: FileRecord, *, taken: bool) -> str:
        """A file of the destination that is this one, or has its content; "" if there is none."""
        candidates = dict.fromkeys([record.target, *record.alike] if taken else record.alike)
        for path in candidates:
            try:
                if self._is_twin(record, path):
                    return path
            except Failure as failure:
                if failure.stops:
                    raise
            except OSError:
                continue
        return ""

    def _is_twin(self, record: FileRecord, path: str) -> bool:
        if record.way is Way.SYMBOLIC_LINK and os.path.islink(path):  # noqa: PTH114
            return os.readlink(path) == record.source  # noqa: PTH115
        if is_one_file(record.source, path):
            return True
        source, other = fingerprint(record.source), fingerprint(path)
        return source.size == other.size and self._hash(record.source, source) == self._hash(path, other)

    def _hash(self, path: str, found: Fingerprint) -> str:
        """The hash of a file, read once: a thousand pictures of one size may be compared with each."""
        if (path, found) not in self._hashes:
            self._hashes[path, found] = hash_file(path, self.tick)
        return self._hashes[path, found]


def _parts(paths: list[str]) -> tuple[str, list[str]]:
    """The stem that the names of a group share, and what follows it in each."""
    names = [os.path.basename(path) for path in paths]  # noqa: PTH119
    stem = min(map(stem_of, names), key=len)
    return stem, [tail_of(name, stem) for name in names]
