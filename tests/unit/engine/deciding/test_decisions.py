"""What was decided of every file: who said it, and that a person's word counts first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddCategory,
    AddExamples,
    Command,
    LabelNoneOfThese,
    LabelPictures,
    RemoveCategory,
    Together,
)
from fewshot_gui.engine.deciding.decisions import Decisions, decide
from fewshot_gui.engine.deciding.moments import moments
from fewshot_gui.engine.deciding.piles import Pile, sort_into_piles
from fewshot_gui.engine.sorting.plan import Machine
from fewshot_gui.engine.state import CategoryId, Document, Example

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.scores import Scores

CAT, DOG = CategoryId("cat"), CategoryId("dog")
A, B, C, D, E = (PictureId(name) for name in "ABCDE")
FILES = [PictureFile(f"/photos/{name}.jpg", 10, 20) for name in "abcde"]


def document(*commands: Command) -> Document:
    start = (AddCategory(CAT, "Cats"), AddCategory(DOG, "Dogs"), AddExamples(CAT, (Example(A, "a"),)))
    return Together((*start, *commands)).apply(Document())


@pytest.fixture
def scores(make_scores: Callable[..., Scores]) -> Scores:
    return make_scores([[0.9, 0.1], [1, 0], [1, 0], [1, 0], [0.3, 0.7]], novelty=[0, 0, 0, 9, 0], cutoff=1.0)


def told(
    scores: Scores, state: Document, machine: tuple[Pile, ...] = (Pile.SURE,), none_name: str | None = None
) -> Decisions:
    piles = sort_into_piles(scores, 0.5)
    return decide(FILES, [A, B, C, D, E], scores, piles, state, machine=machine, none_name=none_name)


def words(decisions: Decisions) -> list[tuple[str, str, str]]:
    return [(one.path[8:9], one.category, one.by) for one in decisions.decided]


def test_each_file_tells_who_decided(scores: Scores) -> None:
    decisions = told(scores, document(LabelPictures((C,), DOG), AcceptLabels((E,), DOG)))
    assert words(decisions) == [
        ("a", "Cats", "example"), ("b", "Cats", "machine"), ("c", "Dogs", "human"), ("e", "Dogs", "accepted")
    ]  # fmt: skip
    assert (decisions.undecided, decisions.none_of_these) == (1, 0)
    assert [round(one.probability or 0, 3) for one in decisions.decided] == [0.9, 1, 0, 0.7]
    first = decisions.decided[0]
    assert (first.picture, first.size, first.mtime_ns) == (A, 10, 20)


def test_only_the_chosen_piles_go_unseen(scores: Scores) -> None:
    assert words(told(scores, document(), machine=())) == [("a", "Cats", "example")]
    everything = told(scores, document(), machine=(Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE))
    assert [path for path, _, _ in words(everything)] == ["a", "b", "c", "e"]
    assert everything.none_of_these == 1


def test_of_some_files_alone_nothing_is_said_of_the_others(scores: Scores) -> None:
    piles, ids = sort_into_piles(scores, 0.5), [A, B, C, D, E]
    some = decide(
        FILES, ids, scores, piles, document(), only={"/photos/b.jpg", "/photos/e.jpg", "/elsewhere"}
    )
    assert words(some) == [("b", "Cats", "machine")]
    assert (some.undecided, some.none_of_these) == (1, 0)


def test_none_of_these_stays_or_goes_into_a_folder_of_its_own(scores: Scores) -> None:
    state = document(LabelNoneOfThese((B,)), AcceptLabels((D,), None))
    assert told(scores, state).none_of_these == 2
    there = told(scores, state, none_name="Other")
    assert [word for word in words(there) if word[1] == "Other"] == [
        ("b", "Other", "human"), ("d", "Other", "accepted")
    ]  # fmt: skip
    assert there.none_of_these == 0
    assert [one.probability for one in there.decided if one.category == "Other"] == [None, None]


def test_a_human_label_counts_though_the_scores_are_of_before(scores: Scores) -> None:
    assert ("b", "Dogs", "human") in words(told(scores, document(LabelPictures((B,), DOG))))


def test_a_category_that_is_gone_takes_no_file(scores: Scores) -> None:
    decisions = told(scores, RemoveCategory(CAT).apply(document()))
    assert decisions.decided == ()
    assert decisions.undecided == 5


def test_a_file_whose_content_is_not_known_stays(scores: Scores) -> None:
    piles = sort_into_piles(scores, 0.5)
    files = [*FILES, PictureFile("/photos/f.jpg", 1, 1)]
    decisions = decide(files, [None] * 6, scores, piles, document())
    assert (decisions.decided, decisions.undecided) == ((), 6)


def test_each_file_tells_when_it_was_decided_and_what_gave_the_probability(scores: Scores) -> None:
    steps: list[tuple[str, Command]] = [
        ("2026-01-01T10:00:00.25+00:00", AddExamples(CAT, (Example(A, "a"),))),
        ("2026-01-01T11:00:00+00:00", Together((LabelPictures((C,), DOG), AcceptLabels((E,), DOG)))),
    ]
    machine = Machine("ridge", "photo", "0123456789abcdef")
    decisions = decide(
        FILES, [A, B, C, D, E], scores, sort_into_piles(scores, 0.5),
        document(LabelPictures((C,), DOG), AcceptLabels((E,), DOG)),
        when=moments(steps), at="2026-02-02T00:00:00+00:00", made_by=machine,
    )  # fmt: skip
    assert [(one.by, one.at[:13]) for one in decisions.decided] == [
        ("example", "2026-01-01T10"), ("machine", "2026-02-02T00"),
        ("human", "2026-01-01T11"), ("accepted", "2026-01-01T11"),
    ]  # fmt: skip
    assert {one.machine for one in decisions.decided} == {machine}


def test_rows_that_are_newer_than_the_scores_go_where_a_person_said(scores: Scores) -> None:
    piles = sort_into_piles(scores, 0.5)
    newer = PictureId("newer")
    files = [*FILES, PictureFile("/photos/f.jpg", 1, 1)]
    state = document(LabelPictures((newer,), CAT))
    decisions = decide(files, [A, B, C, D, E, newer], scores, piles, state)
    assert words(decisions)[-1] == ("f", "Cats", "human")
    assert decisions.decided[-1].probability is None
    assert decisions.decided[-1].at == ""
