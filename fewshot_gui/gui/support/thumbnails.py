"""Small square pictures for the cards: decoded when first painted, and only so many kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.pictures import StoredPicture

CORNER = 6


def square(image: QImage, side: int, ratio: float) -> QPixmap:
    """Return the middle of `image` as a square of `side` px with round corners, sharp at `ratio`."""
    shorter = min(image.width(), image.height())
    middle = QRect((image.width() - shorter) // 2, (image.height() - shorter) // 2, shorter, shorter)
    pixels = round(side * ratio)
    small = image.copy(middle).scaled(
        pixels, pixels, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    result = QPixmap(pixels, pixels)
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(0, 0, side, side), CORNER, CORNER)
    painter.setClipPath(outline)
    painter.drawImage(QRectF(0, 0, side, side), small)
    painter.end()
    return result


class ThumbnailCache:
    """The pixmaps of pictures, at most `limit` of them; the one not painted for longest goes first."""

    def __init__(self, picture: Callable[[PictureId], StoredPicture | None], *, limit: int = 1500) -> None:
        self._picture = picture
        self._limit = limit
        self._kept: OrderedDict[tuple[PictureId, int, float], QPixmap] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def path(self, picture: PictureId) -> str:
        """Return where the file of `picture` was last seen; empty where it has none."""
        stored = self._picture(picture)
        return stored.path if stored is not None else ""

    def get(self, picture: PictureId, side: int, ratio: float) -> QPixmap | None:
        """Return the square thumbnail of `picture`, None while the session has none yet."""
        key = (picture, side, ratio)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        stored = self._picture(picture)
        image = QImage.fromData(stored.thumbnail) if stored is not None else QImage()
        if image.isNull():
            return None
        self._kept[key] = square(image, side, ratio)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return self._kept[key]
