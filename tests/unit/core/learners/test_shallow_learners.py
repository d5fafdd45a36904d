"""SimpleShot, shrinkage Mahalanobis, rectified prototypes, folds: by hand and against linear algebra."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.calibration import LeftOut
from fewshot_gui.core.learners.distances import squared_distances
from fewshot_gui.core.learners.folds import NEVER, balanced_folds
from fewshot_gui.core.learners.mahalanobis import (
    ClassSpread,
    Mahalanobis,
    _Fit,
    ledoit_wolf,
    unbiased_residuals,
    whitened,
)
from fewshot_gui.core.learners.prototypical import Prototypical, prototypes
from fewshot_gui.core.learners.rectify import (
    fit_rectified,
    pool_proportions,
    pool_shift,
    rectified_prototypes,
)
from fewshot_gui.core.learners.simpleshot import (
    SimpleShot,
    are_normalised,
    centred_and_normalised,
    task_centre,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]

DOUBLE = torch.float64
LABELS = torch.tensor([0, 0, 0, 1, 1, 2])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def test_centring_and_normalising_by_hand() -> None:
    rows = torch.tensor([[4.0, 5.0], [1.0, 3.0]])
    moved = centred_and_normalised(rows, torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(moved, torch.tensor([[0.6, 0.8], [0.0, 1.0]]))


def test_a_row_at_the_centre_has_no_direction_even_after_rounding() -> None:
    centre = torch.full((3,), 1 / 3)
    moved = centred_and_normalised(torch.stack([centre, centre + 1e-8]), centre)
    assert float(moved.abs().max()) < 1e-2


def test_the_centre_of_a_task_counts_every_class_the_same() -> None:
    rows = torch.tensor([[0.0], [2.0], [9.0]])
    assert task_centre(rows, torch.tensor([0, 0, 2]), 3).tolist() == [5.0]


def test_gradients_of_centring_and_normalising() -> None:
    assert gradcheck(
        centred_and_normalised, (normal(3, 4).requires_grad_(), normal(4, seed=1).requires_grad_())
    )


def test_simpleshot_on_a_normalised_embedding_is_prototypical(world: World) -> None:
    support, query, _ = world([3, 2, 5])
    unit = SupportSet(
        torch.nn.functional.normalize(support.embeddings, dim=1), support.labels, support.classes
    )
    assert are_normalised(unit.embeddings)
    asked = torch.nn.functional.normalize(query, dim=1)
    first, second = SimpleShot(0.1).fit(unit), Prototypical("euclidean", 0.1).fit(unit)
    assert first.centre is None
    torch.testing.assert_close(first.predict(asked).scores, second.predict(asked).scores)
    assert first.temperature == pytest.approx(second.temperature, rel=1e-4)


def test_simpleshot_is_the_nearest_mean_after_the_transformation(world: World) -> None:
    support, query, _ = world([3, 2, 5], noise=1.0)
    centre = torch.arange(16.0) / 16
    classifier = SimpleShot(centre=centre).fit(support)

    def move(rows: torch.Tensor) -> torch.Tensor:
        return (rows - centre) / (rows - centre).norm(dim=1, keepdim=True)

    means = prototypes(move(support.embeddings), support.labels, 3)
    prediction = classifier.predict(query)
    assert prediction.distances is not None
    torch.testing.assert_close(prediction.distances, torch.cdist(move(query), means), rtol=1e-4, atol=1e-4)


def test_a_shift_of_all_embeddings_changes_nothing_when_the_task_gives_the_centre(world: World) -> None:
    support, query, _ = world([3, 2, 5])
    moved = SupportSet(support.embeddings + 7, support.labels, support.classes)
    first, second = SimpleShot().fit(support).predict(query), SimpleShot().fit(moved).predict(query + 7)
    torch.testing.assert_close(first.probabilities, second.probabilities, rtol=1e-3, atol=1e-4)


def test_residuals_have_the_covariance_with_n_minus_1() -> None:
    rows = normal(6, 3)
    residuals = unbiased_residuals(rows, LABELS, prototypes(rows, LABELS, 3))
    expected = np.cov(rows[:3].numpy().T)
    np.testing.assert_allclose((residuals[:3].T @ residuals[:3]).numpy() / 3, expected)
    assert torch.equal(residuals[5], torch.zeros(3, dtype=DOUBLE))


def naive_ledoit_wolf(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the paper's formula, the outer product of every row by itself."""
    count, dimension = rows.shape
    sample = sum(np.outer(row, row) for row in rows) / count
    level = np.trace(sample) / dimension
    apart = np.linalg.norm(sample - level * np.eye(dimension)) ** 2 / dimension
    scatter = sum(np.linalg.norm(np.outer(row, row) - sample) ** 2 for row in rows) / dimension / count**2
    share = min(scatter, apart) / apart
    return (1 - share) * sample + share * level * np.eye(dimension), share


