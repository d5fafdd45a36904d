"""Answers: commands that carry the picture they are about, and no word over a person's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AcceptLabels, AddCategory, LabelPictures, Together
from fewshot_gui.engine.deciding.answers import accept_rows, show
from fewshot_gui.engine.deciding.piles import Pile, sort_into_piles
from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said
from fewshot_gui.engine.state import By, CategoryId, Decision, Document
from fewshot_gui.engine.taught import RowIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.scores import Scores

CAT, DOG = CategoryId("cat"), CategoryId("dog")
Ids = list[PictureId | None]


def test_a_pile_is_one_command(make_scores: Callable[..., Scores], ids: Ids) -> None:
    scores = make_scores([[1, 0], [0, 1], [0.5, 0.5], [1, 0]])
    piles = sort_into_piles(scores, 0.5)
    command = accept_rows(piles.rows(Pile.SURE).tolist(), ids, scores)
    assert command == Together(
        (AcceptLabels((ids[0], ids[3]), CAT), AcceptLabels((ids[1],), DOG))  # type: ignore[arg-type]
    )
    one = accept_rows(piles.rows(Pile.SURE, DOG).tolist(), ids, scores)
    assert one == AcceptLabels((ids[1],), DOG)  # type: ignore[arg-type]


def test_the_pile_of_none_of_these_is_accepted_as_such(make_scores: Callable[..., Scores], ids: Ids) -> None:
    scores = make_scores([[1, 0], [0, 1]], novelty=[0, 9], cutoff=1.0)
    command = accept_rows(sort_into_piles(scores, 0.5).rows(Pile.NONE_OF_THESE).tolist(), ids, scores)
    assert command == AcceptLabels((ids[1],), None)  # type: ignore[arg-type]


def test_nothing_to_accept_is_no_command(make_scores: Callable[..., Scores], ids: Ids) -> None:
    scores = make_scores([[1, 0]], taught=[(1, Said.HUMAN), (UNKNOWN, Said.MACHINE)], waiting=1)
    assert accept_rows([0, 1, 2], ids, scores) is None
    assert accept_rows([], ids, scores) is None
    assert accept_rows([0], [None], make_scores([[1, 0]])) is None


def test_two_files_of_one_content_are_accepted_once(make_scores: Callable[..., Scores]) -> None:
    same = PictureId("same")
    assert accept_rows([0, 1], [same, same], make_scores([[1, 0], [1, 0]])) == AcceptLabels((same,), CAT)


def test_what_was_shown_stays_what_it_was_when_the_folder_changes(
    make_scores: Callable[..., Scores], ids: Ids
) -> None:
    scores = make_scores([[1, 0], [0, 1]])
    shown = show(0, ids, scores)
    ids[0], ids[1] = ids[1], PictureId("another")
    assert shown is not None
    assert (shown.picture, shown.category) == (PictureId("picture 0"), CAT)


def test_what_is_shown_is_what_the_machine_says(make_scores: Callable[..., Scores], ids: Ids) -> None:
    scores = make_scores([[1, 0], [1, 0]], novelty=[0, 9], cutoff=1.0, waiting=1)
    shown = [show(row, ids, scores) for row in range(3)]
    assert [one.suggestion for one in shown if one] == [0, NONE_OF_THESE, UNKNOWN]
    assert [one.category for one in shown if one] == [CAT, None, None]
    assert show(0, [None], scores) is None
    assert show(3, ids, scores) is None


def test_a_human_label_wins_over_the_machine_from_key_to_scores(
    make_scores: Callable[..., Scores], ids: Ids
) -> None:
    document = Together((AddCategory(CAT, "Cat"), AddCategory(DOG, "Dog"))).apply(Document())
    machine = make_scores([[0.999, 0.001]] * 3)
    stale = accept_rows([0, 1, 2], ids, machine)
    human = LabelPictures((PictureId("picture 1"),), DOG)
    assert stale is not None
    document = stale.apply(human.apply(document))
    index = RowIndex()
    index.note(range(3), ids)
    owners = index.owners(document, machine.classes, 3)
    scores = replace(machine, taught=owners.taught, said=owners.said)

    assert scores.labels().tolist() == [0, 1, 0]
    assert scores.said.tolist() == [Said.ACCEPTED, Said.HUMAN, Said.ACCEPTED]
    assert document.labels[PictureId("picture 1")] == Decision(DOG, By.HUMAN)
    assert np.all(sort_into_piles(scores, 1.0).of == Pile.DECIDED)
