"""What is accepted or said without teaching: who wins over whom, and what becomes of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddCategory,
    AddExamples,
    Command,
    CommandError,
    CommandProblem,
    LabelNoneOfThese,
    LabelPictures,
    MergeCategories,
    MoveCategory,
    RemoveCategory,
    RemoveExamples,
    Together,
    WithdrawLabels,
)
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import NO_LABELS, By, CategoryId, Decision, Document, Example
from fewshot_gui.engine.timeline import Timeline
from fewshot_gui.engine.worker import Worker

CAT, DOG, NOBODY = CategoryId("c"), CategoryId("d"), CategoryId("n")
A, B, C, D = (PictureId(name) for name in "ABCD")


def after(*commands: Command) -> Document:
    start = (AddCategory(CAT, "Cats"), AddCategory(DOG, "Dogs"), AddExamples(CAT, (Example(A, "a.jpg"),)))
    return Together((*start, *commands)).apply(Document())


def said(document: Document) -> dict[PictureId, tuple[CategoryId | None, str]]:
    return {picture: (decision.category, decision.by.value) for picture, decision in document.labels.items()}


def test_an_accepted_suggestion_is_a_label_and_no_example() -> None:
    document = after(AcceptLabels((B, C), CAT), AcceptLabels((D,), None))
    assert said(document) == {B: (CAT, "accepted"), C: (CAT, "accepted"), D: (None, "accepted")}
    assert document.pictures() == (A,)


def test_the_label_of_a_person_wins_over_what_is_accepted_later() -> None:
    document = after(LabelPictures((B,), DOG), LabelNoneOfThese((C,)), AcceptLabels((A, B, C, D), CAT))
    assert said(document) == {B: (DOG, "human"), C: (None, "human"), D: (CAT, "accepted")}
    assert document.owner(A) == CAT


def test_a_person_overrules_what_was_accepted() -> None:
    document = after(AcceptLabels((B, C), CAT), LabelPictures((B,), DOG), LabelNoneOfThese((C,)))
    assert said(document) == {B: (DOG, "human"), C: (None, "human")}


def test_a_newer_suggestion_replaces_an_accepted_one() -> None:
    assert said(after(AcceptLabels((B,), CAT), AcceptLabels((B,), DOG))) == {B: (DOG, "accepted")}


def test_an_example_that_is_said_to_be_something_else_teaches_no_more() -> None:
    document = after(LabelPictures((A,), DOG))
    assert document.owner(A) is None
    assert said(document) == {A: (DOG, "human")}
    assert after(LabelNoneOfThese((A,))).owner(A) is None


def test_an_example_that_is_said_to_be_what_it_is_stays_one() -> None:
    assert after(LabelPictures((A,), CAT)) == after()


def test_teaching_a_labelled_picture_makes_it_an_example() -> None:
    document = after(LabelPictures((B,), CAT), AddExamples(DOG, (Example(B, "b.jpg"),)))
    assert document.owner(B) == DOG
    assert document.labels == NO_LABELS


def test_a_withdrawn_label_is_gone_and_an_example_stays() -> None:
    document = after(AcceptLabels((B,), CAT), LabelNoneOfThese((C,)), WithdrawLabels((A, B, C, D)))
    assert document.labels == NO_LABELS
    assert document.owner(A) == CAT


def test_labels_go_with_their_category_and_merge_with_it() -> None:
    labelled = after(AcceptLabels((B,), CAT), LabelPictures((C,), DOG), LabelNoneOfThese((D,)))
    assert said(RemoveCategory(CAT).apply(labelled)) == {C: (DOG, "human"), D: (None, "human")}
    merged = MergeCategories(CAT, DOG).apply(labelled)
    assert said(merged) == {B: (DOG, "accepted"), C: (DOG, "human"), D: (None, "human")}


def test_labelimg_592_another_order_of_categories_changes_no_label() -> None:
    """labelImg#592: the list of classes changed its order, and every label meant another class."""
    labelled = after(AcceptLabels((B,), CAT), LabelPictures((C,), DOG))
    assert MoveCategory(DOG, 0).apply(labelled).labels is labelled.labels
    assert said(AddCategory(NOBODY, "Ants").apply(labelled)) == said(labelled)


@pytest.mark.parametrize("command", [AcceptLabels((B,), NOBODY), LabelPictures((B,), NOBODY)])
def test_no_label_without_its_category(command: Command) -> None:
    with pytest.raises(CommandError) as caught:
        after(command)
    assert caught.value.kind is CommandProblem.UNKNOWN_CATEGORY


