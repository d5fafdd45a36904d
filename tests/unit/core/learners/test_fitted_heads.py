"""Logistic regression, fine-tuning and the automatic choice: optimum, slopes, left-out answers, the trace."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch.autograd import gradcheck

from fewshot_gui.core.learners import logistic
from fewshot_gui.core.learners.auto import Auto, Why, clearly_best
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.finetune import FineTune, cosine_head_gradient, fine_tune
from fewshot_gui.core.learners.logistic import (
    Logistic,
    logistic_gradient,
    logistic_leave_one_out,
    logistic_loss,
    logistic_solution,
)
from fewshot_gui.core.learners.mahalanobis import Mahalanobis
from fewshot_gui.core.learners.prototypical import Prototypical
from fewshot_gui.core.learners.reason import choice_of
from fewshot_gui.core.learners.stepwise import StepwiseClassifier, StepwiseLearner

if TYPE_CHECKING:
    from collections.abc import Callable

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]

DOUBLE = torch.float64


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def problem(count: int, dimension: int, ways: int) -> tuple[torch.Tensor, torch.Tensor, float, torch.Tensor]:
    """Return rows, targets, penalty and weights."""
    targets = torch.nn.functional.one_hot(torch.arange(count) % ways, ways).to(DOUBLE)
    weights = 0.5 + torch.rand(count, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    return normal(count, dimension) + targets[:, :1], targets, 0.7, weights


class Stop(Exception):  # noqa: N818 - cancelling is not an error
    pass


def test_the_logistic_loss_by_hand() -> None:
    # Logits 0 and ln 3: the wrong class at a quarter costs ln 4; two such examples, and 5 halves of |W|^2.
    loss = logistic_loss(
        torch.tensor([[2.0, 2.0]], dtype=DOUBLE),  # moves both logits alike
        torch.tensor([1.0, 3.0], dtype=DOUBLE).log(),
        torch.ones(1, 1, dtype=DOUBLE),
        torch.tensor([[1.0, 0.0]], dtype=DOUBLE),
        5.0,
        torch.tensor([2.0], dtype=DOUBLE),
    )
    assert float(loss) == pytest.approx(2 * math.log(4) + 5 / 2 * 8)


def test_the_gradient_in_closed_form_is_that_of_autograd() -> None:
    data = problem(9, 4, 3)
    coefficients, intercept = normal(4, 3).requires_grad_(), normal(3, seed=2).requires_grad_()
    logistic_loss(coefficients, intercept, *data).backward()
    by_coefficients, by_intercept = logistic_gradient(coefficients, intercept, *data)
    torch.testing.assert_close(by_coefficients, coefficients.grad)
    torch.testing.assert_close(by_intercept, intercept.grad)
    assert gradcheck(lambda w, b: logistic_loss(w, b, *data), (coefficients, intercept))


@pytest.mark.parametrize(("count", "dimension", "ways"), [(12, 4, 3), (6, 20, 2), (30, 3, 5), (3, 2, 1)])
def test_the_solution_has_no_slope_left(count: int, dimension: int, ways: int) -> None:
    data = problem(count, dimension, ways)
    by_coefficients, by_intercept = logistic_gradient(*logistic_solution(*data), *data)
    assert float(by_coefficients.abs().max()) < 1e-6
    assert float(by_intercept.abs().max()) < 1e-6


def test_an_extrapolation_that_is_no_number_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU least squares without full rank are solved to anything."""
    real, asked = logistic._extrapolation, []

    def now_and_then(
        moves: list[torch.Tensor], turns: list[torch.Tensor], slope: torch.Tensor
    ) -> torch.Tensor:
        asked.append(len(moves))
        return torch.full_like(slope, torch.nan) if len(asked) % 4 == 3 else real(moves, turns, slope)

    monkeypatch.setattr(logistic, "_extrapolation", now_and_then)
    data = problem(12, 4, 3)
    by_coefficients, by_intercept = logistic_gradient(*logistic_solution(*data), *data)
    assert len(asked) > 3
    assert float(by_coefficients.abs().max()) < 1e-6
    assert float(by_intercept.abs().max()) < 1e-6


