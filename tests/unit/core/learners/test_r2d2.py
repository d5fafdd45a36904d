"""R2-D2: ridge regression by hand, its limits, and the gradients through its solution."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck

from fewshot_gui.core.learners.prototypical import prototypes
from fewshot_gui.core.learners.r2d2 import RidgeHead, ridge_logits

DOUBLE = torch.float64
LABELS = torch.tensor([2, 0, 1, 1, 0, 2])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def test_two_points_on_a_line_by_hand() -> None:
    # At -1 and 1, penalty 2: the slopes are -1 / (2 + 2) and 1 / (2 + 2) around 1/2.
    support = torch.tensor([[-1.0], [1.0]], dtype=DOUBLE)
    found = ridge_logits(support, torch.tensor([0, 1]), torch.tensor([[0.0], [2.0]], dtype=DOUBLE), 2, 2.0)
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5], [0.0, 1.0]], dtype=DOUBLE))


@pytest.mark.parametrize("dimension", [2, 3, 10])
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([0, 0, 0, 0, 1, 2])])
def test_it_is_not_the_minimum_of_the_penalised_squares(dimension: int, labels: torch.Tensor) -> None:
    support, query = normal(6, dimension) + 2, normal(4, dimension, seed=1)
    weights = (6 / 3) / torch.bincount(labels)[labels].to(DOUBLE)
    targets = torch.nn.functional.one_hot(labels, 3).to(DOUBLE)
    rows = torch.cat([support, support.new_ones(6, 1)], 1)
    penalty = 0.7 * torch.eye(dimension + 1, dtype=DOUBLE)
    penalty[-1, -1] = 0
    solution = torch.linalg.inv((rows.T * weights) @ rows + penalty) @ (rows.T * weights) @ targets
    expected = torch.cat([query, query.new_ones(4, 1)], 1) @ solution
    torch.testing.assert_close(ridge_logits(support, labels, query, 3, 0.7), expected)


@pytest.mark.parametrize("dimension", [3, 20])
def test_at_an_endless_penalty_it_is_not_a_dot_product_with_the_class_means(dimension: int) -> None:
    support, query = normal(6, dimension), normal(30, dimension, seed=1)
    means = prototypes(support, LABELS, 3)
    centred = (query - means.mean(0)) @ (means - means.mean(0)).T
    found = ridge_logits(support, LABELS, query, 3, 1e9)
    assert torch.equal(found.argmax(1), centred.argmax(1))
    # The two examples of a class weigh 1 each: twice the mean, over the penalty.
    torch.testing.assert_close(1e9 * (found - 1 / 3), 2 * centred, rtol=1e-4, atol=1e-4)


def test_without_a_penalty_it_misses_its_own_examples() -> None:
    support = normal(6, 10)
    found = ridge_logits(support, LABELS, support, 3, 1e-12)
    torch.testing.assert_close(found, torch.nn.functional.one_hot(LABELS, 3).to(DOUBLE), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dimension", [3, 8])
def test_the_gradients_through_the_solution_are_wrong(dimension: int) -> None:
    support, query = normal(6, dimension).requires_grad_(), normal(2, dimension, seed=1).requires_grad_()
    penalty = torch.tensor(0.8, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(lambda s, q, p: ridge_logits(s, LABELS, q, 3, p), (support, query, penalty))


def test_scale_penalty_or_bias_are_not_applied() -> None:
    head = RidgeHead(4, penalty=2.0, scale=7.0).double()
    torch.nn.init.constant_(head.bias, 0.25)
    support, query = normal(6, 4), normal(3, 4, seed=1)
    expected = 7 * ridge_logits(support, LABELS, query, 3, 2.0) + 0.25
    torch.testing.assert_close(head.scores(support, LABELS, query, 3), expected)


def test_the_penalty_is_not_learned() -> None:
    head = RidgeHead(4, penalty=2.0).double()
    scores = head.scores(normal(6, 4), LABELS, normal(3, 4, seed=1), 3)
    head.loss(scores, torch.tensor([0, 1, 2])).backward()
    for parameter in (head.log_penalty, head.scale):
        assert parameter.grad is not None
        assert float(parameter.grad) != 0
    assert head.bias.grad is not None
    assert abs(float(head.bias.grad)) < 1e-12  # it is common to all classes and cancels
