"""One picture fitted into the place there is, or the words why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from fewshot_gui.gui.widgets import qimage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PictureCanvas(QWidget):
    """A picture fitted into the widget, never enlarged beyond twice its size; words where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._words = ""
        self.setMinimumSize(160, 120)

    def show_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Show the picture (H, W, 3) uint8 RGB, or nothing."""
        self._image = None if pixels is None else qimage(pixels)
        self._words = ""
        self.update()

    def show_words(self, words: str) -> None:
        """Say why there is no picture."""
        self._image, self._words = None, words
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture into the middle."""
        painter = QPainter(self)
        if self._image is None:
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._words)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        size = size.boundedTo(QSize(2 * self._image.width(), 2 * self._image.height()))
        box = QRect(0, 0, size.width(), size.height())
        box.moveCenter(self.rect().center())
        painter.drawImage(box, self._image)
