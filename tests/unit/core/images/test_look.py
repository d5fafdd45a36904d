"""How a picture looks: hashes of look-alikes, and sharpness whatever the size and contrast."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewshot_gui.core.images.look import HASH_BITS, Look, difference_hash, differing_bits, look_of, sharpness

Pixels = NDArray[np.uint8]


def scene(seed: int = 0, height: int = 120, width: int = 160) -> Pixels:
    """Some blobs of colour with fine grain on them."""
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.uniform(40, 200, (9, 12, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + random.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)


def test_the_same_scene_smaller_and_brighter_has_nearly_the_same_hash() -> None:
    small = cv2.resize(scene(), (80, 60), interpolation=cv2.INTER_AREA)
    brighter = np.clip(small.astype(np.float32) * 1.1 + 5, 0, 255).astype(np.uint8)
    assert differing_bits(difference_hash(scene()), difference_hash(brighter)) <= 3


def test_other_scenes_have_other_hashes() -> None:
    hashes = [difference_hash(scene(seed)) for seed in range(12)]
    apart = [differing_bits(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 8


def test_a_ramp_sets_every_bit_and_its_mirror_image_none() -> None:
    ramp = np.repeat(np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    assert difference_hash(ramp) == 2**HASH_BITS - 1
    assert difference_hash(ramp[:, ::-1]) == 0


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_differing_bits_is_a_distance(one: int, other: int) -> None:
    assert differing_bits(one, one) == 0
    assert differing_bits(one, other) == differing_bits(other, one) <= HASH_BITS


def test_the_more_it_is_blurred_the_less_sharp_it_is() -> None:
    values = [sharpness(scene())]
    values += [sharpness(cv2.GaussianBlur(scene(), (0, 0), sigma)) for sigma in (0.7, 1.5, 3.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 20


def test_contrast_does_not_matter_much() -> None:
    pale = (scene().astype(np.float32) * 0.5 + 60).astype(np.uint8)
    assert sharpness(pale) == pytest.approx(sharpness(scene()), rel=0.1)


def test_size_does_not_matter_above_the_measured_one() -> None:
    large = cv2.resize(scene(1, 240, 256), (1024, 960), interpolation=cv2.INTER_NEAREST)
    assert sharpness(large) == pytest.approx(sharpness(scene(1, 240, 256)), rel=0.1)


def test_a_plain_surface_is_not_sharp() -> None:
    assert sharpness(np.full((50, 60, 3), 128, np.uint8)) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (2000, 2, 3)])
def test_any_shape_has_a_look(shape: tuple[int, int, int]) -> None:
    look = look_of(np.zeros(shape, np.uint8))
    assert look == Look(0, 0.0)
