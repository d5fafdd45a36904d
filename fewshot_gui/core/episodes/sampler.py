"""N-way K-shot episodes drawn from labels with an explicit generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class EpisodeError(ValueError):
    """Data that no such episode can be drawn from; its sentence says which class and what is needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """One N-way K-shot task as positions in a data set; no picture is in both sets.

    Attributes:
        support_index: int64 (N * K,), grouped by class.
        support_labels: int64 (N * K,), 0 .. N - 1.
        query_index: int64 (N * Q,), in shuffled order, so that no method can read the class off the place.
        query_labels: int64 (N * Q,), 0 .. N - 1.
        classes: int64 (N,), the data set's label of each of the episode's classes.
    """

    support_index: Tensor
    support_labels: Tensor
    query_index: Tensor
    query_labels: Tensor
    classes: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ClassIndex:
    """Where the pictures of each class lie: made once, so that an episode costs microseconds.

    Attributes:
        labels: int64 (C,), the distinct labels in ascending order.
        members: C tensors int64, the positions of each class's pictures.
        names: C names for messages.
    """

    labels: Tensor
    members: tuple[Tensor, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, labels: Tensor, names: Sequence[str] | None = None) -> ClassIndex:
        """Return the index of labels int64 (n,), which need not be contiguous.

        Args:
            labels: one label a picture, any integers.
            names: the name of label l at place l; without them a class is called by its number.
        """
        values, counts = torch.unique(labels.cpu(), return_counts=True)
        order = torch.argsort(labels.cpu(), stable=True)
        called = tuple(str(label) if names is None else names[label] for label in values.tolist())
        return cls(values, torch.split(order, counts.tolist()), called)

    def require(self, ways: int, pictures: int) -> None:
        """Check that every class has that many pictures and that there are enough classes.

        Raises:
            EpisodeError: names the class, how many pictures it has and how many are needed.
        """
        if ways < 1 or ways > len(self.members):
            raise EpisodeError(f"{ways} classes are needed for an episode, the data has {len(self.members)}")
        for name, member in zip(self.names, self.members, strict=True):
            if len(member) < pictures:
                raise EpisodeError(
                    f"class {name!r} has {len(member)} pictures, an episode needs {pictures} of each class; "
                    f"ask for fewer shots or queries, or add pictures"
                )


def sample_episode(
    labels: Tensor | ClassIndex, *, ways: int, shots: int, queries: int, generator: torch.Generator
) -> Episode:
    """Return an episode: classes drawn uniformly, then pictures drawn uniformly within each.

    Args:
        labels: int64 (n,), or their `ClassIndex` where many episodes are drawn.
        ways: N, the number of classes.
        shots: K, support pictures of each class, at least 1.
        queries: Q, query pictures of each class, at least 0.
        generator: on the CPU; the same state gives the same episode.

    Raises:
        EpisodeError: too few classes, or a class with fewer than K + Q pictures.
    """
    if shots < 1 or queries < 0:
        raise EpisodeError(f"an episode needs at least 1 shot and 0 queries, not {shots} and {queries}")
    index = labels if isinstance(labels, ClassIndex) else ClassIndex.of(labels)
    index.require(ways, shots + queries)
    chosen = torch.randperm(len(index.members), generator=generator)[:ways]
    drawn = torch.stack(
        [_draw(index.members[place], shots + queries, generator) for place in chosen.tolist()]
    )
    targets = torch.arange(ways).unsqueeze(1)
    shuffled = torch.randperm(ways * queries, generator=generator)
    return Episode(
        support_index=drawn[:, :shots].reshape(-1),
        support_labels=targets.expand(-1, shots).reshape(-1),
        query_index=drawn[:, shots:].reshape(-1)[shuffled],
        query_labels=targets.expand(-1, queries).reshape(-1)[shuffled],
        classes=index.labels[chosen],
    )


def _draw(members: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return int64 (count,), different members, every ordered choice as likely as any other."""
    return members[torch.randperm(len(members), generator=generator)[:count]]
