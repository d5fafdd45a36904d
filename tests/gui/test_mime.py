"""What is packed comes out again, and what other programs drag is understood."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QUrl
from PySide6.QtGui import QColor, QImage

from fewshot_gui.gui.mime import MIME, DraggedPicture, Dropped, acceptable, pack, pixels_of, unpack
from fewshot_gui.gui.widgets import qimage

pytestmark = pytest.mark.usefixtures("qapp")


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _red_and_blue() -> QImage:
    image = QImage(3, 2, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    image.setPixelColor(2, 1, QColor("blue"))
    return image


pictures = st.builds(
    DraggedPicture,
    path=st.text(st.characters(blacklist_categories=["Cs"]), max_size=30),
    id=st.none() | st.text("0123456789abcdef", min_size=32, max_size=32),
    row=st.none() | st.integers(0, 10**6),
)


@given(st.lists(pictures, min_size=1, max_size=5))
def test_what_is_packed_comes_out_again(packed: list[DraggedPicture]) -> None:
    data = pack(packed)
    assert acceptable(data)
    assert unpack(data) == Dropped(pictures=tuple(packed))


def test_packed_pictures_are_files_for_other_programs() -> None:
    data = pack([DraggedPicture("/photos/Müller & co.jpg", "ab"), DraggedPicture("", "cd")])
    assert [url.toLocalFile() for url in data.urls()] == ["/photos/Müller & co.jpg"]


@pytest.mark.parametrize("junk", [b"", b"{", b"[1, 2]", b'[{"way": "x"}]', b"\xff\xfe"])
def test_something_else_under_our_type_is_nothing(junk: bytes) -> None:
    data = QMimeData()
    data.setData(MIME, junk)
    assert not unpack(data)


def test_files_and_folders_are_files() -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/a/b.jpg"), QUrl.fromLocalFile("/a/folder"), QUrl("https://x.org/")])
    assert acceptable(data)
    assert unpack(data) == Dropped(files=("/a/b.jpg", "/a/folder"))


def test_an_image_keeps_the_order_of_its_colours() -> None:
    data = QMimeData()
    data.setImageData(_red_and_blue())
    data.setUrls([QUrl("https://example.org/picture.png")])
    assert acceptable(data)
    image = unpack(data).image
    assert image is not None
    assert image.shape == (2, 3, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [255, 0, 0]
    assert image[1, 2].tolist() == [0, 0, 255]


@pytest.mark.parametrize("kind", ["image/png", 'application/octet-stream;name="photo.png"'])
def test_a_browser_may_hand_over_the_file_itself(kind: str) -> None:
    data = QMimeData()
    data.setData(kind, QByteArray(_png(_red_and_blue())))
    assert acceptable(data)
    image = unpack(data).image
    assert image is not None
    assert image[1, 2].tolist() == [0, 0, 255]


def test_a_picture_that_comes_as_a_file_stands_upright() -> None:
    """Before, it lay on its side: Qt's image of it does not know how the camera was held."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(file, "JPEG", exif=exif)
    data = QMimeData()
    data.setData("image/jpeg", QByteArray(file.getvalue()))
    data.setImageData(_red_and_blue())
    image = unpack(data).image
    assert image is not None
    assert image.shape == (3, 2, 3)
    assert not image.any()


def test_what_only_qt_can_read_is_a_picture_too() -> None:
    data = QMimeData()
    data.setData("image/x-portable-pixmap", QByteArray(b"P6 1 1 255\n\xff\x00\x00"))
    image = unpack(data).image
    assert image is not None
    assert image.tolist() == [[[255, 0, 0]]]


def test_a_picture_may_stand_in_the_page_itself() -> None:
    data = QMimeData()
    packed = base64.b64encode(_png(_red_and_blue())).decode()
    data.setHtml(f'<img alt="x" src="data:image/png;base64,{packed}">')
    data.setUrls([QUrl("https://example.org/")])
    image = unpack(data).image
    assert image is not None
    assert image[0, 0].tolist() == [255, 0, 0]


def test_an_address_alone_is_a_link() -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.jpg"), QUrl("mailto:a@b.c")])
    dropped = unpack(data)
    assert acceptable(data)
    assert dropped == Dropped(links=("https://example.org/a.jpg",))
    assert dropped


def test_text_is_nothing() -> None:
    data = QMimeData()
    data.setText("only words")
    assert not acceptable(data)
    assert not unpack(data)


def test_bytes_that_are_no_picture_are_nothing() -> None:
    data = QMimeData()
    data.setData("application/octet-stream", QByteArray(b"not a picture"))
    assert unpack(data).image is None


def test_transparent_parts_lie_on_white() -> None:
    image = QImage(2, 1, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    image.setPixelColor(1, 0, QColor(0, 0, 255, 128))
    pixels = pixels_of(image)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == pytest.approx([127, 127, 255], abs=1)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_pixels_survive_the_way_through_qt(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert np.array_equal(pixels_of(qimage(pixels)), pixels)
