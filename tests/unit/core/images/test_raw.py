"""Camera raw files: the picture inside, upright; else the sensor's; and what is said of what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.raw import is_raw, raw_size
from fewshot_gui.core.images.reader import decode_image, read_image
from fewshot_gui.core.images.scan import scan_folder
from tests.unit.core.images.raw_files import dng, red_sensor

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INNER = np.zeros((1200, 1800, 3), np.uint8)
INNER[:, :900] = (20, 160, 40)


def colours(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Return whether (0: green, 1: black) the left and the upper edge's middle are."""
    height, width = pixels.shape[:2]
    return int(pixels[height // 2, 5, 1] < 80), int(pixels[5, width // 2, 1] < 80)


def test_a_raw_file_is_shown_as_the_camera_shows_it() -> None:
    pixels = decode_image(dng(red_sensor(), INNER), name="a.DNG")
    assert pixels.shape == (1200, 1800, 3)
    assert pixels.flags.c_contiguous
    assert np.abs(pixels[600, 100].astype(int) - (20, 160, 40)).max() < 6
    assert pixels[600, 1700].max() < 6


@pytest.mark.parametrize(("orientation", "upper_is_black"), [(6, 0), (8, 1)])
def test_the_picture_inside_is_turned_as_the_camera_was_held(orientation: int, upper_is_black: int) -> None:
    pixels = decode_image(dng(red_sensor(), INNER, orientation), name="a.dng")
    assert pixels.shape == (1800, 1200, 3)
    assert colours(pixels)[1] == upper_is_black


def test_upside_down() -> None:
    assert colours(decode_image(dng(red_sensor(), INNER, 3), name="a.dng"))[0] == 1


def test_for_a_small_picture_the_one_inside_is_decoded_small() -> None:
    pixels = decode_image(dng(red_sensor(), INNER), name="a.dng", at_least=100)
    assert 100 <= min(pixels.shape[:2]) < 600


@pytest.mark.parametrize("inner", [None, INNER[:60, :90]])
def test_without_a_picture_of_use_inside_the_sensor_is_developed(inner: NDArray[np.uint8] | None) -> None:
    pixels = decode_image(dng(red_sensor(), inner, 6), name="a.dng")
    assert pixels.shape == (96, 64, 3)
    assert pixels.dtype == np.uint8
    assert pixels[..., 0].mean() > 200
    assert pixels[..., 1].mean() < 20


def test_a_small_picture_inside_does_where_a_smaller_one_is_asked_for() -> None:
    pixels = decode_image(dng(red_sensor(), INNER[:60, 880:970]), name="a.dng", at_least=50)
    assert pixels.shape == (60, 90, 3)


def test_a_jpeg_with_the_name_of_a_raw_file_is_a_jpeg() -> None:
    from fewshot_gui.core.images.encode import encode_jpeg

    assert decode_image(encode_jpeg(INNER[:80, :120]), name="a.nef").shape == (80, 120, 3)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ProblemKind.EMPTY),
        (b"no raw file at all" * 20, ProblemKind.UNSUPPORTED),
        (dng(red_sensor())[:900], ProblemKind.UNSUPPORTED),
        (dng(red_sensor())[:-40], ProblemKind.UNREADABLE),
    ],
)
def test_what_is_no_raw_file_is_told(tmp_path: Path, data: bytes, kind: ProblemKind) -> None:
    path = tmp_path / "a.nef"
    path.write_bytes(data)
    with pytest.raises(ImageProblem) as caught:
        read_image(path)
    assert caught.value.kind is kind
    assert caught.value.path == str(path)


def test_a_raw_file_is_listed_where_no_picture_of_its_name_lies_beside_it(tmp_path: Path) -> None:
    for name in ("1.jpg", "1.NEF", "2.nef", "3.CR2", "3.xmp", "4.raw", "IMG.JPG", "img.arw"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.path.rpartition("/")[2] for file in scan_folder(tmp_path)] == [
        "1.jpg", "2.nef", "3.CR2", "IMG.JPG"
    ]  # fmt: skip


@pytest.mark.parametrize(("orientation", "size"), [(1, (192, 128)), (8, (128, 192))])
def test_the_size_is_that_of_the_sensor_upright(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    (tmp_path / "a.dng").write_bytes(dng(red_sensor(), INNER, orientation))
    assert raw_size(str(tmp_path / "a.dng")) == size
    (tmp_path / "b.dng").write_bytes(b"nothing")
    assert raw_size(str(tmp_path / "b.dng")) == raw_size(str(tmp_path / "c.dng")) == (0, 0)


def test_suffixes_of_raw_files() -> None:
    assert is_raw("a.DNG")
    assert not is_raw("a.raw")
    assert not is_raw("a.dng.xmp")
