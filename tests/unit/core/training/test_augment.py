"""Augmentation: shapes, ranges, and the generator as its only source of chance."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.training.augment import Changes, after, apply_changes, draw_changes
from fewshot_gui.core.training.stage import Augmentation

ALL = Augmentation(smallest_crop=0.5, flip=True, rotate=15, shift=0.1, jitter=0.4)


def pictures(count: int = 3, side: int = 20, channels: int = 3) -> torch.Tensor:
    return torch.randint(
        0, 256, (count, side, side, channels), generator=torch.Generator().manual_seed(1)
    ).to(torch.uint8)


def augment(
    images: torch.Tensor, side: int, changes: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    return apply_changes(images, side, draw_changes(len(images), changes, generator))


def test_nothing_asked_for_changes_nothing() -> None:
    """To the last digit, which drawing the pictures anew does not keep."""
    images = pictures(side=84)
    changes = draw_changes(len(images), Augmentation(), torch.Generator().manual_seed(0))
    exact = images.permute(0, 3, 1, 2).float() / 255
    assert torch.equal(apply_changes(images, 84, changes), exact)
    assert torch.equal(apply_changes(images, 84, after(changes, changes)), exact)
    almost = Changes(changes.maps + 1e-7, None)
    assert torch.allclose(apply_changes(images, 84, almost), exact, atol=1e-4)
    assert not torch.equal(apply_changes(images, 84, almost), exact)
    assert apply_changes(images, 42, changes).shape == (3, 3, 42, 42)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(8, 40), st.integers(8, 40), st.sampled_from([1, 3]))
def test_the_result_has_the_side_asked_for_and_stays_in_range(
    count: int, given_side: int, side: int, channels: int
) -> None:
    out = augment(pictures(count, given_side, channels), side, ALL, torch.Generator().manual_seed(0))
    assert out.shape == (count, channels, side, side)
    assert 0 <= float(out.min()) <= float(out.max()) <= 1 + 1e-5


def test_the_same_generator_state_gives_the_same_pictures() -> None:
    images = pictures()
    one, two = (augment(images, 16, ALL, torch.Generator().manual_seed(5)) for _ in range(2))
    other = augment(images, 16, ALL, torch.Generator().manual_seed(6))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_flipping_mirrors_about_half_of_the_pictures() -> None:
    ramp = torch.linspace(0, 255, 16).to(torch.uint8).expand(400, 16, 16).unsqueeze(3).contiguous()
    out = augment(ramp, 16, Augmentation(flip=True), torch.Generator().manual_seed(0))
    mirrored = (out[:, 0, 8, 0] > out[:, 0, 8, -1]).float().mean()
    assert 0.4 < mirrored < 0.6


def test_colours_by_hand() -> None:
    """Twice as bright; no contrast but the mean; no colour but the grey; each of a picture of two colours."""
    images = torch.tensor([[[[20, 40, 60], [60, 80, 100]]]], dtype=torch.uint8).expand(3, 2, 2, 3)
    factors = torch.tensor([[2.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    maps = torch.eye(2, 3).expand(3, 2, 3)
    bright, flat, grey = apply_changes(images, 2, Changes(maps, factors))[:, :, 0] * 255
    assert torch.allclose(bright, torch.tensor([[40.0, 120], [80, 160], [120, 200]]), atol=1e-3)
    assert torch.allclose(flat, torch.full((3, 2), 60.0), atol=1e-3)
    assert torch.allclose(grey, torch.tensor([40.0, 80]).expand(3, 2), atol=1e-3)


def test_a_slant_moves_the_top_one_way_and_the_bottom_the_other() -> None:
    image = torch.zeros(1, 21, 21, 1, dtype=torch.uint8)
    image[:, :, 10] = 255
    out = augment(image, 21, Augmentation(shear=0.5), torch.Generator().manual_seed(3))[0, 0]
    top, middle, bottom = (int(out[row].argmax()) for row in (2, 10, 18))
    assert middle == 10
    assert (top - 10) * (bottom - 10) < 0


def test_a_stretch_changes_width_over_height_and_keeps_the_area() -> None:
    maps = draw_changes(50, Augmentation(stretch=0.4), torch.Generator().manual_seed(0)).maps
    area = maps[:, 0, 0] * maps[:, 1, 1]
    ratio = (maps[:, 0, 0] / maps[:, 1, 1]).log()
    assert torch.allclose(area, torch.ones(50))
    assert 0.2 < float(ratio.abs().max()) <= 0.4


def test_changes_after_others_are_both_in_that_order() -> None:
    quarter = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    moved = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    images = pictures(1, 16)
    once = apply_changes(images, 16, Changes(quarter, None))
    twice = apply_changes((once * 255).round().to(torch.uint8).permute(0, 2, 3, 1), 16, Changes(moved, None))
    both = apply_changes(images, 16, after(Changes(quarter, None), Changes(moved, None)))
    assert torch.allclose(both, twice, atol=0.01)
