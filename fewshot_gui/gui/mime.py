"""What is dragged, dropped and pasted: pictures of ours, files, and pixels from other programs."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage, QPainter

from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MIME = "application/x-fewshot-pictures"

# Chromium on Linux hands over the picture's file under this type, with its name as a parameter.
_BLOBS = ("image/", "application/octet-stream")
_DATA_URL = re.compile(r"""src=["']data:image/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)["']""")


@dataclass(frozen=True, slots=True)
class DraggedPicture:
    """One picture of ours on its way: `id` is its content hash and `row` its gallery row, where known."""

    path: str
    id: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped or pasted: at most one of our pictures, files and image is filled.

    `image` is (H, W, 3) RGB uint8. `links` are addresses from a browser that came without the picture.
    """

    pictures: tuple[DraggedPicture, ...] = ()
    files: tuple[str, ...] = ()
    image: NDArray[np.uint8] | None = None
    links: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is something to show or to say."""
        return bool(self.pictures or self.files or self.links) or self.image is not None


def pack(pictures: Sequence[DraggedPicture]) -> QMimeData:
    """Return mime data that our panels read as pictures, and other programs as files."""
    data = QMimeData()
    data.setData(MIME, json.dumps([_plain(picture) for picture in pictures]).encode())
    urls = [QUrl.fromLocalFile(picture.path) for picture in pictures if picture.path]
    if urls:
        data.setUrls(urls)
    return data


def _plain(picture: DraggedPicture) -> dict[str, str | int | None]:
    """Return it as a table; `asdict` copies deeply, which for 50,000 pictures takes a second."""
    return {"path": picture.path, "id": picture.id, "row": picture.row}


def acceptable(data: QMimeData) -> bool:
    """Return whether `unpack` would find pictures, files or an image, without decoding anything."""
    return (
        data.hasFormat(MIME)
        or data.hasImage()
        or any(url.isLocalFile() for url in data.urls())
        or any(name.startswith(_BLOBS) for name in data.formats())
        or bool(_links(data))
    )


def unpack(data: QMimeData) -> Dropped:
    """Return what `data` carries, the most exact form of it: our pictures, then files, then pixels."""
    if data.hasFormat(MIME):
        return Dropped(pictures=_pictures(bytes(data.data(MIME).data())))
    files = tuple(url.toLocalFile() for url in data.urls() if url.isLocalFile())
    if files:
        return Dropped(files=files)
    image = _image(data)
    return Dropped(image=image) if image is not None else Dropped(links=_links(data))


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """Return `image` as (H, W, 3) RGB uint8, with transparent parts laid on white."""
    opaque = QImage(image.size(), QImage.Format.Format_RGB888)
    opaque.fill(0xFFFFFFFF)
    painter = QPainter(opaque)
    painter.drawImage(0, 0, image)
    painter.end()
    # A scan line is padded to a multiple of four bytes.
    rows = np.frombuffer(opaque.constBits(), np.uint8).reshape(opaque.height(), opaque.bytesPerLine())
    return rows[:, : 3 * opaque.width()].reshape(opaque.height(), opaque.width(), 3).copy()


def _pictures(packed: bytes) -> tuple[DraggedPicture, ...]:
    """Return the packed pictures; none where another program wrote something else under our type."""
    try:
        return tuple(DraggedPicture(**entry) for entry in json.loads(packed))
    except (ValueError, TypeError):
        return ()


def _links(data: QMimeData) -> tuple[str, ...]:
    return tuple(url.toString() for url in data.urls() if url.scheme() in {"http", "https"})


def _image(data: QMimeData) -> NDArray[np.uint8] | None:
    # The file itself first: Qt's image of it lies as the camera was held, whatever the EXIF data says.
    decoded = next((pixels for blob in _blobs(data) if (pixels := _decoded(blob)) is not None), None)
    if decoded is not None:
        return decoded
    if data.hasImage():
        image = cast("QImage", data.imageData())
        if not image.isNull():
            return pixels_of(image)
    for blob in _blobs(data):
        image = QImage.fromData(blob)
        if not image.isNull():
            return pixels_of(image)
    return None


def _decoded(blob: bytes) -> NDArray[np.uint8] | None:
    try:
        return decode_image(blob)
    except ImageProblem:
        return None


def _blobs(data: QMimeData) -> Iterable[bytes]:
    for name in data.formats():
        if name.startswith(_BLOBS):
            yield bytes(data.data(name).data())
    inline = _DATA_URL.search(data.html()) if data.hasHtml() else None
    if inline:
        yield base64.b64decode(inline[1])
