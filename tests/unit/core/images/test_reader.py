"""The reader, by a zoo of odd files."""

from __future__ import annotations

import builtins
import contextlib
import os
import socket
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from fewshot_gui.core.images import files, reader
from fewshot_gui.core.images.pixels import to_rgb
from fewshot_gui.core.images.reader import (
    ImageProblem,
    ProblemKind,
    decode_image,
    picture_size,
    read_image,
)
from tests.unit.core.images import picture_files as zoo

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNICODE_NAMES = [
    "Žluťoučký kůň.png",
    "写真 01.PNG",
    "🐈‍⬛.png",
    "a\u0301e\u0301.PnG",
    "ends in a dot..png",
    "#%25 'quoted' &.png",
]
LOSSY = 12  # what chroma subsampling and quality cost a flat colour, in levels
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"]


def assert_red_left_of(right: tuple[int, int, int], pixels: NDArray[np.uint8]) -> None:
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    for part, colour in ((pixels[4:-4, 4:24], zoo.RED), (pixels[4:-4, 40:-4], right)):
        assert np.abs(part.astype(int) - colour).max() <= LOSSY


def problem_of(data: bytes) -> ImageProblem:
    with pytest.raises(ImageProblem) as caught:
        decode_image(data, name="some.jpg")
    assert caught.value.path == "some.jpg"
    assert caught.value.detail
    return caught.value


@pytest.mark.parametrize("name", zoo.COLOURED)
def test_every_format_gives_red_left_of_blue(name: str) -> None:
    make, right = zoo.COLOURED[name]
    assert_red_left_of(right, decode_image(make()))


@pytest.mark.parametrize("name", zoo.GREY)
def test_grey_of_any_depth_is_scaled_not_clipped(name: str) -> None:
    make, middle = zoo.GREY[name]
    pixels = decode_image(make())
    assert pixels.shape == (1, 3, 3)
    assert pixels[0].tolist() == [[0] * 3, [middle] * 3, [255] * 3]