def test_what_changes_nothing_is_no_step() -> None:
    timeline = Timeline([AddCategory(CAT, "Cats"), AcceptLabels((B,), CAT)])
    assert timeline.do(AcceptLabels((B,), CAT)) is None
    assert timeline.do(WithdrawLabels((C,))) is None
    assert timeline.do(AcceptLabels((), CAT)) is None


def test_a_pile_is_undone_at_once() -> None:
    pile = tuple(PictureId(f"{index:032x}") for index in range(3000))
    timeline = Timeline([AddCategory(CAT, "Cats")])
    timeline.do(AcceptLabels(pile, CAT))
    assert len(timeline.document.labels) == 3000
    timeline.undo()
    assert timeline.document.labels == NO_LABELS
    timeline.redo()
    assert timeline.document.labels[pile[2999]] == Decision(CAT, By.ACCEPTED)


pictures = st.lists(st.integers(0, 9).map(lambda number: PictureId(str(number))), max_size=4).map(tuple)
categories = st.sampled_from([CAT, DOG, NOBODY])


class Labelling(RuleBasedStateMachine):
    """A person who teaches, accepts, says, removes, merges, undoes and redoes, beside a plain model of it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._worker = Worker("disk", lambda call: call())
        self._session = Session.create(Path(self._folder.name) / "a.fewshot", self._worker)

    def _do(self, command: Command) -> tuple[Document, Document]:
        before = self._session.document
        try:
            self._session.do(command)
        except CommandError:
            assert self._session.document == before
        return before, self._session.document

    @rule(category=categories)
    def add(self, category: CategoryId) -> None:
        self._do(AddCategory(category, f"the {category}"))

    @rule(some=pictures, category=categories)
    def teach(self, some: tuple[PictureId, ...], category: CategoryId) -> None:
        _, now = self._do(AddExamples(category, tuple(Example(picture, "x") for picture in some)))
        if category in now:
            assert all(now.owner(picture) == category for picture in some)

    @rule(some=pictures)
    def forget(self, some: tuple[PictureId, ...]) -> None:
        before, now = self._do(RemoveExamples(some))
        assert now.labels is before.labels

    @rule(some=pictures, category=st.one_of(categories, st.none()))
    def accept(self, some: tuple[PictureId, ...], category: CategoryId | None) -> None:
        before, now = self._do(AcceptLabels(some, category))
        assert now.categories == before.categories
        humans = {picture: word for picture, word in before.labels.items() if word.by is By.HUMAN}
        assert humans.items() <= dict(now.labels).items(), "a machine's label was written over a human one"

    @rule(some=pictures, category=categories)
    def label(self, some: tuple[PictureId, ...], category: CategoryId) -> None:
        _, now = self._do(LabelPictures(some, category))
        if category in now:
            human = Decision(category, By.HUMAN)
            assert all(now.labels.get(p) == human or now.owner(p) == category for p in some)

    @rule(some=pictures)
    def none_of_these(self, some: tuple[PictureId, ...]) -> None:
        _, now = self._do(LabelNoneOfThese(some))
        assert all(now.labels[picture] == Decision(None, By.HUMAN) for picture in some)

    @rule(some=pictures)
    def withdraw(self, some: tuple[PictureId, ...]) -> None:
        _, now = self._do(WithdrawLabels(some))
        assert now.labels.keys().isdisjoint(some)

    @rule(category=categories)
    def remove(self, category: CategoryId) -> None:
        self._do(RemoveCategory(category))

    @rule(source=categories, into=categories)
    def merge(self, source: CategoryId, into: CategoryId) -> None:
        before, now = self._do(MergeCategories(source, into))
        assert before.labels.keys() == now.labels.keys()

    @rule()
    def undo_and_redo(self) -> None:
        here = self._session.document
        if self._session.can_undo:
            self._session.undo()
            self._session.redo()
        assert self._session.document == here

    @rule()
    def undo(self) -> None:
        self._session.undo()

    @rule()
    def open_again(self) -> None:
        document = self._session.document
        assert self._session.close()
        self._session = Session.open(self._session.path, self._worker)
        assert self._session.document == document

    @invariant()
    def a_picture_is_taught_or_labelled_never_both(self) -> None:
        document = self._session.document
        assert document.labels.keys().isdisjoint(document.pictures())
        assert all(word.category is None or word.category in document for word in document.labels.values())

    def teardown(self) -> None:
        assert self._session.close()
        assert self._worker.close(10)
        self._folder.cleanup()


Labelling.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestLabelling = Labelling.TestCase
