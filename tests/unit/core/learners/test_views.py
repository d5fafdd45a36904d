"""Many frames of one view of one thing tell as much as one, in whatever is judged by the examples."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fewshot_gui.core.evaluation.leave_one_out import leave_one_out, left_out
from fewshot_gui.core.learners import distances
from fewshot_gui.core.learners.auto import Auto
from fewshot_gui.core.learners.base import SupportError, SupportSet
from fewshot_gui.core.learners.calibration import LeftOut, fit_novelty_threshold, temperature_for_shots
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.distances import views_of
from fewshot_gui.core.learners.gradient.adapted import AdaptedClassifier, Step
from fewshot_gui.core.learners.reason import Why

JUDGED = ("prototypical", "simpleshot", "mahalanobis", "ridge", "logistic", "nearest", "matching", "auto")


def held(views: int, frames: int = 5, ways: int = 3, seed: int = 0) -> SupportSet:
    """Return frames of `ways` things, each shown from so many sides, of all of which the views are known."""
    labels = torch.arange(ways).repeat_interleave(views * frames)
    sides = torch.eye(ways, 16)[labels[::frames]] + torch.eye(16)[ways : ways + ways * views]
    rows = sides.repeat_interleave(frames, 0)
    rows = rows + 0.08 * torch.randn(len(rows), 16, generator=torch.Generator().manual_seed(seed))
    every = torch.ones(len(rows), dtype=torch.bool)
    return SupportSet(rows, labels, tuple("abcdefgh"[:ways]), views_of(rows, labels, every))


def together(views: torch.Tensor) -> torch.Tensor:
    """Return bool (S, S), which examples are of one view: its number says nothing."""
    return views.unsqueeze(0) == views.unsqueeze(1)


def files(support: SupportSet) -> SupportSet:
    return replace(support, views=None)


def test_frames_of_one_side_are_one_view() -> None:
    support = held(views=2)
    assert support.views is not None
    assert torch.equal(together(support.views), together(torch.arange(30) // 5))
    assert support.shots().tolist() == [2, 2, 2]
    assert files(support).shots().tolist() == support.counts().tolist() == [10, 10, 10]
    assert not support.alone().any()
    assert files(support).alone().all()


def test_a_thing_that_turns_is_several_views_though_each_frame_is_like_the_next() -> None:
    rows = torch.cat([torch.linspace(0, 10, 101), torch.full((5,), 40.0)])[:, None]
    labels = torch.tensor([0] * 101 + [1] * 5)
    views = views_of(rows, labels, torch.ones(106, dtype=torch.bool))
    assert len(views[:101].unique()) == 1, "within half of the way to the other class"
    wide = views_of(10 * rows[:101].abs(), labels[:101], torch.ones(101, dtype=torch.bool))
    assert len(wide.unique()) == 101, "without another class there is nothing to compare with"
    near = rows.clone()
    near[101:] = 13.0
    assert 2 <= len(views_of(near, labels, torch.ones(106, dtype=torch.bool))[:101].unique()) <= 4


def test_only_frames_are_looked_at() -> None:
    support = held(views=1)
    some = torch.arange(15) % 5 < 2
    views = views_of(support.embeddings, support.labels, some)
    assert views[~some].tolist() == torch.arange(15)[~some].tolist()
    assert SupportSet(*_parts(support), views).shots().tolist() == [4, 4, 4], "three files and one view"
    assert SupportSet(*_parts(support), views).alone().tolist() == (~some).tolist()


def _parts(support: SupportSet) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    return support.embeddings, support.labels, support.classes


def test_frames_beyond_the_views_that_are_counted_are_no_views_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distances, "_MOST_VIEWS", 3)
    support = held(views=4)
    assert support.shots().tolist() == [3, 3, 3]
    assert not support.alone().any(), "each belongs to the nearest of the three"


def test_the_views_do_not_depend_on_the_order() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, labels = torch.randn(60, 8, generator=generator), torch.arange(3).repeat_interleave(20)
    every, order = torch.ones(60, dtype=torch.bool), torch.randperm(60, generator=generator)
    views, moved = views_of(rows, labels, every), views_of(rows[order], labels[order], every)
    assert len(views.unique()) > 6
    assert torch.equal(together(views[order]), together(moved))


def test_no_example_and_numbers_that_are_none_are_borne() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    assert views_of(torch.zeros(0, 4), nothing, nothing.bool()).tolist() == []
    rows = torch.full((4, 3), torch.nan)
    assert views_of(rows, torch.tensor([0, 0, 1, 1]), torch.ones(4, dtype=torch.bool)).tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_views_are_those_of_all_examples() -> None:
    support = held(views=1)
    with pytest.raises(SupportError, match="2 views for 15 examples"):
        replace(support, views=torch.arange(2))
    few = support.some(torch.tensor([0, 1, 5]))
    assert few.views is not None
    assert torch.equal(together(few.views), together(torch.tensor([0, 0, 5])))
    assert few.shots().tolist() == [1, 1, 0]


def test_the_temperature_is_that_of_the_views() -> None:
    support = held(views=1)
    one = support.some(torch.tensor([0, 5, 10]))
    assert temperature_for_shots(0.1, support) == pytest.approx(temperature_for_shots(0.1, files(one)))
    assert temperature_for_shots(0.1, support) > 1.5 * temperature_for_shots(0.1, files(support))


@pytest.mark.parametrize("name", JUDGED)
def test_what_recognises_itself_proves_nothing(name: str) -> None:
    """Five frames of each thing were as good as five photographs, and the next side was called surely so."""
    learner = make_learner(name, LearnerContext(0.5))
    support, generator = held(views=1), torch.Generator().manual_seed(9)
    asked = torch.eye(3, 16).repeat(20, 1) + 0.3 * torch.randn(60, 16, generator=generator)
    careful = float(learner.fit(support).predict(asked).probabilities.amax(1).mean())
    sure = float(learner.fit(files(support)).predict(asked).probabilities.amax(1).mean())
    assert 1 - careful > 1.3 * (1 - sure), (careful, sure)


@pytest.mark.parametrize("name", [name for name in JUDGED if name != "auto"])
def test_examples_that_stand_alone_are_judged_as_ever(name: str) -> None:
    learner = make_learner(name, LearnerContext(0.05))
    support = files(held(views=4, frames=1))
    numbered = replace(support, views=torch.arange(12))
    first, second = learner.fit(support), learner.fit(numbered)
    asked = support.embeddings + 0.1
    assert torch.equal(first.predict(asked).probabilities, second.predict(asked).probabilities)
    assert first.novelty_threshold == second.novelty_threshold


def test_the_choice_rests_on_what_stands_alone() -> None:
    chosen = Auto(0.05).fit(held(views=1))
    assert chosen.chosen == "ridge", "a spread of frames is that of the camera"
    assert chosen.reason.why is Why.ALIKE
    assert chosen.reason.left_out == 0
    assert not chosen.reason.accuracies
    assert chosen.reason.shots == 5, "that many were given"
    assert Auto(0.05).fit(held(views=3)).reason.by_rule == "mahalanobis"
    assert Auto(0.05).fit(files(held(views=1))).reason.by_rule == "mahalanobis"
    mixed = held(views=1)
    mixed = replace(
        mixed, views=torch.where(torch.arange(15) % 5 < 3, 5 * (torch.arange(15) // 5), torch.arange(15))
    )
    found = Auto(0.05).fit(mixed)
    assert found.reason.left_out == 6
    assert set(found.reason.accuracies) == {"prototypical", "simpleshot", "mahalanobis", "ridge", "logistic"}


def test_frames_make_no_strangers_of_the_next_view() -> None:
    """Of one view a category nothing is known but the bundle's own threshold, as with one file."""
    support = held(views=1)
    one = files(support.some(support.one_of_each_view()))
    assert fit_novelty_threshold(LeftOut.of(support), 1.3) == pytest.approx(1.3)
    assert fit_novelty_threshold(LeftOut.of(one), 1.3) == pytest.approx(1.3)
    assert fit_novelty_threshold(LeftOut.of(files(support)), 1.3) < 0.9, "five photographs tell more"
    several = fit_novelty_threshold(LeftOut.of(held(views=3)), 1.3)
    assert 1.0 < several < 1.45, "another side is as far as 1.41"


