"""Is this enough? Reports with a known table, the verdict on each, and the next best example."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.learners.auto import Auto
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.distances import views_of
from fewshot_gui.core.learners.prototypical import Prototypical
from fewshot_gui.engine.deciding import enough
from fewshot_gui.engine.deciding.enough import (
    LooReport,
    NextBest,
    Verdict,
    VerdictKind,
    certain_accuracy,
    examine,
    is_enough,
    next_best_example,
    report_of,
    weakest_category,
)
from fewshot_gui.engine.scores import Said
from fewshot_gui.engine.state import Category, CategoryId, Document, Example
from fewshot_gui.engine.worker import Cancelled, CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.scores import Scores

CAT, DOG, COW = CategoryId("cat"), CategoryId("dog"), CategoryId("cow")


def taught(**counts: int) -> Document:
    return Document(
        tuple(
            Category(CategoryId(name), name, 0, "", tuple(
                Example(PictureId(f"{name}{number}"), "") for number in range(count)
            ))
            for name, count in counts.items()
        )
    )  # fmt: skip


def table(*cells: tuple[CategoryId, CategoryId, int]) -> LooReport:
    """A report with so many pictures in each cell."""
    pictures = {
        (own, said): tuple(PictureId(f"{own}>{said}{number}") for number in range(count))
        for own, said, count in cells
    }
    return report_of(pictures, (CAT, DOG, COW), 1)


def fitted(points: list[float], labels: list[int], seconds: float = 0.001, *, moving: bool = False) -> Fitted:
    rows, own = torch.tensor(points)[:, None], torch.tensor(labels)
    views = views_of(rows, own, torch.ones(len(own), dtype=torch.bool)) if moving else None
    support = SupportSet(rows, own, (CAT, DOG), views)
    ids = tuple(PictureId(str(place)) for place in range(len(points)))
    made = SimpleNamespace(
        support=support,
        learner=Prototypical(),
        classifier=None,
        classes=(CAT, DOG),
        support_ids=ids,
        version=7,
        seconds=seconds,
        recipe=SimpleNamespace(learner="prototypical"),
    )
    return cast("Fitted", made)


def run(made: Fitted, token: CancelToken | None = None) -> LooReport:
    steps = examine(made, token or CancelToken())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("LooReport", end.value)


def test_the_table_names_the_pictures_behind_each_cell() -> None:
    report = run(fitted([0.0, 0.1, 0.2, 10.0, 10.1, 0.15], [0, 0, 0, 1, 1, 1]))
    assert report.cells[CAT, CAT] == ("0", "1", "2")
    assert report.cells[DOG, CAT] == ("5",)
    assert report.misfits == ((PictureId("5"), CAT),)
    assert report.table().tolist() == [[3, 0], [1, 2]]
    assert (report.examined, report.correct, report.version) == (6, 5, 7)
    assert report.accuracy == pytest.approx(5 / 6)
    assert report.right_of(DOG) == (2, 3)


def test_what_was_chosen_is_examined_without_choosing_again() -> None:
    made = fitted([0.0, 0.1, 0.2, 10.0, 10.1, 9.9], [0, 0, 0, 1, 1, 1])
    made.classifier = Auto().fit(made.support)  # type: ignore[misc]
    made.learner = None  # type: ignore[misc, assignment] - nobody asks it
    assert run(made).accuracy == 1


def test_an_example_that_is_alone_is_not_examined() -> None:
    report = run(fitted([0.0, 5.0], [0, 1]))
    assert report.accuracy is None
    assert report.table().tolist() == [[0, 0], [0, 0]]


def test_of_many_examples_some_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enough, "MOST_EXAMINED", 5)
    report = run(fitted([float(place) for place in range(20)], [0] * 10 + [1] * 10))
    assert report.examined == 5
    assert {"0", "19"} <= {picture for cell in report.cells.values() for picture in cell}


def test_of_a_slow_learner_ten_are_examined() -> None:
    report = run(fitted([float(place) for place in range(20)], [0] * 10 + [1] * 10, seconds=60.0))
    assert report.examined == 10


def test_a_report_that_nobody_waits_for_ends() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        run(fitted([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1]), token)


def test_a_thing_held_still_before_a_camera_is_not_enough() -> None:
    """Eleven frames of a second recognise one another, and nothing else: "Yes: 22 of 22" was not true."""
    held = [number / 100 for number in range(4)]
    points, labels = [*held, *[9 + at for at in held]], [0] * 4 + [1] * 4
    assert run(fitted(points, labels)).correct == 8, "pictures of files are taken as they are"
    report = run(fitted(points, labels, moving=True))
    assert report.examined == 0
    assert report.alike == (CAT, DOG)
    verdict = is_enough(taught(cat=4, dog=4), report)
    assert (verdict.kind, verdict.category, verdict.count) == (VerdictKind.ALIKE, CAT, 4)
    turned = run(fitted([*held, -8.0, -16.0, *points[4:]], [0] * 6 + [1] * 4, moving=True))
    assert turned.examined == 3, "one of those held still, and two others"
    assert turned.alike == (DOG,)
    assert is_enough(taught(cat=6), turned).kind is VerdictKind.ONE_CATEGORY
    assert is_enough(taught(cat=6, cow=4), turned).kind is not VerdictKind.ALIKE, "that one is gone"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (Document(), VerdictKind.NOTHING),
        (taught(cat=0, dog=0), VerdictKind.NOTHING),
        (taught(cat=5), VerdictKind.ONE_CATEGORY),
        (taught(cat=5, dog=0), VerdictKind.ONE_CATEGORY),
        (taught(cat=5, dog=2), VerdictKind.TOO_FEW),
        (taught(cat=5, dog=5, cow=0), VerdictKind.TOO_FEW),
        (taught(cat=3, dog=3), VerdictKind.EXAMINING),
    ],
)
def test_what_can_be_said_without_a_report(document: Document, kind: VerdictKind) -> None:
    assert is_enough(document, None).kind is kind


def test_too_few_names_the_category_and_how_many_it_has() -> None:
    verdict = is_enough(taught(cat=5, dog=2), None)
    assert verdict == Verdict(VerdictKind.TOO_FEW, category=DOG, count=2, of=3)


def test_mixed_up_names_both_and_how_often() -> None:
    report = table((CAT, CAT, 10), (DOG, DOG, 6), (DOG, CAT, 4))
    verdict = is_enough(taught(cat=10, dog=10), report)
    assert verdict.kind is VerdictKind.MIXED_UP
    assert (verdict.category, verdict.other, verdict.count, verdict.of) == (DOG, CAT, 4, 10)
    assert (verdict.correct, verdict.examined) == (16, 20)


def test_one_misfit_is_not_a_mix_up() -> None:
    report = table((CAT, CAT, 30), (DOG, DOG, 29), (DOG, CAT, 1))
    verdict = is_enough(taught(cat=30, dog=30), report)
    assert verdict.kind is VerdictKind.ENOUGH
    assert verdict.low == pytest.approx(certain_accuracy(59, 60))


def test_three_right_answers_of_three_prove_little() -> None:
    verdict = is_enough(taught(cat=3, dog=3), table((CAT, CAT, 3), (DOG, DOG, 2), (DOG, CAT, 1)))
    assert verdict.kind is VerdictKind.SHAKY
    assert (verdict.category, verdict.count, verdict.of) == (DOG, 2, 3)


@pytest.mark.parametrize(
    ("correct", "examined", "low"), [(10, 10, 0.7225), (5, 5, 0.5655), (0, 9, 0), (0, 0, 0)]
)
def test_the_certain_accuracy_is_wilsons(correct: int, examined: int, low: float) -> None:
    assert certain_accuracy(correct, examined) == pytest.approx(low, abs=1e-4)


@given(st.integers(1, 300), st.data())
def test_the_certain_accuracy_lies_below_the_share_and_grows(examined: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, examined))
    low = certain_accuracy(correct, examined)
    assert 0 <= low <= correct / examined
    assert low <= certain_accuracy(correct * 2, examined * 2) + 1e-12


def test_the_weakest_category_is_the_one_with_few_examples_then_the_one_with_wrong_answers() -> None:
    report = table((CAT, CAT, 5), (DOG, DOG, 3), (DOG, CAT, 2), (COW, COW, 1))
    assert weakest_category(taught(cat=5, dog=5, cow=1), report) == COW
    assert weakest_category(taught(cat=5, dog=5), report) == DOG
    assert weakest_category(Document(), report) is None


def test_the_next_best_example_is_uncertain_and_not_foreign(make_scores: Callable[..., Scores]) -> None:
    document, report = taught(cat=5, dog=2), None
    scores = make_scores(
        [[0.9, 0.1], [0.55, 0.45], [0.5, 0.5], [0.51, 0.49]],
        novelty=[0, 0, 9, 0],
        cutoff=1.0,
        taught=[(-1, 0), (-1, 0), (-1, 0), (0, Said.HUMAN)],
    )
    assert next_best_example(document, report, scores) == NextBest(DOG, 1)
    assert next_best_example(document, report, None) == NextBest(DOG, None)
    assert next_best_example(Document(), report, scores) is None


def test_without_a_fitting_picture_only_the_category_is_told(make_scores: Callable[..., Scores]) -> None:
    scores = make_scores([[1.0, 0.0]])
    assert next_best_example(taught(cat=5, dog=2), None, scores) == NextBest(DOG, None)
    assert next_best_example(taught(cat=5, cow=2), None, scores) == NextBest(COW, None)
    assert np.isfinite(scores.uncertainty).all()
