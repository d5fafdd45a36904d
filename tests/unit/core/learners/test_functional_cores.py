"""The functional cores against hand-computed values, naive derivations, identities, finite differences."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.distances import class_minimum, squared_distances
from fewshot_gui.core.learners.prototypical import cosine_logits, prototypes, squared_euclidean_logits
from fewshot_gui.core.learners.ridge import (
    Ridge,
    even_weights,
    ridge_leave_one_out,
    ridge_refitted,
    ridge_solution,
)

DOUBLE = torch.float64


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def one_hot(labels: torch.Tensor, n_way: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, n_way).to(DOUBLE)


def test_prototypes_by_hand_with_uneven_shots_and_an_empty_class() -> None:
    support = torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 0.0]])
    means = prototypes(support, torch.tensor([2, 2, 0]), 3)
    assert torch.equal(means, torch.tensor([[10.0, 0.0], [0.0, 0.0], [2.0, 3.0]]))


def test_euclidean_logits_by_hand() -> None:
    logits = squared_euclidean_logits(torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[3.0, 4.0]]))
    assert torch.equal(logits, torch.tensor([[-25.0], [-13.0]]))


@given(ways=st.integers(1, 5), seed=st.integers(0, 10_000))
def test_euclidean_logits_are_the_naive_loop(ways: int, seed: int) -> None:
    query, means = normal(4, 7, seed=seed), normal(ways, 7, seed=seed + 1)
    naive = [[-sum((a - b) ** 2 for a, b in zip(q, p, strict=True)) for p in means] for q in query]
    torch.testing.assert_close(squared_euclidean_logits(query, means), torch.tensor(naive, dtype=DOUBLE))


def test_the_prototypical_head_is_a_linear_classifier() -> None:
    # w = 2c and b = -|c|^2 give the same logits up to what all classes share (Snell et al., 2.4).
    query, means = normal(6, 5), normal(4, 5, seed=1)
    linear = query @ (2 * means).T - means.square().sum(1)
    torch.testing.assert_close(linear.softmax(1), squared_euclidean_logits(query, means).softmax(1))


@given(factor=st.floats(1e-3, 1e3), seed=st.integers(0, 10_000))
def test_the_cosine_head_ignores_lengths(factor: float, seed: int) -> None:
    query, means = normal(3, 5, seed=seed), normal(4, 5, seed=seed + 1)
    expected = cosine_logits(query, means, 10.0)
    torch.testing.assert_close(cosine_logits(factor * query, means, 10.0), expected)
    torch.testing.assert_close(cosine_logits(query, factor * means, 10.0), expected)
    assert float(expected.abs().max()) <= 10.0 + 1e-9


def test_a_zero_vector_has_cosine_zero_and_no_nan() -> None:
    logits = cosine_logits(torch.zeros(1, 3), torch.cat([torch.zeros(1, 3), torch.ones(1, 3)]))
    assert torch.equal(logits, torch.zeros(1, 2))


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_squared_distances_are_the_naive_ones(count: int, offset: float) -> None:
    first, second = normal(5, 8) + offset, normal(count, 8, seed=1) + offset
    naive = (first[:, None] - second[None]).square().sum(2)
    torch.testing.assert_close(squared_distances(first, second), naive)
    single = squared_distances(first.float(), second.float())
    torch.testing.assert_close(single.double(), naive, rtol=1e-3, atol=1e-4)


def test_the_same_point_has_distance_zero_in_single_precision() -> None:
    points = torch.nn.functional.normalize(normal(50, 512), dim=1).float()
    squared = squared_distances(points, points)
    assert torch.equal(squared.diagonal(), torch.zeros(50))
    assert bool((squared >= 0).all())


def test_near_copies_keep_their_small_distance() -> None:
    points = normal(4, 64).float()
    moved = points + 1e-3 * normal(4, 64, seed=1).float()
    expected = (points - moved).square().sum(1)
    torch.testing.assert_close(squared_distances(points, moved).diagonal(), expected, rtol=1e-4, atol=0)


def test_distances_to_nothing_are_an_empty_table() -> None:
    assert squared_distances(torch.ones(3, 2), torch.ones(0, 2)).shape == (3, 0)


def test_class_minimum_by_hand() -> None:
    values = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    smallest = class_minimum(values, torch.tensor([0, 2, 0]), 3)
    assert torch.equal(smallest, torch.tensor([[2.0, torch.inf, 1.0], [0.0, torch.inf, 5.0]]))


@given(seed=st.integers(0, 10_000))
def test_distances_to_the_nearest_of_each_class_are_the_naive_loop(seed: int) -> None:
    query, support, labels = (
        normal(3, 4, seed=seed),
        normal(6, 4, seed=seed + 1),
        torch.tensor([0, 1, 1, 0, 2, 1]),
    )
    naive = torch.tensor(
        [
            [
                min(
                    float(((q - x) ** 2).sum()) for x, y in zip(support, labels, strict=True) if int(y) == way
                )
                for way in range(3)
            ]
            for q in query
        ],
        dtype=DOUBLE,
    )
    nearest = class_minimum(squared_distances(query, support), labels, 3)
    torch.testing.assert_close(nearest, naive)


def naive_ridge(
    support: torch.Tensor, targets: torch.Tensor, penalty: float, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Solve the normal equations of [x, 1] with the penalty on all but the last coefficient."""
    rows = torch.cat([support, support.new_ones(len(support), 1)], 1)
    penalties = penalty * torch.eye(rows.shape[1], dtype=DOUBLE)
    penalties[-1, -1] = 0
    weighted = rows.T * weights
    solution = torch.linalg.inv(weighted @ rows + penalties) @ weighted @ targets
    return solution[:-1], solution[-1]