def test_the_examples_of_a_view_are_left_out_together() -> None:
    found = leave_one_out(held(views=2), make_learner("nearest", LearnerContext(0.5)))
    assert found.usable.nonzero().flatten().tolist() == [0, 5, 10, 15, 20, 25]
    assert found.accuracy == 1.0
    assert leave_one_out(held(views=1), make_learner("nearest", LearnerContext(0.5))).accuracy is None


def test_all_that_can_be_left_out_are_whatever_else_there_is() -> None:
    """Three hundred frames of one view took the turns of the twelve files beside them."""
    rows = torch.cat([torch.zeros(300, 4) + 9, torch.eye(4).repeat(3, 1)])
    labels = torch.cat([torch.zeros(300, dtype=torch.int64), torch.arange(1, 3).repeat(6)])
    views = torch.cat([torch.zeros(300, dtype=torch.int64), torch.arange(300, 312)])
    support = SupportSet(rows, labels, ("a", "b", "c"), views)
    some = [place for place, _ in left_out(support, lambda _rest, _one: torch.ones(3), 12)]
    assert some == list(range(300, 312))


def test_an_adapted_network_knows_the_views() -> None:
    support = held(views=1)
    assert support.views is not None
    step = Step({}, 0.0, support.embeddings)
    made_of = 1.0, LearnerContext()
    seen = AdaptedClassifier.after(1, (step, step), support, *made_of)
    assert seen.at_step(0).support.views is support.views
    unseen = AdaptedClassifier.after(1, (step, step), files(support), *made_of)
    assert seen.novelty_threshold != unseen.novelty_threshold
