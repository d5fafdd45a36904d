"""When a picture was decided: the last time that a person said it, whatever else was done since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddCategory,
    AddExamples,
    Command,
    CommandError,
    LabelNoneOfThese,
    LabelPictures,
    MergeCategories,
    RemoveCategory,
    RemoveExamples,
    RenameCategory,
    Together,
    WithdrawLabels,
)
from fewshot_gui.engine.deciding.moments import moments
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import By, CategoryId, Document, Example
from fewshot_gui.engine.timeline import Timeline
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

CAT, DOG = CategoryId("c"), CategoryId("d")
A, B, C, D = (PictureId(name) for name in "ABCD")
START = (AddCategory(CAT, "Cats"), AddCategory(DOG, "Dogs"))


def teach(category: CategoryId, *pictures: PictureId) -> Command:
    return AddExamples(category, tuple(Example(picture, "a") for picture in pictures))


def kind(document: Document, picture: PictureId) -> str:
    """Return who says what the picture is, and nothing where nobody does."""
    if document.owner(picture) is not None:
        return "example"
    said = document.labels.get(picture)
    return "" if said is None else "accepted" if said.by is By.ACCEPTED else "human"


def told(timeline: Timeline) -> dict[PictureId, str]:
    """Return when each picture of the present document was decided."""
    found = moments(timeline.steps)
    document = timeline.document
    return {picture: found[word][picture] for picture in (A, B, C, D) if (word := kind(document, picture))}  # type: ignore[index]


def timeline_of(*commands: Command) -> Timeline:
    """Return a timeline with the commands at 1, 2, 3, ..."""
    timeline = Timeline(START)
    for number, command in enumerate(commands, start=1):
        timeline.do(command, at=str(number))
    return timeline


def test_each_word_has_its_moment() -> None:
    timeline = timeline_of(
        teach(CAT, A), LabelPictures((B,), DOG), Together((AcceptLabels((C,), CAT), LabelNoneOfThese((D,))))
    )
    assert told(timeline) == {A: "1", B: "2", C: "3", D: "3"}


def test_a_suggestion_that_came_too_late_changes_no_moment() -> None:
    timeline = timeline_of(teach(CAT, A), LabelPictures((B,), DOG), AcceptLabels((A, B, C), CAT))
    assert told(timeline) == {A: "1", B: "2", C: "3"}


def test_what_is_said_anew_is_said_then() -> None:
    timeline = timeline_of(
        AcceptLabels((A, B), CAT), LabelPictures((A,), DOG), WithdrawLabels((B,)), AcceptLabels((B,), DOG)
    )
    assert told(timeline) == {A: "2", B: "4"}


def test_merging_and_renaming_leave_the_moments() -> None:
    timeline = timeline_of(
        teach(CAT, A), AcceptLabels((B,), CAT), RenameCategory(CAT, "Lions"), MergeCategories(CAT, DOG)
    )
    assert timeline.document.owner(A) == DOG
    assert told(timeline) == {A: "1", B: "2"}


def test_undo_and_redo_bring_the_moments_of_then() -> None:
    timeline = timeline_of(LabelPictures((A,), CAT), LabelPictures((A,), DOG))
    timeline.undo()
    assert told(timeline) == {A: "1"}
    timeline.redo()
    assert told(timeline) == {A: "2"}
    timeline.undo()
    timeline.do(LabelPictures((B,), CAT), at="9")
    assert told(timeline) == {A: "1", B: "9"}


def test_a_gesture_was_done_at_its_end() -> None:
    timeline, gesture = Timeline(START), object()
    timeline.do(teach(CAT, A), gesture=gesture, at="1")
    timeline.do(teach(CAT, B), gesture=gesture, at="2")
    assert len(timeline) == 3
    assert told(timeline) == {A: "2", B: "2"}


def test_labels_that_were_brought_in_keep_the_moments_they_came_with() -> None:
    timeline = timeline_of(LabelPictures((A, B), CAT, ("2026-01-01", "")), AcceptLabels((C, D), None, ("x",)))
    assert told(timeline) == {A: "2026-01-01", B: "1", C: "x", D: "2"}


def test_a_moment_is_told_to_the_second_and_what_is_none_as_it_is() -> None:
    step = LabelPictures((A,), CAT)
    assert moments([("2026-01-02T03:04:05.678901+00:00", step)])["human"][A] == "2026-01-02T03:04:05+00:00"
    assert moments([("", step)])["human"][A] == ""


def test_the_moments_survive_a_restart(tmp_path: Path) -> None:
    disk = Worker("disk", lambda call: call())
    try:
        session = Session.create(tmp_path / "s.fewshot", disk)
        for command in (
            *START,
            LabelPictures((A,), CAT),
            AcceptLabels((B,), CAT, ("2025-05-05",)),
            teach(CAT, C),
        ):
            session.do(command)
        session.undo()
        before = session.steps
        assert [command for _at, command in before][:2] == list(START)
        assert all(at.endswith("+00:00") for at, _command in before)
        assert session.close()
        session = Session.open(tmp_path / "s.fewshot", disk)
        assert session.steps == before
        session.redo()
        assert len(session.steps) == len(before) + 1
        assert moments(session.steps)["accepted"][B] == "2025-05-05"
        assert session.close()
    finally:
        disk.close(10)


pictures = st.lists(st.sampled_from([A, B, C, D]), min_size=1, max_size=3, unique=True).map(tuple)
categories = st.sampled_from([CAT, DOG])
single: SearchStrategy[Command] = st.one_of(
    st.builds(AddCategory, categories, st.sampled_from(["Cats", "Dogs"])),
    st.builds(lambda category, some: teach(category, *some), categories, pictures),
    st.builds(RemoveExamples, pictures),
    st.builds(AcceptLabels, pictures, st.one_of(categories, st.none())),
    st.builds(LabelPictures, pictures, categories),
    st.builds(LabelNoneOfThese, pictures),
    st.builds(WithdrawLabels, pictures),
    st.builds(RemoveCategory, categories),
    st.builds(MergeCategories, categories, categories),
)


@given(st.lists(st.one_of(single, st.lists(single, max_size=3).map(lambda some: Together(tuple(some))))))
def test_since_its_moment_a_picture_has_been_what_it_is(commands: list[Command]) -> None:
    timeline = Timeline(START)
    documents = {"": timeline.document}
    for number, command in enumerate(commands):
        try:
            timeline.do(command, at=str(number))
        except CommandError:
            continue
        documents[str(number)] = timeline.document
    for picture, moment in told(timeline).items():
        present = kind(timeline.document, picture)
        since = [document for at, document in documents.items() if at and int(at) >= int(moment)]
        assert {kind(document, picture) for document in since} == {present}


@pytest.mark.parametrize("times", [("1",), ("1", "2", "3")])
def test_times_that_do_not_match_the_pictures_do_no_harm(times: tuple[str, ...]) -> None:
    assert list(moments([("0", LabelPictures((A, B), CAT, times))])["human"]) == [A, B]
