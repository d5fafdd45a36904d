"""Labels that come back find their pictures: by path, by name, and after all by content."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.images.identity import PictureId, file_id
from fewshot_gui.engine.commands import AcceptLabels, LabelNoneOfThese, LabelPictures
from fewshot_gui.engine.exports.gathering import Found, gather, labels_of, match, read_labels
from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.sorting.plan import Decided, Machine
from fewshot_gui.engine.state import CategoryId

if TYPE_CHECKING:
    from pathlib import Path

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-02T00:00:00+00:00"


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three files in a gallery; their bytes need not be pictures."""
    result = [tmp_path / "gallery" / f"{number}.png" for number in range(3)]
    for path in result:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(path.name.encode())
    return result


def human(path: object, category: str = "Cats") -> Labelled:
    return Labelled(str(path), category, SaidBy.HUMAN)


def test_what_was_decided_becomes_rows_with_their_provenance() -> None:
    machine = Machine("ridge", "photo", "ab")
    decided = [
        Decided("/a.jpg", "Cats", "machine", 0.9, at=LATE, machine=machine),
        Decided("/b.jpg", "", "human", at=EARLY, machine=machine),
    ]
    rows = gather(decided)
    assert [(row.path, row.category, row.said_by, row.probability) for row in rows] == [
        ("/a.jpg", "Cats", SaidBy.MACHINE, 0.9), ("/b.jpg", "", SaidBy.HUMAN, None)
    ]  # fmt: skip
    assert [row.at for row in rows] == [LATE, EARLY]
    assert {(row.learner, row.backbone, row.weights) for row in rows} == {("ridge", "photo", "ab")}


def test_what_was_read_is_said_again_as_it_was_and_when() -> None:
    cats, a, b, c, d = CategoryId("cats"), *(PictureId(name) for name in "abcd")
    found = [
        Found("a", a, "Cats", SaidBy.HUMAN, EARLY),
        Found("b", b, "Cats", SaidBy.ACCEPTED, LATE),
        Found("c", c, "", SaidBy.HUMAN),
        Found("d", d, "Cats", SaidBy.MACHINE),
    ]
    assert labels_of(found, {"Cats": cats}) == [
        LabelPictures((a, d), cats, (EARLY, "")),
        AcceptLabels((b,), cats, (LATE,)),
        LabelNoneOfThese((c,)),
    ]


def test_a_moment_comes_back_where_a_person_said_it_and_it_is_one(pictures: list[Path]) -> None:
    rows = [
        replace(human(pictures[0]), at=EARLY),
        replace(human(pictures[1]), at="on Tuesday"),
        replace(human(pictures[2]), at=LATE, said_by=SaidBy.MACHINE),
    ]
    assert [each.at for each in match(rows, {}).found] == [EARLY, "", ""]


def test_a_path_of_the_gallery_is_not_read_again(pictures: list[Path]) -> None:
    known = {str(pictures[0]): PictureId("as the gallery says")}
    assert match([human(pictures[0])], known).found == (
        Found(str(pictures[0]), PictureId("as the gallery says"), "Cats"),
    )


def test_a_copy_elsewhere_is_the_same_picture(pictures: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "classes" / "Cats" / "renamed.png"
    copy.parent.mkdir(parents=True)
    shutil.copy(pictures[1], copy)
    known = {str(path): file_id(path) for path in pictures}
    [found] = match(read_labels(tmp_path / "classes"), known).found
    assert (found.picture, found.category) == (known[str(pictures[1])], "Cats")


def test_a_table_of_another_computer_finds_pictures_by_a_name_that_is_there_once(
    pictures: list[Path],
) -> None:
    known: dict[str, PictureId | None] = {str(path): None for path in pictures}
    matched = match([human("D:/photos/2.png".replace("D:", "/gone"))], known)
    assert matched.found == (Found(str(pictures[2]), file_id(pictures[2]), "Cats"),)


def test_a_name_that_is_there_twice_says_nothing(pictures: list[Path], tmp_path: Path) -> None:
    known = {str(pictures[0]): PictureId("a"), str(tmp_path / "other" / "0.png"): PictureId("b")}
    matched = match([human("/gone/0.png")], known)
    assert matched.found == ()
    assert matched.unmatched == (("/gone/0.png", "Cats"),)


def test_of_two_labels_of_one_picture_the_last_counts(pictures: list[Path]) -> None:
    matched = match([human(pictures[0]), human(pictures[0], "Dogs")], {})
    assert [each.category for each in matched.found] == ["Dogs"]


def test_an_empty_file_and_a_folder_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    matched = match([human(tmp_path / "empty.png"), human(tmp_path)], {})
    assert len(matched.unmatched) == 2


def test_stopping_leaves_the_rest_unmatched_and_progress_is_told(pictures: list[Path]) -> None:
    told: list[int] = []
    matched = match(map(human, pictures), {}, cancelled=lambda: len(told) >= 1, progress=told.append)
    assert len(matched.found) == 1
    assert len(matched.unmatched) == 2
    assert told == [1, 2, 3]