@given(count=st.integers(2, 30), seed=st.integers(0, 1000))
def test_shrinkage_is_the_one_of_the_paper(count: int, seed: int) -> None:
    rows = normal(count, 4, seed=seed) * torch.tensor([5.0, 1.0, 1.0, 0.2], dtype=DOUBLE)
    covariance, share = ledoit_wolf(rows)
    expected, expected_share = naive_ledoit_wolf(rows.numpy())
    assert float(share) == pytest.approx(expected_share, abs=1e-9)
    np.testing.assert_allclose(covariance.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_shrinkage_by_hand() -> None:
    # Rows +-e1: sample diag(1, 0), level 1/2; every outer product is the sample itself, so no shrinkage.
    covariance, share = ledoit_wolf(torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=DOUBLE))
    assert float(share) == 0
    assert covariance.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    # Rows e1 and e2: the sample is a multiple of the identity already.
    assert float(ledoit_wolf(torch.eye(2, dtype=DOUBLE))[1]) == 1


def test_gradients_of_shrinkage_and_whitening() -> None:
    rows = normal(5, 3).requires_grad_()
    assert gradcheck(lambda x: ledoit_wolf(x)[0], (rows,))
    factor = torch.linalg.cholesky(torch.eye(3, dtype=DOUBLE) + 0.1).requires_grad_()
    assert gradcheck(lambda x, f: whitened(x, f.tril()), (rows, factor))


def test_whitening_by_hand() -> None:
    white = whitened(torch.tensor([[2.0, 3.0]]), torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
    assert white.tolist() == [[1.0, 1.0]]


def class_covariances(
    rows: np.ndarray, labels: np.ndarray, ways: int, shared: np.ndarray
) -> list[np.ndarray]:
    """Return the covariance of each class, the shared one counted as D examples."""
    dimension, found = rows.shape[1], []
    for way in range(ways):
        own = rows[labels == way]
        others = max(0, len(own) - 1)
        spread = np.cov(own.T) if others else np.zeros((dimension, dimension))
        found.append((dimension * shared + others * spread) / (dimension + others))
    return found


@pytest.mark.parametrize("counts", [[4, 3, 1], [30, 2, 5]])
def test_distances_are_those_of_numpy(counts: list[int]) -> None:
    labels = torch.arange(3).repeat_interleave(torch.tensor(counts))
    rows, query = normal(len(labels), 5), normal(7, 5, seed=1)
    means = prototypes(rows, labels, 3)
    residuals = unbiased_residuals(rows, labels, means)
    shared, _ = ledoit_wolf(residuals[torch.tensor(counts)[labels] > 1])
    factor = torch.linalg.cholesky(shared)
    spread = ClassSpread.of(whitened(residuals, factor), labels, whitened(means, factor))
    got = spread.squared(whitened(query, factor)).numpy()
    covariances = class_covariances(rows.numpy(), labels.numpy(), 3, shared.numpy())
    for way, covariance in enumerate(covariances):
        apart = query.numpy() - means[way].numpy()
        expected = np.einsum("qi,ij,qj->q", apart, np.linalg.inv(covariance), apart)
        np.testing.assert_allclose(got[:, way], expected, rtol=1e-8)


def test_few_examples_are_computed_in_their_span() -> None:
    rows, query = normal(7, 40), normal(9, 40, seed=3)
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2])
    support = SupportSet(rows, labels, ("a", "b", "c"))
    means = prototypes(rows, labels, 3)
    residuals = unbiased_residuals(rows, labels, means)
    shared, share = ledoit_wolf(residuals[:6])
    level = float((rows - rows.mean(0)).square().sum(1).mean()) / 40
    factor = torch.linalg.cholesky(shared + 1e-4 * level * torch.eye(40, dtype=DOUBLE))
    whole = ClassSpread.of(whitened(residuals, factor), labels, whitened(means, factor))
    fit = _Fit.of(support, None)
    assert fit.points.shape == (7, 7)
    to_anchors = squared_distances(query, fit.whitening.anchors())
    torch.testing.assert_close(
        fit.spread.squared(*fit.whitening.points(query, to_anchors)), whole.squared(whitened(query, factor))
    )
    assert fit.kept == pytest.approx((1 - float(share)) / 6)
    got = Mahalanobis().fit(support).predict(query).scores
    torch.testing.assert_close(got, -whole.squared(whitened(query, factor)))


