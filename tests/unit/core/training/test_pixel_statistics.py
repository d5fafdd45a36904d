"""Mean and deviation of the pixels, against those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot_gui.core.episodes.dataset import ClassImages
from fewshot_gui.core.training.batches import pixel_statistics


@pytest.mark.parametrize("channels", [1, 3])
def test_counted_they_are_those_of_all_pixels(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 9, 9, channels)).astype(np.uint8)
    images[..., 0] //= 3
    mean, deviation = pixel_statistics(ClassImages(("a",), images, np.zeros(20, np.int64)))
    values = images.reshape(-1, channels) / 255
    assert mean == pytest.approx(values.mean(axis=0).tolist(), abs=1e-12)
    assert deviation == pytest.approx(values.std(axis=0, ddof=1).tolist(), abs=1e-12)


def test_of_one_value_there_is_no_deviation() -> None:
    images = np.full((1, 2, 2, 1), 51, np.uint8)
    assert pixel_statistics(ClassImages(("a",), images, np.zeros(1, np.int64))) == ([0.2], [0.0])