@pytest.mark.parametrize("name", zoo.BROKEN)
def test_what_is_no_picture_says_why(name: str) -> None:
    make, kind = zoo.BROKEN[name]
    assert problem_of(make()).kind == kind


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_cut_file_is_truncated(format_: str, share: float) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    data = zoo.saved(noise, format_)
    assert problem_of(data[: int(len(data) * share)]).kind is ProblemKind.TRUNCATED


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg"])
def test_a_cut_compressed_tiff_is_truncated(compression: str) -> None:
    data = zoo.saved(zoo.red_and_blue(), "TIFF", compression=compression)
    assert problem_of(data[: len(data) // 2]).kind is ProblemKind.TRUNCATED


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_orientation_is_applied_exactly_once(format_: str, orientation: int) -> None:
    assert_red_left_of(zoo.BLUE, decode_image(zoo.with_orientation(format_, orientation)))


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_of_a_compressed_tiff_is_applied_once(orientation: int) -> None:
    data = zoo.with_orientation("TIFF", orientation, compression="tiff_lzw")
    assert_red_left_of(zoo.BLUE, decode_image(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_jpeg_is_turned_too(orientation: int) -> None:
    pixels = decode_image(zoo.with_orientation("JPEG", orientation), at_least=24)
    assert pixels.shape == (24, 32, 3)
    assert np.abs(pixels[2:-2, 2:12].astype(int) - zoo.RED).max() <= LOSSY


def test_the_exif_tag_of_a_heic_without_rotation_changes_nothing() -> None:
    # By the standard the rotation in the container counts alone; phones write both, and both say the same.
    exif = Image.Exif()
    exif[zoo.ORIENTATION] = 1
    upright = exif.tobytes()
    exif[zoo.ORIENTATION] = 6
    data = zoo.saved(zoo.red_and_blue(), "HEIF", exif=upright)
    assert upright in data
    assert_red_left_of(zoo.BLUE, decode_image(data.replace(upright, exif.tobytes())))


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 300), height=st.integers(1, 300), at_least=st.integers(1, 320))
def test_a_reduced_jpeg_is_never_smaller_than_asked(width: int, height: int, at_least: int) -> None:
    data = zoo.saved(np.zeros((height, width, 3), np.uint8), "JPEG")
    shape = decode_image(data, at_least=at_least).shape
    assert min(shape[:2]) >= min(at_least, width, height)
    assert shape[:2] in [(-(-height // factor), -(-width // factor)) for factor in (1, 2, 4, 8)]


def test_a_large_jpeg_is_decoded_at_an_eighth() -> None:
    data = zoo.saved(np.zeros((1200, 1600, 3), np.uint8), "JPEG")
    assert decode_image(data, at_least=128).shape == (150, 200, 3)
    assert decode_image(data).shape == (1200, 1600, 3)
    assert decode_image(data, at_least=0).shape == (150, 200, 3)


def test_a_heic_with_a_thumbnail_inside_is_read_by_it_where_that_is_enough() -> None:
    data = zoo.saved(zoo.red_and_blue(640, 480), "HEIF", thumbnails=[160])
    assert min(decode_image(data, at_least=100).shape[:2]) >= 100
    assert decode_image(data, at_least=400).shape == (480, 640, 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_lossless_formats_give_the_very_pixels(width: int, height: int, random: Any) -> None:
    pixels = np.frombuffer(random.randbytes(width * height * 3), np.uint8).reshape(height, width, 3)
    for format_, options in (
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True, "exact": True}),
    ):
        np.testing.assert_array_equal(decode_image(zoo.saved(pixels, format_, **options)), pixels)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), format_=st.sampled_from(FORMATS))
def test_damage_never_escapes_as_another_error(data: st.DataObject, format_: str) -> None:
    content = bytearray(zoo.saved(zoo.red_and_blue(16, 12), format_))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ImageProblem):
        pixels = decode_image(bytes(content), at_least=data.draw(st.sampled_from([None, 4])))
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3


@given(st.binary(max_size=200))
def test_noise_is_a_problem(data: bytes) -> None:
    problem_of(data)


def test_a_huge_picture_is_refused_from_its_header_with_its_size() -> None:
    assert "20000 x 10001 are 200 megapixels" in problem_of(zoo.huge_png()).detail


def test_two_hundred_megapixels_are_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zoo.saved(zoo.red_and_blue(), "PNG")
    monkeypatch.setattr(reader, "MAX_PIXELS", 64 * 48)
    assert decode_image(data).shape == (48, 64, 3)
    monkeypatch.setattr(reader, "MAX_PIXELS", 64 * 48 - 1)
    assert problem_of(data).kind is ProblemKind.TOO_LARGE


@pytest.mark.parametrize("format_", FORMATS)
def test_pillows_bomb_guard_neither_warns_nor_stops_us(format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zoo.saved(zoo.red_and_blue(), format_)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 48 - 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert_red_left_of(zoo.BLUE, decode_image(data))
    assert not caught


def test_reading_leaves_pillow_as_it_was() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    decode_image(zoo.saved(zoo.red_and_blue(), "PNG"))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_bomb_in_a_part_of_the_file_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise Image.DecompressionBombError("tile of 1e12 pixels")

    monkeypatch.setattr(reader, "to_rgb", explode)
    assert problem_of(zoo.saved(zoo.red_and_blue(), "PNG")).kind is ProblemKind.TOO_LARGE


def test_no_memory_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader, "to_rgb", exhaust)
    assert problem_of(zoo.saved(zoo.red_and_blue(), "PNG")).kind is ProblemKind.OUT_OF_MEMORY


def test_threads_read_the_same_as_one() -> None:
    contents = [make() for make, _ in zoo.COLOURED.values()]
    alone = [decode_image(data) for data in contents]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            for expected, pixels in zip(alone, pool.map(decode_image, contents), strict=True):
                np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(("limit", "spent"), [(64 * 48 - 1, 64 * 48), (64 * 48, 0)])
def test_a_large_picture_spends_what_its_decoding_takes(
    limit: int, spent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, as many as there are threads were decoded at once, and the memory was at an end."""
    held: list[int] = []

    def note(image: Image.Image) -> NDArray[np.uint8]:
        held.append(reader._at_once._spent)
        return to_rgb(image)

    monkeypatch.setattr(reader, "LARGE_PIXELS", limit)
    monkeypatch.setattr(reader, "to_rgb", note)
    data = zoo.saved(zoo.red_and_blue(), "JPEG")
    assert_red_left_of(zoo.BLUE, decode_image(data))
    decode_image(data, at_least=24)  # reduced, it is no large one
    assert held == [spent, 0]
    assert reader._at_once._spent == 0


def test_a_large_picture_that_is_damaged_stands_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LARGE_PIXELS", 0)
    data = zoo.saved(zoo.red_and_blue(), "PNG")
    problem_of(data[: len(data) // 2])
    assert_red_left_of(zoo.BLUE, decode_image(data))


@pytest.mark.parametrize("name", UNICODE_NAMES)
def test_any_name_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "Прага" / name
    path.parent.mkdir()
    path.write_bytes(zoo.saved(zoo.red_and_blue(), "PNG"))
    assert_red_left_of(zoo.BLUE, read_image(path))
    assert_red_left_of(zoo.BLUE, read_image(str(path)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes names that are no Unicode")
def test_a_name_that_is_no_unicode_is_read(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    Path(path).write_bytes(zoo.saved(zoo.red_and_blue(), "PNG"))
    assert_red_left_of(zoo.BLUE, read_image(path))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_renamed_picture_is_read_by_its_content(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "renamed.jpg"
    path.write_bytes(zoo.saved(zoo.red_and_blue(), format_))
    assert_red_left_of(zoo.BLUE, read_image(path))


def file_problem(path: str | Path) -> ImageProblem:
    with pytest.raises(ImageProblem) as caught:
        read_image(path)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    return caught.value


def test_a_text_called_jpg_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear Sir or Madam", encoding="utf-8")
    assert file_problem(path).kind is ProblemKind.NOT_A_PICTURE


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert file_problem(path).kind is ProblemKind.EMPTY


@pytest.mark.parametrize("name", ["missing.jpg", "file.jpg/below.jpg", "zero\0byte.jpg"])
def test_what_is_not_there_is_missing(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.jpg").touch()
    assert file_problem(f"{tmp_path}/{name}").kind is ProblemKind.MISSING


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert file_problem(tmp_path).kind is ProblemKind.IS_A_FOLDER


def test_a_link_to_itself_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "loop.jpg"
    path.symlink_to(path)
    assert file_problem(path).kind is ProblemKind.UNREADABLE


def test_a_name_that_is_too_long_is_unreadable(tmp_path: Path) -> None:
    assert file_problem(tmp_path / ("x" * 300 + ".jpg")).kind is ProblemKind.UNREADABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    assert file_problem(path).kind is ProblemKind.UNREADABLE


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs a socket in a folder")
def test_a_socket_is_refused() -> None:
    # A short path of its own: sockets take some hundred letters.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/s.jpg")
        assert file_problem(f"{folder}/s.jpg").kind is ProblemKind.UNREADABLE


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "Permission denied"), ProblemKind.NO_PERMISSION),
        (IsADirectoryError(21, "Is a directory"), ProblemKind.IS_A_FOLDER),
        (OSError(5, "Input/output error"), ProblemKind.UNREADABLE),
        (MemoryError(), ProblemKind.OUT_OF_MEMORY),
    ],
)
def test_an_error_on_opening_has_its_kind(
    error: Exception, kind: ProblemKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"content")

    def refuse(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)  # the tests may run as root, whom no permission stops
        assert file_problem(path).kind is kind


def test_a_file_too_large_for_the_memory_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"12345")
    monkeypatch.setattr(files, "MAX_BYTES", 4)
    monkeypatch.setattr(builtins, "open", None)
    problem = file_problem(path)
    assert problem.kind is ProblemKind.TOO_LARGE
    assert "5 bytes" in problem.detail


def test_the_file_is_not_kept_open(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(zoo.saved(zoo.red_and_blue(), "PNG"))
    read_image(path)
    path.rename(tmp_path / "b.png")
    assert BytesIO((tmp_path / "b.png").read_bytes()).getbuffer().nbytes > 0


def test_the_zoo_is_large_enough() -> None:
    assert len(zoo.COLOURED) + len(zoo.GREY) + len(zoo.BROKEN) >= 40


@pytest.mark.parametrize("compressed", [True, False])
def test_long_words_in_a_png_do_not_hide_its_picture(compressed: bool) -> None:
    """Pillow refuses more than a megabyte of them: before, such a file counted as damaged."""
    words = PngInfo()
    words.add_text("workflow", "x" * 3_000_000, zip=compressed)
    words.add_itxt("notes", "ü" * 1_500_000, zip=compressed)
    buffer = BytesIO()
    Image.new("RGB", (7, 5), (10, 200, 30)).save(buffer, "PNG", pnginfo=words)
    assert decode_image(buffer.getvalue())[2, 3].tolist() == [10, 200, 30]


def test_a_png_that_ends_within_its_words_is_still_told_to_end_early() -> None:
    words = PngInfo()
    words.add_text("notes", "x" * 5000)
    buffer = BytesIO()
    Image.new("RGB", (7, 5)).save(buffer, "PNG", pnginfo=words)
    assert problem_of(buffer.getvalue()[:300]).kind in {ProblemKind.TRUNCATED, ProblemKind.UNREADABLE}


def size_of(data: bytes, folder: Path) -> tuple[int, int]:
    path = folder / "some.png"
    path.write_bytes(data)
    return picture_size(path)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(format_: str, orientation: int, tmp_path: Path) -> None:
    assert size_of(zoo.with_orientation(format_, orientation), tmp_path) == (64, 48)


@pytest.mark.parametrize("name", zoo.COLOURED)
def test_every_format_tells_its_size(name: str, tmp_path: Path) -> None:
    make, _right = zoo.COLOURED[name]
    assert size_of(make(), tmp_path) == (64, 48)


def test_the_size_of_a_png_is_told_without_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, each was decoded for the tag of its orientation."""
    monkeypatch.setattr(PngImageFile, "load", None)
    for data in (zoo.saved(zoo.red_and_blue(), "PNG"), zoo.with_orientation("PNG", 6)):
        assert size_of(data, tmp_path) == (64, 48)


def test_the_size_of_a_png_does_not_depend_on_where_its_words_and_its_tag_stand(tmp_path: Path) -> None:
    words = PngInfo()
    words.add_text("workflow", "x" * 3_000_000, zip=True)
    plain = zoo.saved(zoo.red_and_blue(), "PNG", pnginfo=words)
    exif = Image.Exif()
    exif[zoo.ORIENTATION] = 6
    behind = plain[:-12] + zoo.chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + plain[-12:]
    assert size_of(plain, tmp_path) == (64, 48)
    assert size_of(behind, tmp_path) == (48, 64)
    assert decode_image(behind).shape == (64, 48, 3)


@pytest.mark.parametrize(
    "name", ["png header alone", "png of no width", "png with a wrong sum", "text", "empty"]
)
def test_what_has_no_head_of_a_picture_has_no_size(name: str, tmp_path: Path) -> None:
    make, _kind = zoo.BROKEN[name]
    with pytest.raises(ImageProblem):
        size_of(make(), tmp_path)


def test_a_size_that_pillow_fears_is_a_problem_of_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One WebP of 190 megapixels ended the whole export."""
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ImageProblem):
        size_of(zoo.saved(zoo.red_and_blue(), "WEBP"), tmp_path)