def test_the_solution_is_that_of_a_naive_newton() -> None:
    rows, targets, penalty, weights = problem(12, 3, 3)
    flat = torch.zeros(12, dtype=DOUBLE)

    def loss(both: torch.Tensor) -> torch.Tensor:
        return logistic_loss(both[:9].view(3, 3), both[9:], rows, targets, penalty, weights)

    for _ in range(20):
        slope = torch.autograd.functional.jacobian(loss, flat)
        # The intercepts may all move together: the pseudo-inverse leaves that direction alone.
        flat = flat - torch.linalg.pinv(torch.autograd.functional.hessian(loss, flat)) @ slope
    coefficients, intercept = logistic_solution(rows, targets, penalty, weights)
    torch.testing.assert_close(coefficients, flat[:9].view(3, 3), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(intercept - intercept.mean(), flat[9:] - flat[9:].mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("ways", "tolerance"), [(2, 0.12), (3, 0.2)])
def test_left_out_logits_are_nearly_those_of_refitting(ways: int, tolerance: float) -> None:
    rows, targets, _, weights = problem(18, 4, ways)
    penalty = 4.0  # less, and a single Newton step is not enough for the most outlying examples
    solution = logistic_solution(rows, targets, penalty, weights)
    nearly = logistic_leave_one_out(rows, targets, penalty, weights, solution)
    fitted = rows @ solution[0] + solution[1]
    exact = []
    for place in range(18):
        keep = torch.arange(18) != place
        coefficients, intercept = logistic_solution(rows[keep], targets[keep], penalty, weights[keep])
        exact.append(rows[place] @ coefficients + intercept)
    difference = (nearly - torch.stack(exact)).softmax(1) - 1 / ways
    moved = (fitted - torch.stack(exact)).softmax(1) - 1 / ways
    assert float(difference.norm()) < tolerance * float(moved.norm()) + 1e-3


def test_more_dimensions_than_examples_are_the_same_regression(world: World) -> None:
    support, query, _ = world([3, 4], dimension=40, dtype=DOUBLE)
    classifier = Logistic().fit(support)
    narrow = torch.linalg.qr(torch.cat([support.embeddings, query]).T)[0]
    turned = SupportSet(support.embeddings @ narrow, support.labels, support.classes)
    expected = Logistic().fit(turned).predict(query @ narrow).scores
    torch.testing.assert_close(classifier.predict(query).scores, expected, rtol=1e-4, atol=1e-5)


def test_logistic_regression_tells_how_far_it_is_and_stops_within_an_evaluation(world: World) -> None:
    support, _, _ = world([5, 5, 5])
    told: list[float] = []
    Logistic().fit(support, progress=told.append)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    asked = 0

    def cancel() -> None:
        nonlocal asked
        asked += 1
        if asked == 4:
            raise Stop

    with pytest.raises(Stop):
        Logistic().fit(support, cancel=cancel)
    assert asked == 4


def test_the_cosine_head_by_hand() -> None:
    # Cosines 1 and 0 of the only example, which belongs to the second class.
    head = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=DOUBLE)
    rows, labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=DOUBLE), torch.tensor([1, 0])
    loss, slope = cosine_head_gradient(head, rows, labels, torch.tensor([1.0, 0.0], dtype=DOUBLE), 2.0)
    sure = float(torch.tensor([2.0, 0.0]).softmax(0)[0])
    assert float(loss) == pytest.approx(-float(torch.tensor(1 - sure).log()), rel=1e-5)
    # Along the head there is no slope; across it only for the second, which wants to turn to the example.
    torch.testing.assert_close(
        slope, torch.tensor([[0.0, 0.0], [-2 * sure, 0.0]], dtype=DOUBLE), rtol=1e-5, atol=1e-7
    )


