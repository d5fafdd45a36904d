"""The plan as a table: one row a file, and counts that are those of the rows."""

from __future__ import annotations

from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind, Plan, PlannedFile, Way
from fewshot_gui.engine.sorting.table import category_counts, conflict_counts, left_out, rows

K = ConflictKind


def planned(
    source: str, target: str, category: str, *, companion: bool = False, way: Way = Way.COPY
) -> PlannedFile:
    return PlannedFile(source, target, 10, 0, 1, 1, category, 0, way, is_companion=companion)


PLAN = Plan(
    "0" * 32,
    "/to",
    Way.COPY,
    (
        planned("/in/b.jpg", "/to/dogs/b.jpg", "dogs"),
        planned("/in/a.jpg", "/to/cats/a (2).jpg", "cats"),
        planned("/in/a.xmp", "/to/cats/a (2).xmp", "cats", companion=True),
    ),
    (
        Conflict("/in/a.jpg", K.RENAMED, "/to/cats/a (2).jpg"),
        Conflict("/in/gone.jpg", K.SOURCE_MISSING),
        Conflict("/in/here.jpg", K.ALREADY_THERE, "/to/cats/here.jpg"),
        Conflict("/in/a.cr2", K.LINK),
        Conflict("/in/a.cr2", K.GROUP_STAYS),
    ),
)


def test_what_goes_comes_first_with_what_is_to_be_said_of_it() -> None:
    table = rows(PLAN)
    assert [row.path for row in table] == [
        "/in/b.jpg", "/in/a.jpg", "/in/a.xmp", "/in/gone.jpg", "/in/here.jpg", "/in/a.cr2",
    ]  # fmt: skip
    assert [row.file for row in table] == [*PLAN.files, None, None, None]
    assert table[0].conflicts == ()
    assert table[1].conflicts == (PLAN.conflicts[0],)
    assert [conflict.kind for conflict in table[5].conflicts] == [K.LINK, K.GROUP_STAYS]


def test_no_conflict_is_lost_on_the_way_to_the_table() -> None:
    assert sum(len(row.conflicts) for row in rows(PLAN)) == len(PLAN.conflicts)


def test_categories_are_counted_with_their_folder() -> None:
    cats, dogs = category_counts(PLAN)
    assert (cats.category, cats.folder, cats.pictures, cats.companions, cats.size) == (
        "cats",
        "/to/cats",
        1,
        1,
        20,
    )
    assert (dogs.category, dogs.pictures, dogs.companions) == ("dogs", 1, 0)


def test_sidecars_have_no_folder_of_the_category() -> None:
    file = planned("/in/a.jpg", "/in/a.jpg.xmp", "cats", way=Way.SIDECAR)
    (count,) = category_counts(Plan("0" * 32, "/to", Way.SIDECAR, (file,)))
    assert count.folder == ""


def test_conflicts_are_counted_by_kind() -> None:
    assert conflict_counts(PLAN)[K.LINK] == 1
    assert sum(conflict_counts(PLAN).values()) == len(PLAN.conflicts)


def test_what_stays_is_counted_once_and_what_is_there_not_at_all() -> None:
    assert left_out(PLAN) == 2


def test_an_empty_plan_has_an_empty_table() -> None:
    empty = Plan("0" * 32, "/to", Way.MOVE)
    assert rows(empty) == []
    assert category_counts(empty) == []
    assert left_out(empty) == 0