@pytest.mark.parametrize(("spread", "away"), [(1.0, 0.0), (1.0, 30.0), (1e-3, 1.0), (1e4, 0.0), (0.0, 1.0)])
def test_single_precision_is_enough_wherever_the_examples_lie(spread: float, away: float) -> None:
    labels = torch.arange(3).repeat(4)
    place = away * normal(1, 40, seed=5) / 40**0.5
    rows = (place + spread * (normal(12, 40) + 2 * normal(3, 40, seed=1)[labels])).float()
    query = torch.cat([(place + (spread or 1.0) * normal(9, 40, seed=3)).float(), rows])
    exact, got = (
        Mahalanobis().fit(SupportSet(rows.to(kind), labels, ("a", "b", "c"))).predict(query.to(kind))
        for kind in (DOUBLE, torch.float32)
    )
    size = float(exact.scores.abs().max())
    torch.testing.assert_close(got.scores.double(), exact.scores, rtol=1e-3, atol=1e-4 * size)


def test_left_out_examples_are_taken_out_of_mean_and_covariances() -> None:
    rows = normal(7, 3)
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2])
    support = SupportSet(rows, labels, ("a", "b", "c"))
    fit, left_out = _Fit.of(support, None), LeftOut.of(support)
    got = fit.left_out_scores(left_out)
    shared = torch.linalg.inv(fit.whitening.inverse.T @ fit.whitening.inverse)
    residuals = unbiased_residuals(rows, labels, prototypes(rows, labels, 3))
    for place in range(6):
        own, outer = int(labels[place]), torch.outer(residuals[place], residuals[place])
        others = (labels == own) & (torch.arange(7) != place)
        without = shared - fit.kept * 1.5 * outer  # n / (n - 1) for three examples
        for way in range(3):
            spread = torch.zeros(3, 3, dtype=DOUBLE)
            members = residuals[labels == way]
            n = len(members)
            if n > 1:
                spread = members.T @ members / n * (n - 1)
            if way == own:
                spread = spread - outer
            covariance = (3 * without + spread) / (3 + n - 1)
            mean = rows[others].mean(0) if way == own else rows[labels == way].mean(0)
            apart = rows[place] - mean
            expected = apart @ torch.linalg.inv(covariance) @ apart
            torch.testing.assert_close(got[place, way], -expected, rtol=1e-6, atol=1e-9)


def test_one_example_each_is_prototypical(world: World) -> None:
    support, query, _ = world([1, 1, 1])
    first, second = Mahalanobis(0.3).fit(support), Prototypical("euclidean", 0.3).fit(support)
    torch.testing.assert_close(
        first.predict(query).probabilities, second.predict(query).probabilities, rtol=1e-3, atol=1e-4
    )


def test_a_loud_direction_that_means_nothing_is_turned_down() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.tensor([10.0] + [0.3] * 5)
    centres = torch.cat([torch.zeros(3, 1), torch.randn(3, 5, generator=generator)], 1)
    labels, asked = torch.arange(3).repeat(10), torch.arange(3).repeat(50)
    support = SupportSet(
        centres[labels] + noise * torch.randn(30, 6, generator=generator), labels, ("a", "b", "c")
    )
    query = centres[asked] + noise * torch.randn(150, 6, generator=generator)

    def share(learner: Mahalanobis | Prototypical) -> float:
        return float((learner.fit(support).predict(query).scores.argmax(1) == asked).double().mean())

    assert share(Mahalanobis()) > 0.95
    assert share(Prototypical()) < 0.8


def test_five_thousand_examples_are_no_trouble(world: World) -> None:
    support, query, asked = world([2500, 2500], dimension=40)
    answers = Mahalanobis().fit(support).predict(query).probabilities.argmax(1)
    assert float((answers == asked).double().mean()) > 0.95


