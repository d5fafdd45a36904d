"""Names at the destination: which folder a category gets, and which names are in use in each."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fewshot_gui.core.images.scan import stem_of
from fewshot_gui.engine.sorting.names import folded, free_stem, is_safe_name, safe_name
from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fewshot_gui.engine.sorting.destination import Destination, Existing

_NUMBER = re.compile(r" \([0-9]+\)(?=\.|$)")


def category_folders(
    categories: Iterable[str], destination: Destination
) -> tuple[dict[str, str], list[Conflict]]:
    """Return the folder name of each category, different for each on every system, and what is not plain.

    A folder that is there already under the name, be it in another case, is the category's own, so that a
    half-sorted folder goes on. A file of that name is not: then the folder gets a number.
    """
    there = {folded(name): name for name in destination.folders}
    taken = {folded(name) for name in destination.names}
    chosen: dict[str, str] = {}
    conflicts: list[Conflict] = []
    # Who needs no other name comes first, whichever order the categories were made in.
    for category in sorted(set(categories), key=lambda name: (not is_safe_name(name), name)):
        wanted = safe_name(category)
        if folded(wanted) in taken:
            wanted, _number = free_stem(wanted, ("",), lambda name: folded(name) in taken)
        if wanted not in destination.folders:
            wanted = there.get(folded(wanted), wanted)
        taken.add(folded(wanted))
        chosen[category] = wanted
        if wanted != category:
            case_only = folded(wanted) == folded(category)
            kind = ConflictKind.FOLDER_CASE if case_only else ConflictKind.SAFE_FOLDER
            conflicts.append(Conflict(category, kind, wanted))
    return chosen, conflicts


@dataclass(slots=True)
class Shelf:
    """The names in use in the folder of one category, existing and planned.

    Attributes:
        path: of the folder, absolute.
        existing: what lies in it now, by name.
    """

    path: str
    existing: Mapping[str, Existing]
    _used: dict[str, str] = field(init=False, default_factory=dict)
    _planned: dict[str, str] = field(init=False, default_factory=dict)
    _next: dict[str, int] = field(init=False, default_factory=dict)
    _families: dict[tuple[str, int], list[str]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._used = {folded(name): name for name in self.existing}

    def target(self, name: str) -> str:
        """Return the path of a name."""
        return f"{self.path}{os.sep}{name}"

    def clash(self, name: str) -> tuple[ConflictKind, str] | None:
        """Return who has the name already, on some system at least, or None if it is free."""
        key = folded(name)
        if key in self._used:
            return ConflictKind.SAME_NAME, self.target(self._used[key])
        return (ConflictKind.SAME_TARGET, self._planned[key]) if key in self._planned else None

    def is_taken(self, name: str) -> bool:
        """Return True if a name is in use, on some system at least."""
        key = folded(name)
        return key in self._used or key in self._planned

    def take(self, name: str, source: str) -> None:
        """Let a source have a name."""
        self._planned[folded(name)] = source

    def numbered(self, stem: str, tails: Sequence[str]) -> str:
        """Return "stem (2)" with the first number with which all names are free."""
        key = folded(stem)
        chosen, number = free_stem(stem, tails, self.is_taken, self._next.get(key, 2))
        # A thousand cameras number from 1: each IMG_0001 need not try what the last one found taken.
        self._next[key] = number + 1
        return chosen

    def alike(self, name: str, size: int) -> tuple[str, ...]:
        """Return the paths of the existing files of that size that have the name, or it with a number.

        The one of the very name comes first: of a folder that is sorted anew it is the one.
        """
        if self._families is None:
            self._families = defaultdict(list)
            for other, facts in self.existing.items():
                key, numberless = folded(other), folded(_NUMBER.sub("", other, count=1))
                self._families[key, facts.size].insert(0, self.target(other))
                if numberless != key:
                    self._families[numberless, facts.size].append(self.target(other))
        return tuple(self._families.get((folded(name), size), ()))


def tail_of(name: str, stem: str) -> str:
    """Return what follows the stem in a name, which may write the stem in another case."""
    if folded(name[: len(stem)]) == folded(stem):
        return name[len(stem) :]
    return name[len(stem_of(name)) :]
