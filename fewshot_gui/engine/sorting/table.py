"""A plan as rows and counts, for whoever shows it: what goes where, what stays and why."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind, Plan, PlannedFile


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        path: of the file; of a category or folder where the conflict is about one.
        file: where it goes; None where it stays.
        conflicts: what does not go plainly with it.
    """

    path: str
    file: PlannedFile | None
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """What goes to one category.

    Attributes:
        category: name as the person wrote it.
        folder: absolute path of its folder; empty where the files stay beside their sidecars.
        pictures: how many.
        companions: how many files go with them.
        size: of all of these, in bytes.
        trash: whether they go to the trash.
    """

    category: str
    folder: str
    pictures: int
    companions: int
    size: int
    trash: bool = False


def rows(plan: Plan) -> list[Row]:
    """Return the files that go, in their order, each with its conflicts; then what stays, in its order."""
    told: dict[str, list[Conflict]] = {}
    for conflict in plan.conflicts:
        told.setdefault(conflict.path, []).append(conflict)
    going = [Row(file.source, file, tuple(told.pop(file.source, ()))) for file in plan.files]
    return going + [Row(path, None, tuple(conflicts)) for path, conflicts in told.items()]


def category_counts(plan: Plan) -> list[CategoryCount]:
    """Return what goes to each category, by name."""
    pictures: Counter[str] = Counter()
    others: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    folders: dict[str, str] = {}
    trash = set()
    for file in plan.files:
        (others if file.is_companion else pictures)[file.category] += 1
        sizes[file.category] += file.size
        if file.way == "trash":
            trash.add(file.category)
        elif file.way != "sidecar" and file.category not in folders:
            folders[file.category] = os.path.dirname(file.target)  # noqa: PTH120 - a string, as all paths
    return [
        CategoryCount(name, folders.get(name, ""), pictures[name], others[name], sizes[name], name in trash)
        for name in sorted(sizes)
    ]


def conflict_counts(plan: Plan) -> Mapping[ConflictKind, int]:
    """Return how many conflicts of each kind there are, the most frequent first."""
    return dict(Counter(conflict.kind for conflict in plan.conflicts).most_common())


def left_out(plan: Plan) -> int:
    """Return how many files stay where they are; what is there already is none of them."""
    staying = (each for each in plan.conflicts if each.left_out and each.kind != "already-there")
    return len({each.path for each in staying})
