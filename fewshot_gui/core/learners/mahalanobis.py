"""Class means under shrunk covariances, shared and of each class (Bateni et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from fewshot_gui.core.learners.calibration import LeftOut, converted_temperature, temperature_for_shots
from fewshot_gui.core.learners.distances import squared_distances
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

_LEAST_LEVEL = 1e-12
# Of the spread of all examples: what the spread within the classes is taken for at least.
_LEAST_SHARE = 1e-4
_LEAST_REACH = 0.1


def unbiased_residuals(support: Tensor, labels: Tensor, means: Tensor) -> Tensor:
    """Return (S, D), the examples less their class mean, times sqrt(n / (n - 1)); zeros for a lone example.

    The factor makes the mean of their outer products an unbiased covariance.

    Args:
        support: float (S, D).
        labels: int64 (S,).
        means: float (N, D), of the classes.
    """
    counts = torch.bincount(labels, minlength=len(means))[labels].unsqueeze(1).to(support.dtype)
    return (support - means[labels]) * (counts / (counts - 1).clamp(min=1)).sqrt()


def ledoit_wolf(rows: Tensor, dimension: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the shrunk covariance (D, D) of rows whose mean is known to be 0, and the share of shrinkage.

    Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices": the mix
    with a multiple of the identity whose expected squared error is least, the share estimated from the rows.

    Args:
        rows: float (S, D), S at least 1.
        dimension: of the space, where D coordinates are those of the rows' span alone: then (D, D) is the
            part of the answer in that span, and outside it is the multiple of the identity; by default D.
    """
    count, spanned = rows.shape
    dimension = spanned if dimension is None else dimension
    covariance = rows.T @ rows / count
    level = covariance.diagonal().sum() / dimension
    identity = torch.eye(spanned, dtype=rows.dtype, device=rows.device)
    apart = (covariance - level * identity).square().sum() + (dimension - spanned) * level.square()
    fourth = rows.square().sum(1).square().sum() / count**2 - covariance.square().sum() / count
    share = (fourth / apart).clamp(0, 1) if float(apart.detach()) > 0 else torch.ones_like(apart)
    return (1 - share) * covariance + share * level * identity, share


def whitened(rows: Tensor, factor: Tensor) -> Tensor:
    """Return (S, D), rows whose Euclidean distances are the Mahalanobis distances under L L'.

    Args:
        rows: float (S, D).
        factor: float (D, D), L, lower triangular.
    """
    white: Tensor = torch.linalg.solve_triangular(factor, rows.T, upper=False).T
    return white