# (S, D): Woodbury where S <= D, the primal system where S > D.
SHAPES = [(6, 10), (10, 10), (25, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_solves_the_normal_equations(shape: tuple[int, int], penalty: float, weighted: bool) -> None:
    support = normal(*shape) + 3
    targets = one_hot(torch.arange(shape[0]) % 3, 3)
    weights = 0.5 + torch.rand(shape[0], generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    chosen = weights if weighted else None
    coefficients, intercept = ridge_solution(support, targets, penalty, chosen)
    expected = naive_ridge(
        support, targets, penalty, weights if weighted else torch.ones(shape[0], dtype=DOUBLE)
    )
    torch.testing.assert_close(coefficients, expected[0], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(intercept, expected[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_ridge_leave_one_out_is_refitting_without_each_example(
    shape: tuple[int, int], penalty: float
) -> None:
    support, labels = normal(*shape), torch.arange(shape[0]) % 3
    targets = one_hot(labels, 3)
    weights = even_weights(labels, 3, support)
    left_out = ridge_leave_one_out(support, targets, penalty, weights)
    for place in range(shape[0]):
        keep = torch.arange(shape[0]) != place
        coefficients, intercept = naive_ridge(support[keep], targets[keep], penalty, weights[keep])
        torch.testing.assert_close(
            left_out[place], support[place] @ coefficients + intercept, rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 2, 0, 1, 2, 2], [0, 0, 0, 1, 1, 3]])
@pytest.mark.parametrize("width", [3, 40])
def test_refitted_ridge_is_the_learner_without_each_example(labels: list[int], width: int) -> None:
    """With two examples of a class its weight is another one when one of them is left out."""
    support, own = normal(len(labels), width), torch.tensor(labels)
    found = ridge_refitted(support, own, 4, 0.7)
    for place in range(len(labels)):
        keep = torch.arange(len(labels)) != place
        rest = SupportSet(support[keep], own[keep], ("a", "b", "c", "d"))
        judged, _ = (
            Ridge(0.7)
            .fit(rest)
            .judge(support[place : place + 1], torch.zeros(1, len(labels) - 1), torch.zeros(1, 4))
        )
        torch.testing.assert_close(found[place], judged[0], rtol=1e-6, atol=1e-8)


def test_one_example_alone_is_refitted_without_harm() -> None:
    assert ridge_refitted(normal(1, 5), torch.tensor([0]), 2, 1.0).isfinite().all()


def test_ridge_with_a_huge_penalty_answers_like_dot_products_with_class_means() -> None:
    # Centred by hand and of equal class sizes: then the limit is exactly the dot product with the class mean.
    labels = torch.arange(20) % 4
    support = normal(20, 6)
    support = support - support.mean(0)
    coefficients, intercept = ridge_solution(support, one_hot(labels, 4), 1e9)
    query = normal(200, 6, seed=2)
    dots = query @ prototypes(support, labels, 4).T
    assert torch.equal((query @ coefficients + intercept).argmax(1), dots.argmax(1))


def test_even_weights_count_every_class_the_same() -> None:
    labels = torch.tensor([0, 0, 0, 2])
    weights = even_weights(labels, 3, torch.ones(1, dtype=DOUBLE))
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2 / 3, 2 / 3, 2.0], dtype=DOUBLE))
    assert float(weights.mean()) == pytest.approx(1)


LABELS = torch.tensor([0, 1, 2, 0, 1])


def leaf(*shape: int, seed: int) -> torch.Tensor:
    return normal(*shape, seed=seed).requires_grad_()


def test_gradients_of_the_prototypical_heads() -> None:
    def euclidean(support: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        return squared_euclidean_logits(query, prototypes(support, LABELS, 3))

    def cosine(support: torch.Tensor, query: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return cosine_logits(query, prototypes(support, LABELS, 3), scale)

    assert gradcheck(euclidean, (leaf(5, 4, seed=0), leaf(3, 4, seed=1)))
    scale = torch.tensor(3.0, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(cosine, (leaf(5, 4, seed=0), leaf(3, 4, seed=1), scale))


def test_gradients_of_the_nearest_head() -> None:
    def nearest(support: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        return class_minimum(squared_distances(query, support), LABELS, 3)

    assert gradcheck(nearest, (leaf(5, 4, seed=0), leaf(3, 4, seed=1)))


@pytest.mark.parametrize("dimension", [8, 3])
def test_gradients_of_ridge_reach_examples_and_penalty(dimension: int) -> None:
    def solution(support: torch.Tensor, penalty: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return ridge_solution(support, one_hot(LABELS, 3), penalty)

    penalty = torch.tensor(0.7, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(solution, (leaf(5, dimension, seed=0), penalty))


@pytest.mark.parametrize("ways", [2, 5, 20])
def test_the_loss_before_learning_is_the_logarithm_of_the_ways(ways: int) -> None:
    # An untrained network tells nothing apart: all embeddings nearly the same.
    query, means = 1e-4 * normal(50, 8), 1e-4 * normal(ways, 8, seed=1)
    targets = torch.arange(50) % ways
    for logits in (squared_euclidean_logits(query, means), cosine_logits(query, means, 0.01)):
        loss = torch.nn.functional.cross_entropy(logits, targets)
        assert float(loss) == pytest.approx(float(torch.tensor(ways).log()), abs=0.02)


def test_training_through_the_prototypical_head_learns_a_gaussian_world() -> None:
    # Two informative directions drown in fourteen loud ones; a trained linear map must find them.
    generator = torch.Generator().manual_seed(0)
    noise = torch.ones(16)
    noise[:2] = 0.3
    embed = torch.nn.Parameter(0.1 * torch.randn(16, 4, generator=generator))
    optimiser = torch.optim.Adam([embed], 0.02)
    labels, asked = torch.arange(5), torch.arange(5).repeat(10)

    def episode() -> tuple[torch.Tensor, torch.Tensor]:
        centres = torch.cat([torch.randn(5, 2, generator=generator), torch.zeros(5, 14)], 1)
        support = centres + noise * torch.randn(5, 16, generator=generator)
        return support, centres[asked] + noise * torch.randn(50, 16, generator=generator)

    def logits(support: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        return squared_euclidean_logits(query @ embed, prototypes(support @ embed, labels, 5))

    for _ in range(200):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(logits(*episode()), asked).backward()
        optimiser.step()
    right = possible = 0.0
    for _ in range(50):
        support, query = episode()
        right += float((logits(support, query).argmax(1) == asked).double().mean())
        best = squared_euclidean_logits(query[:, :2], support[:, :2])
        possible += float((best.argmax(1) == asked).double().mean())
    assert right > 0.9 * possible
