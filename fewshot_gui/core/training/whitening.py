"""Whitening: the last layer of a network set so that every direction of its features has its say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

# Of the largest variance: directions of less are noise, and dividing by it would make them the loudest.
_FLOOR = 1e-3
_NO_VARIANCE = 1e-12


class Projecting(Protocol):
    """A network that ends in a linear map of its features."""

    embedding: nn.Linear


def whitening(features: Tensor, dimension: int, power: float) -> tuple[Tensor, Tensor]:
    """Return the map (D, F) and the offset (D,) that centre features and even out their components.

    The components of most variance are divided by their standard deviation to the power: 0 only turns them, 1
    gives all the same variance. The results are of length one in the mean.

    Args:
        features: float (n, F).
        dimension: D, at most F.
        power: 0 to 1.
    """
    values = features.double()
    mean = values.mean(dim=0)
    covariance = (values - mean).T @ (values - mean) / len(values)
    variances, axes = torch.linalg.eigh(covariance)
    variances, axes = variances.flip(0)[:dimension], axes.flip(1)[:, :dimension]
    if float(variances[0]) < _NO_VARIANCE:  # all alike: nothing tells them apart, whatever the map
        return torch.zeros(dimension, len(mean)), torch.zeros(dimension)
    kept = variances.clamp(min=0) + _FLOOR * variances[0]
    mapped = (axes * kept ** (-power / 2)).T
    mapped = mapped / ((values - mean) @ mapped.T).square().sum(dim=1).mean().sqrt()
    return mapped.float(), -(mapped @ mean).float()


def fold_whitening(network: Projecting, features: Tensor, power: float) -> None:
    """Set the network's last layer to the whitening of its features, in place of what training made of it.

    What a layer on top learned to please its loss is best left behind (Chen et al. 2020, "A simple framework
    for contrastive learning", section 4.2): few-shot accuracy is higher before it than after it.

    Args:
        network: ends in `embedding`.
        features: float (n, F), what comes into that layer for training pictures.
        power: see `whitening`.
    """
    weight, bias = whitening(features, network.embedding.out_features, power)
    with torch.no_grad():
        network.embedding.weight.copy_(weight)
        network.embedding.bias.copy_(bias)