def test_the_shares_of_a_pool_follow_its_pictures() -> None:
    logits = torch.tensor([[9.0, 0.0, 0.0]] * 97 + [[0.0, 9.0, 0.0]] * 3, dtype=DOUBLE)
    shares = pool_proportions(logits, torch.tensor([True, True, True]))
    torch.testing.assert_close(shares, torch.tensor([0.95, 0.04, 0.01], dtype=DOUBLE), rtol=0.05, atol=0.005)
    assert float(pool_proportions(logits, torch.tensor([True, False, True]))[1]) == 0


def test_the_shift_by_hand() -> None:
    means = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    pool = torch.tensor([[1.0, 1.0], [1.0, 3.0]])
    assert pool_shift(means, pool, torch.tensor([0.5, 0.5])).tolist() == [1.0, -2.0]
    assert pool_shift(means, pool, torch.tensor([1.0, 0.0])).tolist() == [-1.0, -2.0]


def test_rectified_prototypes_by_hand() -> None:
    # Orthogonal classes, sharp enough to be certain, the pool centred where it should be: a plain mean.
    support, pool = torch.eye(2, dtype=DOUBLE), torch.tensor([[3.0, 0.0], [0.0, 3.0]], dtype=DOUBLE)
    means, shift = rectified_prototypes(support, torch.tensor([0, 1]), 2, pool, sharpness=1e3)
    torch.testing.assert_close(shift, torch.tensor([-1.0, -1.0], dtype=DOUBLE))
    torch.testing.assert_close(means, torch.tensor([[1.5, -0.5], [-0.5, 1.5]], dtype=DOUBLE))


def test_gradients_of_the_rectified_prototypes() -> None:
    support, pool = normal(4, 3).requires_grad_(), normal(6, 3, seed=1).requires_grad_()
    labels = torch.tensor([0, 1, 0, 1])
    assert gradcheck(lambda s, p: rectified_prototypes(s, labels, 2, p)[0], (support, pool))


def test_no_pool_leaves_the_prototypes() -> None:
    support = normal(4, 3)
    means, shift = rectified_prototypes(support, torch.tensor([0, 0, 1, 1]), 3, support[:0])
    assert torch.equal(means, prototypes(support, torch.tensor([0, 0, 1, 1]), 3))
    assert torch.equal(shift, torch.zeros(3, dtype=DOUBLE))


def pool_gain(world: World, shares: tuple[int, ...]) -> float:
    """Return by how much a pool of so many pictures a class raises the share right, over 30 tasks."""
    gain = 0.0
    for seed in range(30):
        support, query, asked = world([1] * 4, seed=seed, noise=1.3, queries=40)
        kept = torch.cat([(asked == way).nonzero().squeeze(1)[:count] for way, count in enumerate(shares)])
        pool, truth = query[kept], asked[kept]
        plain = Prototypical().fit(support).predict(pool).scores.argmax(1)
        with_pool = fit_rectified(support, pool).predict(pool).scores.argmax(1)
        gain += float((with_pool == truth).double().mean() - (plain == truth).double().mean())
    return gain / 30


def test_a_balanced_pool_helps_and_one_of_a_single_class_does_not_ruin(world: World) -> None:
    assert pool_gain(world, (15, 15, 15, 15)) > 0.03
    assert pool_gain(world, (40, 2, 2, 2)) > -0.02
    assert pool_gain(world, (40, 0, 0, 0)) > -0.05


def test_what_a_pool_has_touched_is_marked_transductive(world: World) -> None:
    support, query, _ = world([2, 2, 0])
    classifier = fit_rectified(support, query, default_temperature=0.2)
    assert classifier.transductive
    assert not hasattr(Prototypical().fit(support), "transductive")
    prediction = classifier.predict(query)
    assert bool((prediction.probabilities[:, 2] == 0).all())
    alone = classifier.predict(query[:1])
    torch.testing.assert_close(alone.scores, prediction.scores[:1])
    assert not math.isnan(classifier.novelty_threshold)


@given(
    counts=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
    folds=st.integers(2, 5),
)
def test_folds_are_even_never_take_a_whole_class_and_ignore_the_order(
    counts: list[int], seed: int, folds: int
) -> None:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    rows = normal(len(labels), 3, seed=seed)
    found = balanced_folds(rows, labels, len(counts), folds)
    for way, count in enumerate(counts):
        own = found[labels == way]
        if count == 1:
            assert own.tolist() == [NEVER]
            continue
        sizes = torch.bincount(own, minlength=folds)
        assert count == 0 or int(sizes.max()) < count
        assert int(sizes.max() - sizes.min()) <= 1
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    assert torch.equal(balanced_folds(rows[order], labels[order], len(counts), folds), found[order])