def test_the_slope_of_the_cosine_head_is_that_of_autograd_also_side_by_side() -> None:
    rows, labels = torch.nn.functional.normalize(normal(7, 4), dim=1), torch.tensor([0, 1, 2, 2, 1, 0, 0])
    weights = torch.rand(2, 7, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    heads = normal(2, 3, 4, seed=3).requires_grad_()
    logits = 5 * torch.einsum("sd,bnd->bsn", rows, torch.nn.functional.normalize(heads, dim=2))
    entropy = -logits.log_softmax(2).gather(2, labels.view(1, 7, 1).expand(2, 7, 1)).squeeze(2)
    expected = (weights * entropy).sum(1)
    expected.sum().backward()
    loss, slope = cosine_head_gradient(heads.detach(), rows, labels, weights, 5.0)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(slope, heads.grad)
    assert gradcheck(lambda h: cosine_head_gradient(h, rows, labels, weights, 5.0)[0], (heads,))


def test_descent_with_momentum_by_hand() -> None:
    # On |h|^2 / 2 from 1 at rate 0.1: velocity 1 then 0.9 + 0.9; 1, 0.9, 0.72.
    seen: list[float] = []
    fine_tune(
        torch.ones(1, 1),
        lambda head: (head.square().sum() / 2, head),
        torch.tensor(0.1),
        2,
        lambda _step, _loss, head: seen.append(float(head)),
    )
    assert seen == pytest.approx([1.0, 0.9, 0.72])


def hard(world: World) -> tuple[SupportSet, torch.Tensor, torch.Tensor]:
    """Return a task whose prototypes can be improved upon: loud noise in one direction."""
    support, query, asked = world([20, 20, 20], dimension=6, noise=0.6, queries=40, seed=3)
    loud = torch.tensor([6.0, 1, 1, 1, 1, 1])
    return SupportSet(support.embeddings * loud, support.labels, support.classes), query * loud, asked


def test_fine_tuning_keeps_every_step(world: World) -> None:
    support, query, _ = hard(world)
    told: list[tuple[int, int, float]] = []
    learner = FineTune()
    assert isinstance(learner, StepwiseLearner)
    classifier = learner.fit_watched(support, lambda *step: told.append(step))
    assert isinstance(classifier, StepwiseClassifier)
    assert classifier.rate > 0
    assert classifier.steps == learner.steps == len(told) == len(classifier.losses) - 1
    assert [step for step, _, _ in told] == list(range(1, 31))
    assert tuple(loss for _, _, loss in told) == classifier.losses[1:]
    assert classifier.losses[-1] < classifier.losses[0]
    last = classifier.at_step(classifier.steps)
    assert torch.equal(last.predict(query).scores, classifier.predict(query).scores)
    assert not torch.equal(classifier.at_step(0).predict(query).scores, classifier.predict(query).scores)
    with pytest.raises(ValueError, match="30 steps"):
        classifier.at_step(31)


def test_the_head_begins_as_normalised_prototypes(world: World) -> None:
    support, query, _ = hard(world)
    start = FineTune().fit(support).at_step(0)
    rows = torch.nn.functional.normalize(support.embeddings, dim=1)
    means = torch.stack([rows[support.labels == way].mean(0) for way in range(3)])
    cosine = torch.nn.functional.normalize(query, dim=1) @ torch.nn.functional.normalize(means, dim=1).T
    torch.testing.assert_close(start.predict(query).scores, 10 * cosine, rtol=1e-4, atol=1e-4)


def test_fine_tuning_pays_where_prototypes_are_poor(world: World) -> None:
    support, query, asked = hard(world)
    classifier = FineTune().fit(support)

    def share(step: int) -> float:
        return float((classifier.at_step(step).predict(query).scores.argmax(1) == asked).double().mean())

    assert share(classifier.steps) >= share(0)


def test_augmented_copies_stay_in_the_fold_of_their_original(world: World) -> None:
    support, query, _ = world([4, 4])
    copies = support.embeddings.expand(3, -1, -1)
    first, second = FineTune().fit(support), FineTune().fit_augmented(support, copies)
    assert first.rate == second.rate
    torch.testing.assert_close(
        first.predict(query).probabilities, second.predict(query).probabilities, rtol=1e-3, atol=1e-4
    )


def test_fine_tuning_stops_within_a_step(world: World) -> None:
    support, _, _ = world([5, 5])
    asked = 0

    def cancel() -> None:
        nonlocal asked
        asked += 1
        if asked == 5:
            raise Stop

    with pytest.raises(Stop):
        FineTune().fit(support, cancel=cancel)
    assert asked == 5


@pytest.mark.parametrize(
    ("shots", "why", "chosen"),
    [
        ([5, 0], Why.ONE_CATEGORY, "prototypical"),
        ([1, 1, 1], Why.TOO_FEW, "prototypical"),
        ([2, 1, 1], Why.RULE, "prototypical"),
        ([2, 2, 2], Why.RULE, "ridge"),
        ([6, 6, 6], Why.RULE, "mahalanobis"),
    ],
)
def test_auto_follows_the_rule_and_says_so(world: World, shots: list[int], why: Why, chosen: str) -> None:
    support, query, _ = world(shots)
    classifier = Auto(0.3).fit(support)
    assert (classifier.chosen, classifier.reason.why) == (chosen, why)
    assert classifier.reason.ways == sum(count > 0 for count in shots)
    assert bool(classifier.reason.accuracies) == (why == Why.RULE)
    alone = Auto(0.3)._candidates()[chosen].fit(support)
    torch.testing.assert_close(classifier.predict(query).probabilities, alone.predict(query).probabilities)
    assert classifier.novelty_threshold == alone.novelty_threshold


def test_auto_does_not_try_all_on_thousands_of_examples(world: World) -> None:
    support, _, _ = world([1500, 1500], dimension=200)
    classifier = Auto().fit(support)
    assert (classifier.chosen, classifier.reason.why) == ("ridge", Why.TOO_MANY)


def test_some_hundred_examples_are_learned_by_the_same_rule(world: World) -> None:
    """Before, the rule changed with what was tried: 20 examples each of ten categories got a regression."""
    support, _, _ = world([20] * 10, dimension=600)
    classifier = Auto().fit(support)
    assert (classifier.chosen, classifier.reason.why) == ("mahalanobis", Why.TOO_MANY)


def test_auto_takes_what_is_clearly_better_here() -> None:
    # Three kinds of noise and one loud direction: prototypes fail, shrunk covariances do not.
    generator = torch.Generator().manual_seed(0)
    noise = torch.tensor([12.0] + [0.3] * 5)
    centres = torch.cat([torch.zeros(3, 1), torch.randn(3, 5, generator=generator)], 1)
    labels = torch.arange(3).repeat(4)
    rows = centres[labels] + noise * torch.randn(12, 6, generator=generator)
    classifier = Auto(episodic=True).fit(SupportSet(rows, labels, ("a", "b", "c")))
    reason = classifier.reason
    assert reason.why == Why.LEAVE_ONE_OUT
    assert classifier.chosen != "prototypical"
    assert reason.left_out == 12
    assert reason.accuracies[classifier.chosen] > reason.accuracies["prototypical"]


def test_a_difference_that_chance_explains_does_not_overrule() -> None:
    base = torch.tensor([1.0] * 10 + [0.0] * 10, dtype=DOUBLE)
    one_more = base.clone()
    one_more[12] = 1
    labels = torch.arange(20) % 2
    assert clearly_best({"ridge": base, "logistic": one_more}, "ridge", labels) == "ridge"
    all_right = torch.ones(20, dtype=DOUBLE)
    assert clearly_best({"ridge": base, "logistic": all_right}, "ridge", labels) == "logistic"
    assert clearly_best({"logistic": base, "ridge": base}, "ridge", labels) == "ridge"


@pytest.mark.parametrize(("examples", "chosen"), [(2, "ridge"), (4, "ridge"), (6, "logistic")])
def test_a_few_that_agree_are_no_proof(examples: int, chosen: str) -> None:
    right = {"ridge": torch.zeros(examples, dtype=DOUBLE), "logistic": torch.ones(examples, dtype=DOUBLE)}
    assert clearly_best(right, "ridge", torch.arange(examples) % 2) == chosen


def test_one_class_alone_does_not_speak_for_the_others() -> None:
    right = {"ridge": torch.zeros(12, dtype=DOUBLE), "logistic": torch.ones(12, dtype=DOUBLE)}
    assert clearly_best(right, "ridge", torch.zeros(12, dtype=torch.int64)) == "ridge"
    # A large class outvotes no small one, on which the other learner fails.
    right["logistic"][10:] = 0
    right["ridge"][10:] = 1
    labels = torch.tensor([0] * 10 + [1] * 2)
    assert clearly_best(right, "ridge", labels) == "ridge"


def test_what_is_chosen_is_right_more_often_in_plain_numbers_too() -> None:
    """The window says how often: "because it was right on 38 of 48, the other on 40" would be no reason."""
    labels = torch.tensor([0] * 40 + [1] * 8)
    rule = torch.tensor([1.0] * 40 + [0.0] * 8, dtype=DOUBLE)
    other = torch.tensor([1.0] * 30 + [0.0] * 10 + [1.0] * 8, dtype=DOUBLE)
    assert clearly_best({"ridge": rule, "logistic": other}, "ridge", labels) == "ridge"


def test_auto_stops_between_fits(world: World) -> None:
    support, _, _ = world([3, 3])
    told: list[float] = []

    def cancel() -> None:
        if told:
            raise Stop

    with pytest.raises(Stop):
        Auto().fit(support, progress=told.append, cancel=cancel)
    assert told == [0.0]


@pytest.mark.parametrize("name", ["simpleshot", "mahalanobis", "logistic", "finetune", "auto"])
def test_the_catalogue_makes_it(name: str) -> None:
    assert make_learner(name).name == name


def test_episodes_made_the_embeddings_for_prototypes(world: World) -> None:
    support, _, _ = world([6, 6, 6])
    choice = choice_of(make_learner("auto", LearnerContext(learner="prototypical")).fit(support))
    assert choice is not None
    assert choice.reason.by_rule == "prototypical"


def test_trying_all_is_a_fit_of_each(world: World) -> None:
    support, _, _ = world([4, 4, 4])
    classifier = Auto(0.3).fit(support)
    for name, learner in Auto(0.3)._candidates().items():
        right = learner.fit(support).calibration.right
        assert len(right) == 12
        assert classifier.reason.accuracies[name] == pytest.approx(float(right.mean()))


@pytest.mark.parametrize(("count", "dimension", "ways"), [(40, 6, 8), (60, 80, 3)])
def test_the_solution_is_as_low_as_that_of_torch(count: int, dimension: int, ways: int) -> None:
    rows, targets, _, weights = problem(count, dimension, ways)
    penalty = 1e-3
    both = torch.zeros(dimension + 1, ways, dtype=DOUBLE, requires_grad=True)
    minimiser = torch.optim.LBFGS(
        [both], max_iter=5000, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        minimiser.zero_grad()
        loss = logistic_loss(both[:-1], both[-1], rows, targets, penalty, weights)
        loss.backward()
        return loss

    minimiser.step(closure)  # type: ignore[no-untyped-call]
    found = logistic_loss(
        *logistic_solution(rows, targets, penalty, weights), rows, targets, penalty, weights
    )
    assert float(found) == pytest.approx(float(closure().detach()), rel=1e-5)


def test_learners_are_compared_without_an_allowance_for_one_example_less() -> None:
    # Left out, the first is at 1.1 from the other "a" and at 1 from "b": taken for "b".
    rows = torch.tensor([[0.0], [1.1], [-1.0], [-1.0]])
    support = SupportSet(rows, torch.tensor([0, 0, 1, 1]), ("a", "b"))
    assert Prototypical().fit(support).calibration.right.tolist() == [0, 1, 1, 1]
    assert Mahalanobis().fit(support).calibration.right.tolist()[2:] == [1, 1]
