"""The decided files with what belongs to them, as groups that go together or stay together."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fewshot_gui.core.images.scan import stem_of
from fewshot_gui.engine.sorting.groups import companions
from fewshot_gui.engine.sorting.names import folded
from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind
from fewshot_gui.engine.sorting.watched import go_on, watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fewshot_gui.engine.sorting.plan import Decided
    from fewshot_gui.engine.sorting.survey import FileFacts, SourceFolder, Survey
    from fewshot_gui.engine.sorting.watched import Check

_WEIGHT = {"human": 3, "accepted": 2, "example": 1, "machine": 0}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a group.

    Attributes:
        path: absolute.
        name: in its folder.
        facts: None where there is no such file.
        decided: what was said of it; None for a companion.
    """

    path: str
    name: str
    facts: FileFacts | None
    decided: Decided | None = None


@dataclass(slots=True)
class Group:
    """Files of one folder that go to one category together.

    Attributes:
        folder: absolute path.
        stem: that their names have in common.
        category: name.
        members: the pictures, then their companions.
    """

    folder: str
    stem: str
    category: str
    members: list[Member] = field(default_factory=list)


def last_word(
    decided: Iterable[Decided], absolute: Mapping[str, str], check: Check = go_on
) -> dict[str, Decided]:
    """Return by absolute path what counts: a person's word before the machine's, then the later one."""
    chosen: dict[str, Decided] = {}
    for each in watched(decided, check):
        path = absolute[each.path]
        former = chosen.get(path)
        if former is None or _WEIGHT[each.by] >= _WEIGHT[former.by]:
            chosen[path] = each
    return chosen


def make_groups(
    chosen: Mapping[str, Decided], survey: Survey, *, with_companions: bool, check: Check = go_on
) -> tuple[list[Group], list[Conflict]]:
    """Return the groups in the order of their first picture, and which files belong to several.

    Args:
        chosen: by absolute path.
        survey: of their folders.
        with_companions: whether what belongs to a picture goes with it.
        check: asked now and then; raises to end the work.
    """
    groups: list[Group] = []
    homes: dict[str, dict[str, int]] = defaultdict(dict)
    numbers: dict[tuple[str, str, str], int] = {}
    used: set[tuple[str, str, str]] = set()
    for path, each in watched(chosen.items(), check):
        folder, name = os.path.split(path)
        stem = stem_of(name) if with_companions else name
        # Pictures that only share their stem are kept together for the sake of what belongs to both; but
        # a.jpg and a.JPG cannot be, where no two names may differ in case alone.
        key, spelt = (folder, stem, each.category), (folder, each.category, folded(name))
        number = numbers.setdefault(key, len(groups)) if spelt not in used else len(groups)
        used.add(spelt)
        if number == len(groups):
            groups.append(Group(folder, stem, each.category))
        groups[number].members.append(Member(path, name, survey.sources[folder].files.get(name), each))
        homes[folder][name] = number
    conflicts: list[Conflict] = []
    if with_companions:
        for folder, mains in homes.items():
            check()
            conflicts += _split(folder, mains, groups)
            conflicts += _add_companions(folder, survey.sources[folder], mains, groups, check)
    return groups, conflicts


def _add_companions(
    folder: str, listing: SourceFolder, homes: Mapping[str, int], groups: Sequence[Group], check: Check
) -> list[Conflict]:
    """Add what belongs to the pictures of one folder to their groups; return what is torn between two.

    Args:
        folder: its path.
        listing: what lies in it.
        homes: by name of a picture the number of its group.
        groups: all of them; they are added to.
        check: asked now and then.
    """
    conflicts: list[Conflict] = []
    names = (*listing.files, *listing.others)
    for name, owners in watched(companions(names, homes, check).items(), check):
        numbers = {homes.get(owner, -1) for owner in owners}
        if numbers == {-1}:
            continue
        path = os.path.join(folder, name)  # noqa: PTH118 - a string, ten times as fast
        twin = None
        if len(numbers) == 1:
            group = groups[numbers.pop()]
            twin = next((each.name for each in group.members if folded(each.name) == folded(name)), None)
            if twin is None:
                group.members.append(Member(path, name, listing.files[name]))
                continue
        conflicts.append(Conflict(path, ConflictKind.COMPANION_CLAIMED, twin or ", ".join(owners)))
    return conflicts


def _split(folder: str, homes: Mapping[str, int], groups: Sequence[Group]) -> list[Conflict]:
    """Return the pictures of one stem that go to different categories."""
    first: dict[str, str] = {}
    conflicts: list[Conflict] = []
    for name, number in homes.items():
        other = first.setdefault(stem_of(name), name)
        if groups[homes[other]].category != groups[number].category:
            path = os.path.join(folder, name)  # noqa: PTH118 - as above
            conflicts.append(Conflict(path, ConflictKind.GROUP_SPLIT, other))
    return conflicts
