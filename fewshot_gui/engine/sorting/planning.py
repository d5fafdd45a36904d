"""Planning: from what was decided and what lies where to a plan; pure, the same input gives the same plan."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.blocking import Blocking
from fewshot_gui.engine.sorting.grouping import last_word, make_groups
from fewshot_gui.engine.sorting.names import fits, folded, safe_name
from fewshot_gui.engine.sorting.placing import Shelf, category_folders, tail_of
from fewshot_gui.engine.sorting.plan import (
    Conflict,
    ConflictKind,
    Decided,
    Plan,
    PlannedFile,
    SameName,
    Way,
)
from fewshot_gui.engine.sorting.trash import quarantine_place
from fewshot_gui.engine.sorting.watched import go_on, watched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from fewshot_gui.engine.sorting.grouping import Group, Member
    from fewshot_gui.engine.sorting.survey import Survey
    from fewshot_gui.engine.sorting.watched import Check

_BLOCK = 4096  # the bytes that a disk hands out at once
_NOBODY = Decided("", "")


def make_plan(
    decided: Iterable[Decided],
    survey: Survey,
    *,
    way: Way = Way.COPY,
    same_name: SameName = SameName.RENAME,
    identity: str,
    trash: Collection[str] = (),
    check: Check = go_on,
) -> Plan:
    """Return what a run would do: which files go where, and of each other one why it stays.

    No two targets are one name on any system, none is the name of an existing file, and groups go or stay
    as a whole. 100,000 files take about a second.

    Args:
        decided: what was said of each picture; of several words on one picture a person's counts.
        survey: of the sources and of the destination.
        way: how the files go.
        same_name: what becomes of a file whose name is taken.
        identity: of the run, 32 hexadecimal digits.
        trash: the categories whose files go to the trash and not to a folder; with Way.SIDECAR none does.
        check: asked now and then; raises to end the work.
    """
    chosen = last_word(decided, survey.absolute, check)
    destination = survey.destination
    if way is Way.SIDECAR:
        return _Planner(survey, way, same_name, {}, check).sidecars(chosen, identity)
    if destination.problem:
        conflict = Conflict(destination.root, ConflictKind.DESTINATION, destination.problem)
        return Plan(identity, destination.root, way, (), (conflict,))
    categories = {each.category for each in chosen.values()}
    names, conflicts = category_folders(categories.difference(trash), destination)
    planner = _Planner(survey, way, same_name, names, check)
    planner.conflicts += conflicts
    return planner.plan(chosen, identity, trash)


class _Planner:
    """The state of one planning."""

    def __init__(
        self, survey: Survey, way: Way, same_name: SameName, names: Mapping[str, str], check: Check
    ) -> None:
        self.conflicts: list[Conflict] = []
        self._files: list[PlannedFile] = []
        self._groups = 0
        self._survey, self._check = survey, check
        self._destination = survey.destination
        self._way = way
        self._same_name = same_name
        there, root, real = self._destination.folders, self._destination.root, self._destination.real
        self._shelves = {
            category: Shelf(os.path.join(root, folder), there.get(folder, {}))  # noqa: PTH118 - a string
            for category, folder in names.items()
        }
        self._real = {
            category: os.path.join(real, folder)  # noqa: PTH118 - as above
            for category, folder in names.items()
        }
        self._blocking = Blocking(survey, way, {folded(path) for path in self._real.values()})
        self._trashing = replace(self._blocking, way=Way.TRASH)
        self._left = self._destination.free

    def plan(self, chosen: Mapping[str, Decided], identity: str, trash: Collection[str]) -> Plan:
        """Return the plan of files that go to the folders of their categories, or to the trash."""
        groups, torn = make_groups(chosen, self._survey, with_companions=True, check=self._check)
        self.conflicts += torn
        for group in watched(groups, self._check):
            if group.category in trash:
                self._throw(group, identity)
                continue
            group.members = self._away(group)
            if group.members:
                self._add(group)
        return self._done(identity)

    def sidecars(self, chosen: Mapping[str, Decided], identity: str) -> Plan:
        """Return the plan of sidecars that are written beside the pictures, or merged with the one there."""
        groups, _torn = make_groups(chosen, self._survey, with_companions=False, check=self._check)
        for group in watched(groups, self._check):
            blocked = self._blocking.conflicts(group)
            self.conflicts += blocked
            if not blocked:
                # Named in full, as most programs do today: a.xmp would be the RAW's and the JPEG's at once.
                self._put(group, [(member, f"{member.path}.xmp", ()) for member in group.members])
        return self._done(identity)

    def _done(self, identity: str) -> Plan:
        return Plan(identity, self._destination.root, self._way, tuple(self._files), tuple(self.conflicts))

    def _away(self, group: Group) -> list[Member]:
        """Return the members that are not at their target already."""
        source, target = self._survey.sources[group.folder].real, self._real[group.category]
        shelf = self._shelves[group.category]
        here = source == target or (
            self._destination.ignores_case is not False and folded(source) == folded(target)
        )
        if not here and not shelf.existing:
            return group.members
        away: list[Member] = []
        for member in group.members:
            existing, facts = shelf.existing.get(self._name(member)), member.facts
            linked = existing and facts and existing.is_same(facts.inode, facts.device)
            if facts is not None and (here or linked):
                path = shelf.target(member.name)
                self.conflicts.append(Conflict(member.path, ConflictKind.ALREADY_THERE, path))
            else:
                away.append(member)
        return away

    def _name(self, member: Member) -> str:
        """Return the name that a file gets where it is free: its own, but a safe one on a strict disk."""
        return safe_name(member.name) if self._destination.strict_names else member.name

    def _add(self, group: Group) -> None:
        """Plan a group, or list why it stays."""
        if not self._may_go(group, self._blocking):
            return
        shelf = self._shelves[group.category]
        wanted = [self._name(member) for member in group.members]
        clashes = [shelf.clash(name) for name in wanted]
        if not any(clashes):
            self._place(group, shelf, wanted, wanted)
        elif self._same_name is SameName.SKIP:
            self._skip(group, clashes)
        else:
            stem = safe_name(group.stem) if self._destination.strict_names else group.stem
            tails = [tail_of(name, stem) for name in wanted]
            stem = shelf.numbered(stem, tails)
            self._place(group, shelf, wanted, [stem + tail for tail in tails])

    def _may_go(self, group: Group, blocking: Blocking) -> bool:
        """List what stays of a group, and return whether anything of it goes."""
        blocked = blocking.conflicts(group)
        self.conflicts += blocked
        staying = {conflict.path for conflict in blocked}
        group.members = [member for member in group.members if member.path not in staying]
        return bool(group.members)

    def _throw(self, group: Group, identity: str) -> None:
        """Plan a group for the trash, or list why it stays."""
        if self._may_go(group, self._trashing):
            folder, number = self._survey.quarantine, self._groups
            placed: list[tuple[Member, str, tuple[str, ...]]] = [
                (member, quarantine_place(folder, identity, number, member.name), ())
                for member in group.members
            ]
            self._put(group, placed, Way.TRASH)

    def _skip(self, group: Group, clashes: Sequence[tuple[ConflictKind, str] | None]) -> None:
        first = next(member.path for member, clash in zip(group.members, clashes, strict=True) if clash)
        for member, clash in zip(group.members, clashes, strict=True):
            kind, other = clash or (ConflictKind.GROUP_STAYS, first)
            self.conflicts.append(Conflict(member.path, kind, other))

    def _place(self, group: Group, shelf: Shelf, wanted: Sequence[str], names: Sequence[str]) -> None:
        """Plan a group under free names, unless the disk cannot take it."""
        targets = [shelf.target(name) for name in names]
        alike = [
            shelf.alike(old, member.facts.size) if name != old and member.facts is not None else ()
            for member, name, old in zip(group.members, names, wanted, strict=True)
        ]
        # What is probably there already, as in a folder that is sorted again, takes no room.
        fresh = [member for member, others in zip(group.members, alike, strict=True) if not others]
        if (trouble := self._too_much(fresh, names, targets)) is not None:
            self.conflicts += [Conflict(member.path, *trouble) for member in group.members]
            return
        for member, name, old, target in zip(group.members, names, wanted, targets, strict=True):
            if name != member.name:
                kind = ConflictKind.RENAMED if name != old else ConflictKind.SAFE_NAME
                self.conflicts.append(Conflict(member.path, kind, target))
            shelf.take(name, member.path)
        self._put(group, zip(group.members, targets, alike, strict=True))

    def _too_much(
        self, members: Sequence[Member], names: Sequence[str], targets: Sequence[str]
    ) -> tuple[ConflictKind, str] | None:
        """Return why the disk cannot take a group under these names; where it can, the bytes are counted.

        Args:
            members: of the group, those that take room.
            names: of all files of the group.
            targets: the paths of these names.
        """
        length = self._destination.length
        longest = targets[0] if len(targets) == 1 else max(targets, key=length)
        if not all(map(fits, names)) or length(longest) > self._destination.longest_path:
            return ConflictKind.NAME_TOO_LONG, longest
        if len(names) > 1 and len(set(map(folded, names))) < len(
            names
        ):  # what a strict disk does not take was the difference
            return ConflictKind.SAME_TARGET, longest
        needed = sum(self._bytes(member) for member in members)
        if needed > self._left:
            return ConflictKind.NO_SPACE, str(needed - self._left)
        self._left -= needed
        return None

    def _bytes(self, member: Member) -> int:
        """Return the bytes that a file takes from the destination's disk, in whole blocks."""
        facts = member.facts
        moved = self._way is Way.MOVE and facts is not None and facts.device != self._destination.device
        if facts is None or not (moved or self._way is Way.COPY):
            return 0
        return -(-facts.size // _BLOCK) * _BLOCK

    def _put(
        self, group: Group, placed: Iterable[tuple[Member, str, tuple[str, ...]]], way: Way | None = None
    ) -> None:
        # A companion has no word of its own: it goes by that of its picture.
        speaker = next((each.decided for each in group.members if each.decided), _NOBODY)
        for member, target, alike in placed:
            facts, decided = member.facts, member.decided
            word = decided or speaker
            assert facts is not None  # who is not there has been blocked
            self._files.append(
                PlannedFile(
                    member.path,
                    target,
                    facts.size,
                    facts.mtime_ns,
                    facts.inode,
                    facts.device,
                    group.category,
                    self._groups,
                    way or self._way,
                    is_companion=decided is None,
                    by=word.by,
                    probability=None if decided is None else decided.probability,
                    picture=None if decided is None else decided.picture,
                    alike=alike,
                    at=word.at,
                    machine=word.machine,
                )
            )
        self._groups += 1
