"""Whatever a person does, in any order: the document stays whole, undo is exact, the file agrees."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.command_codec import CodecError, decode, encode, kind_of
from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddCategory,
    AddExamples,
    ChooseBackbone,
    ChooseDevice,
    ChooseLearner,
    Command,
    CommandError,
    LabelNoneOfThese,
    LabelPictures,
    MergeCategories,
    MoveCategory,
    RecolourCategory,
    RemoveCategory,
    RemoveExamples,
    RenameCategory,
    SetShortcut,
    SetThreshold,
    Together,
    WithdrawLabels,
    name_key,
)
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import PALETTE_SIZE, CategoryId, Document, Example
from fewshot_gui.engine.timeline import Timeline
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Few ids and names, so that they meet each other often.
ids = st.integers(0, 15).map(lambda number: CategoryId(f"{number:032x}"))
pictures = st.integers(0, 12).map(lambda number: PictureId(f"{number:032x}"))
picture_lists = st.lists(pictures, max_size=4).map(tuple)
names = st.one_of(
    st.sampled_from(["Cat", "cat", "CAT ", "STRASSE", "straße", "é", "e\u0301", "a/b"]), st.text(max_size=5)
)
times = st.one_of(st.just(()), st.lists(st.sampled_from(["", "2026-01-02"]), max_size=3).map(tuple))
examples = st.builds(Example, pictures, st.sampled_from(["camera", "/a/ü.jpg", "/b/\udcff.jpg"]))

single_commands: SearchStrategy[Command] = st.one_of(
    st.builds(AddCategory, ids, names),
    st.builds(AddCategory, ids, names, st.sampled_from(["", "e", "2", "É", "ab"])),
    st.builds(RenameCategory, ids, names),
    st.builds(RecolourCategory, ids, st.integers(-1, PALETTE_SIZE)),
    st.builds(SetShortcut, ids, st.sampled_from(["", "1", "2", "a", "A", "é", "ab", " "])),
    st.builds(MoveCategory, ids, st.integers(-2, 20)),
    st.builds(MergeCategories, ids, ids),
    st.builds(RemoveCategory, ids),
    st.builds(AddExamples, ids, st.lists(examples, max_size=4).map(tuple)),
    st.builds(AddExamples, ids, st.lists(examples, max_size=4).map(tuple)),
    st.builds(RemoveExamples, picture_lists),
    st.builds(AcceptLabels, picture_lists, st.one_of(ids, st.none()), times),
    st.builds(LabelPictures, picture_lists, ids, times),
    st.builds(LabelNoneOfThese, picture_lists, times),
    st.builds(WithdrawLabels, picture_lists),
    st.builds(ChooseLearner, st.sampled_from(["prototypical", "ridge", ""])),
    st.builds(ChooseBackbone, st.sampled_from(["photo", "omniglot-conv4"])),
    st.builds(ChooseDevice, st.sampled_from(["auto", "cpu", "cuda:0"])),
    st.builds(SetThreshold, st.one_of(st.none(), st.floats(0, 1), st.just(2.0))),
)
commands: SearchStrategy[Command] = st.one_of(
    single_commands, st.lists(single_commands, max_size=3).map(lambda parts: Together(tuple(parts)))
)


def check_invariants(document: Document) -> None:
    """What holds for every document that commands can make."""
    categories = document.categories
    every_picture = document.pictures()
    assert len(set(every_picture)) == len(every_picture)
    assert len({category.id for category in categories}) == len(categories)
    assert len({name_key(category.name) for category in categories}) == len(categories)
    shortcuts = [category.shortcut for category in categories if category.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)
    assert document.labels.keys().isdisjoint(every_picture)
    assert {said.category for said in document.labels.values()} <= {None, *(one.id for one in categories)}
    for category in categories:
        assert category.name
        assert 0 <= category.colour < PALETTE_SIZE
        assert len(category.shortcut) <= 1
        assert category.pictures == {example.picture for example in category.examples}
        assert all(document.owner(picture) == category.id for picture in category.pictures)


Action = Command | Literal["undo", "redo"]
actions: SearchStrategy[list[Action]] = st.lists(
    st.one_of(commands, commands, st.sampled_from(["undo", "redo"])), max_size=40
)


def act(on: Timeline | Session, action: Action) -> bool:
    """Do it; False where that is impossible."""
    try:
        if action == "undo":
            on.undo()
        elif action == "redo":
            on.redo()
        else:
            on.do(action)
    except (CommandError, IndexError):
        return False
    return True


@given(actions)
def test_the_document_stays_whole(taken: list[Action]) -> None:
    timeline = Timeline()
    for action in taken:
        act(timeline, action)
        check_invariants(timeline.document)


@given(actions, commands)
def test_undo_of_do_and_redo_of_undo_are_exact(taken: list[Action], command: Command) -> None:
    timeline = Timeline()
    for action in [*taken, RemoveExamples(())]:
        act(timeline, action)
    before, position = timeline.document, timeline.position
    continues = isinstance(command, SetThreshold) and isinstance(timeline.undo_command, SetThreshold)
    if not act(timeline, command) or timeline.document == before or continues:
        return
    after = timeline.document
    timeline.undo()
    assert (timeline.document, timeline.position) == (before, position)
    timeline.redo()
    assert timeline.document == after
    assert timeline.redo_command is None


@given(actions)
def test_undo_leads_back_to_the_empty_document_and_redo_to_the_end(taken: list[Action]) -> None:
    timeline = Timeline()
    for action in taken:
        act(timeline, action)
    while timeline.redo_command:
        timeline.redo()
    last = timeline.document
    while timeline.undo_command:
        timeline.undo()
        check_invariants(timeline.document)
    assert timeline.document == Document()
    while timeline.redo_command:
        timeline.redo()
    assert timeline.document == last


@given(actions)
def test_an_impossible_command_changes_nothing(taken: list[Action]) -> None:
    timeline = Timeline()
    for action in taken:
        before = timeline.document, timeline.position, len(timeline)
        if not act(timeline, action):
            assert (timeline.document, timeline.position, len(timeline)) == before


@given(commands)
def test_a_command_comes_back_from_json(command: Command) -> None:
    payload = encode(command)
    assert payload.isascii()
    assert decode(kind_of(command), payload) == command


def test_what_came_later_stands_in_a_file_only_where_it_says_something() -> None:
    assert encode(AddCategory(CategoryId("a"), "b")) == '{"id":"a","name":"b"}'
    assert encode(LabelNoneOfThese(())) == '{"pictures":[]}'
    assert encode(AcceptLabels((), None)) == '{"pictures":[],"category":null}'


@given(
    st.text(max_size=20),
    st.sampled_from(["AddCategory", "AddExamples", "Together", "SetThreshold", "Nothing"]),
)
def test_other_texts_are_no_command(payload: str, kind: str) -> None:
    with pytest.raises(CodecError):
        decode(kind, payload)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("AddCategory", '{"id": 1, "name": "a"}'),
        ("AddCategory", '{"id": "a"}'),
        ("AddCategory", '{"id": "a", "name": "b", "more": 1}'),
        ("RecolourCategory", '{"id": "a", "colour": "red"}'),
        ("AddExamples", '{"category": "a", "examples": [["a"]]}'),
        ("AddExamples", '{"category": "a", "examples": [[1, "b"]]}'),
        ("RemoveExamples", '{"pictures": [null]}'),
        ("AcceptLabels", '{"pictures": [1], "category": null}'),
        ("AcceptLabels", '{"pictures": null, "category": null}'),
        ("AcceptLabels", '{"pictures": "ab", "category": null}'),
        ("AcceptLabels", '{"pictures": []}'),
        ("AcceptLabels", '{"pictures": [], "category": 1}'),
        ("LabelPictures", '{"pictures": [], "category": null}'),
        ("LabelPictures", '{"pictures": [], "category": "a", "times": [1]}'),
        ("LabelPictures", '{"pictures": [], "category": "a", "times": "now"}'),
        ("AddCategory", '{"id": "a", "name": "b", "key": 1}'),
        ("Together", '{"commands": [["Nothing", {}]]}'),
        ("Together", '{"commands": ' + "[" * 5000),
    ],
)
def test_json_of_the_wrong_shape_is_no_command(kind: str, payload: str) -> None:
    with pytest.raises(CodecError):
        decode(kind, payload)


@settings(max_examples=25, deadline=None)
@given(actions)
def test_a_session_that_is_opened_again_equals_the_one_in_memory(taken: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker("disk", lambda call: call())
        session = Session.create(Path(folder) / "a.fewshot", worker)
        for action in taken:
            act(session, action)
        document, undo, redo = session.document, session.undo_command, session.redo_command
        assert session.close()

        again = Session.open(Path(folder) / "a.fewshot", worker)
        assert (again.document, again.undo_command, again.redo_command) == (document, undo, redo)
        while again.can_undo:
            again.undo()
        assert again.document == Document()
        assert again.close()
        assert worker.close(10)
