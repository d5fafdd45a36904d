"""Scores as a test wants them: probabilities and novelty by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.scores import RawScores, Scores, unknown, with_rows
from fewshot_gui.engine.state import CategoryId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CAT, DOG = CategoryId("cat"), CategoryId("dog")


def made_scores(
    probabilities: Sequence[Sequence[float]],
    novelty: Sequence[float] | None = None,
    *,
    cutoff: float = np.inf,
    taught: Sequence[tuple[int, int]] | None = None,
    waiting: int = 0,
) -> Scores:
    """Return scores of these rows and of so many unknown ones; `taught` is (taught, said) of each."""
    values = np.array(probabilities, np.float32)
    count = len(values)
    raw = RawScores(
        probabilities=values,
        distances=-values,
        novelty=np.zeros(count, np.float32) if novelty is None else np.array(novelty, np.float32),
        nearest=np.zeros((count, 1), np.int32),
        nearest_distance=np.zeros((count, 1), np.float32),
    )
    classes = (CAT, DOG, *(CategoryId(f"more {index}") for index in range(2, values.shape[1])))
    scores = with_rows(unknown(count + waiting, classes, cutoff=cutoff), np.arange(count), raw)
    if taught is None:
        return scores
    owners, said = zip(*taught, strict=True)
    return replace(scores, taught=np.array(owners, np.int32), said=np.array(said, np.int8))


@pytest.fixture
def make_scores() -> Callable[..., Scores]:
    return made_scores


@pytest.fixture
def ids() -> list[PictureId | None]:
    return [PictureId(f"picture {row}") for row in range(12)]