@dataclass(frozen=True, slots=True, eq=False)
class ClassSpread:
    """The classes' own covariances, among whitened points where the shared one is the identity.

    That of class k is (I + (n - 1) / D C) / (1 + (n - 1) / D) with C the covariance of its n examples: the
    shared one counts as D examples, as a covariance of D dimensions asks for of the order of D of them.
    Simple CNAPS (Bateni et al. 2020) counts it as one, for a network that was trained for that.

    D is the dimension of the space, though coordinates may be those of a span that holds all examples.

    Attributes:
        means: float (N, D), whitened.
        directions: float (E, D): the inverse of class k is I less the outer products of its directions,
            times its stretch.
        labels: int64 (E,), the class of each direction.
        stretch: float (N,), 1 + (n - 1) / D.
    """

    means: Tensor
    directions: Tensor
    labels: Tensor
    stretch: Tensor

    @classmethod
    def of(
        cls, residuals: Tensor, labels: Tensor, means: Tensor, dimension: int | None = None
    ) -> ClassSpread:
        """Return it for whitened unbiased residuals (S, R) with labels (S,), means (N, R), and D, else R."""
        dimension = residuals.shape[1] if dimension is None else dimension
        others = (torch.bincount(labels, minlength=len(means)).to(means.dtype) - 1).clamp(min=0)
        found = [means[:0]]
        owners = [labels[:0]]
        for way in others.gt(0).nonzero().squeeze(1).tolist():
            count = float(others[way])
            found.append(_taken_directions(residuals[labels == way], count / ((count + 1) * dimension)))
            owners.append(labels.new_full((len(found[-1]),), way))
        return cls(means, torch.cat(found), torch.cat(owners), 1 + others / dimension)

    def squared(self, points: Tensor, beyond: Tensor | float = 0.0) -> Tensor:
        """Return (Q, N), the squared Mahalanobis distances of whitened points to the classes.

        Args:
            points: float (Q, R).
            beyond: float (Q, 1), their squared distances from the span, whitened; 0 where it is all.
        """
        along = self._along(points)
        plain = squared_distances(points, self.means) + beyond
        return self.stretch * (plain - self._by_class(along.square())).clamp(min=0)

    def without(self, points: Tensor, residuals: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return three tables (M, N) of products under the classes' inverse covariances before the stretch.

        They are what Sherman and Morrison's formula asks for to take an example out of a covariance: of
        the difference d to the class mean with itself, of d with the example's residual u, and 1 - c u'u.

        Args:
            points: float (M, D), whitened examples.
            residuals: float (M, D), theirs.
            share: float (M, N), c: what part of u u' the covariance of the class holds.
        """
        along, residual_along = self._along(points), residuals @ self.directions.T
        squared = squared_distances(points, self.means) - self._by_class(along.square())
        mixed = (points * residuals).sum(1, keepdim=True) - residuals @ self.means.T
        own = residuals.square().sum(1, keepdim=True) - self._by_class(residual_along.square())
        tiny = torch.finfo(points.dtype).eps
        return squared, mixed - self._by_class(along * residual_along), (1 - share * own).clamp(min=tiny)

    def _along(self, points: Tensor) -> Tensor:
        """Return (M, E), the differences of the points to each direction's class mean, along it."""
        return points @ self.directions.T - (self.means[self.labels] * self.directions).sum(1)

    def _by_class(self, values: Tensor) -> Tensor:
        """Return (M, N), values (M, E) summed over the directions of each class."""
        return values.new_zeros(values.shape[0], len(self.means)).index_add(1, self.labels, values)


def _taken_directions(residuals: Tensor, weight: float) -> Tensor:
    """Return V with (I + weight U'U)^-1 = I - V'V for residuals U (n, D), by Woodbury's identity."""
    if len(residuals) > residuals.shape[1]:  # U'U = R'R, and R has no more rows than columns
        residuals = torch.linalg.qr(residuals, mode="r").R
    gram = weight * residuals @ residuals.T
    core = torch.linalg.cholesky(gram + torch.eye(len(gram), dtype=gram.dtype, device=gram.device))
    directions: Tensor = torch.linalg.solve_triangular(core, weight**0.5 * residuals, upper=False)
    return directions


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """From embeddings to coordinates in which the shared covariance is the identity; float64.

    Few examples span little of the space, and outside their span that covariance is a multiple of the
    identity: so R coordinates and one distance say all, and a matrix of (R, R) does for one of (D, D).

    Attributes:
        centre: (D,), a point of the span.
        basis: (D, R), of the span's directions; None: they are all of them.
        inverse: (R, R), of L, of the shared covariance L L' in the span.
        outside: the variance in every direction outside the span.
        reach: how far the other anchors lie from the centre.
    """

    centre: Tensor
    basis: Tensor | None
    inverse: Tensor
    outside: float
    reach: float

    def anchors(self) -> Tensor:
        """Return (A, D), points whose distances say where in the span a point lies, and how far from it.

        They are the centre and one in each direction of the span; none where it is the whole space.
        """
        if self.basis is None:
            return self.centre.new_zeros(0, len(self.centre))
        return torch.cat([self.centre.unsqueeze(0), self.centre + self.reach * self.basis.T])

    def points(self, rows: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the whitened coordinates (Q, R) of embeddings, and beyond them squared, (Q, 1).

        Args:
            rows: float (Q, D).
            to_anchors: float (Q, A), their squared distances to the anchors: one product of matrices gives
                these together with those to the examples, and no embedding is looked at again.
        """
        if self.basis is None:
            return (rows.double() - self.centre) @ self.inverse.T, self.centre.new_zeros(rows.shape[0], 1)
        whole, others = to_anchors[:, :1].double(), to_anchors[:, 1:].double()
        inside = (whole + self.reach**2 - others) / (2 * self.reach)
        beyond = (whole - inside.square().sum(1, keepdim=True)).clamp(min=0) / self.outside
        return inside @ self.inverse.T, beyond


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """All that is estimated from a support set; float64.

    Attributes:
        whitening: by the shared covariance.
        kept: the share of the sample covariance in it, divided by the number of its rows.
        residuals: (S, R), whitened.
        points: (S, R), the whitened examples.
        spread: of the classes.
    """

    whitening: Whitening
    kept: float
    residuals: Tensor
    points: Tensor
    spread: ClassSpread

    @classmethod
    def of(cls, support: SupportSet, cancel: Cancel | None) -> _Fit:
        labels, n_way = support.labels, len(support.classes)
        examples = support.embeddings.double()
        centre = examples.mean(0)
        moved = examples - centre
        basis = torch.linalg.qr(moved.T)[0] if len(moved) < moved.shape[1] else None
        rows = moved if basis is None else moved @ basis
        residuals = unbiased_residuals(rows, labels, prototypes(rows, labels, n_way))
        shared = _shared_covariance(rows, residuals[support.counts()[labels] > 1], moved.shape[1])
        if cancel is not None:
            cancel()
        factor = torch.linalg.cholesky(shared.inside)
        # Its inverse, as ten thousand queries are multiplied in half the time in which they are solved for.
        identity = torch.eye(len(factor), dtype=factor.dtype, device=factor.device)
        inverse = torch.linalg.solve_triangular(factor, identity, upper=False)
        whitening = Whitening(centre, basis, inverse, shared.outside, _reach(examples, moved))
        points, white = whitened(rows, factor), whitened(residuals, factor)
        if cancel is not None:
            cancel()
        spread = ClassSpread.of(white, labels, prototypes(points, labels, n_way), moved.shape[1])
        return cls(whitening, shared.kept, white, points, spread)

    def left_out_scores(self, left_out: LeftOut) -> Tensor:
        """Return (M, N), minus the squared distances of examples to means and covariances without them.

        Exact but for the degree of shrinkage and the numbers of examples, which stay.
        """
        rows, labels = left_out.rows, left_out.labels.unsqueeze(1)
        counts = left_out.support.counts()[labels].double()
        factor = counts / (counts - 1).clamp(min=1)  # of the residual, and of its outer product
        share = (self.kept * factor).expand(-1, len(self.spread.means))
        share = share.scatter_add(1, labels, torch.full_like(factor, 1 / len(self.whitening.centre)))
        squared, mixed, rest = self.spread.without(self.points[rows], self.residuals[rows], share)
        scale = torch.ones_like(squared).scatter(1, labels, factor)
        further = scale.square() * (squared + share * mixed.square() / rest)
        return -self.spread.stretch * further


def _reach(examples: Tensor, moved: Tensor) -> float:
    """Return about how far the examples (S, D) lie from their mean: there a distance says most in float32.

    Copies of one picture do not lie apart; then it is a share of how far they lie from the origin.

    Args:
        examples: float64 (S, D).
        moved: float64 (S, D), less their mean.
    """
    apart, away = (float(rows.square().sum(1).mean()) ** 0.5 for rows in (moved, examples))
    return max(apart, _LEAST_REACH * away) or 1.0


class _Shared(NamedTuple):
    """The covariance (R, R) in the span, the variance outside it, the weight of each residual's product."""

    inside: Tensor
    outside: float
    kept: float


def _shared_covariance(rows: Tensor, residuals: Tensor, dimension: int) -> _Shared:
    """Return the covariance within the classes, of examples (S, R) that span R of so many dimensions.

    Without a class of two examples it is a multiple of the identity: distances are Euclidean then.
    """
    identity = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
    level = float(rows.square().sum(1).mean()) / dimension
    if not len(residuals):
        least = max(level, _LEAST_LEVEL)
        return _Shared(least * identity, least, 0.0)
    covariance, share = ledoit_wolf(residuals, dimension)
    floor = max(_LEAST_SHARE * level, _LEAST_LEVEL)  # copies of one picture have no spread
    within = float(residuals.square().sum(1).mean()) / dimension
    kept = (1 - float(share)) / len(residuals)
    return _Shared(covariance + floor * identity, float(share) * within + floor, kept)


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """The class mean nearest in units of the spread, estimated and shrunk from the support set.

    Bateni, Goyal, Masrani, Wood and Sigal 2020, "Improved Few-Shot Visual Classification" (Simple CNAPS):
    a mix of the covariance of each class and a shared one. Shared is what the classes spread around
    their means, shrunk as Ledoit and Wolf 2004 do. With one example a class distances are Euclidean.

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "mahalanobis"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> MahalanobisClassifier:
        """Return means and covariances with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        fit = _Fit.of(support, cancel)
        left_out = LeftOut.of(support)
        examples = support.embeddings
        scores = -fit.spread.squared(fit.points[left_out.rows])
        means = prototypes(examples, support.labels, len(support.classes))
        temperature = converted_temperature(
            temperature_for_shots(self.default_temperature, support),
            scores,
            squared_euclidean_logits(examples[left_out.rows], means),
            support.present(),
        )
        calibration = left_out.calibrate(
            fit.left_out_scores(left_out),
            temperature=temperature,
            novelty=self.default_novelty,
            to_means=True,
        )
        finish(progress, cancel)
        return MahalanobisClassifier(
            support=support,
            calibration=calibration,
            anchors=fit.whitening.anchors().to(examples.dtype),
            whitening=fit.whitening,
            spread=fit.spread,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MahalanobisClassifier(FittedClassifier):
    """Class means with their covariances; `anchors` are the whitening's.

    Attributes:
        whitening: by the covariance that the classes share.
        spread: of the classes, among points whitened by it.
    """

    whitening: Whitening
    spread: ClassSpread

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared Mahalanobis distances and the distances, (Q, N) each."""
        squared = self.spread.squared(*self.whitening.points(query, to_anchors)).to(query.dtype)
        return -squared, squared.sqrt()
