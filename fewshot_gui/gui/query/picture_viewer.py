"""One picture as large as the screen allows, with what the program says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.widgets import ElidedLabel, qimage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import Library
    from fewshot_gui.gui.query.gallery_model import GalleryModel

# Larger than any window here is, small enough to decode within a tenth of a second.
_SHORTER_SIDE = 1_400
_BACK = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp})
_ON = frozenset({Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown})
_CLOSE = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})


class PictureViewer(QDialog):
    """Shows the picture at a position of the gallery; arrows lead to the next, Space and Esc close."""

    def __init__(self, model: GalleryModel, library: Library, position: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._model, self._library = model, library
        self._file: PictureFile | None = None
        self._position = position
        self.setObjectName("pictureViewer")
        self.setWindowTitle(self.tr("Picture"))
        self._canvas = PictureCanvas(self)
        self._words = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addWidget(self._canvas, 1)
        column.addWidget(self._words)
        model.modelReset.connect(self.close)
        model.dataChanged.connect(self._say)
        self.resize(parent.window().size() * 0.9)
        self.show_position(position)

    @property
    def position(self) -> int:
        """The position of the gallery that is shown."""
        return self._position

    def show_position(self, position: int) -> None:
        """Show the picture at this position."""
        self._position = min(max(0, position), len(self._model.order) - 1)
        file = self._model.file(self._position)
        self._file = file
        self._say()
        self._canvas.show_pixels(None)

        def came(pixels: NDArray[np.uint8]) -> None:
            if self._file is file:
                self._canvas.show_pixels(pixels)

        def failed(error: Exception) -> None:
            if self._file is file:
                self._canvas.show_words(problem_words(str(getattr(error, "kind", ""))))

        self._library.pixels(file.path, came, failed, at_least=_SHORTER_SIDE, replaces="picture-viewer")

    def _say(self) -> None:
        self._words.setText(self._model.sentence(self._position))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the neighbour, or close."""
        if event.key() in _BACK:
            self.show_position(self._position - 1)
        elif event.key() in _ON:
            self.show_position(self._position + 1)
        elif event.key() in _CLOSE:
            self.close()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Close, and drop a picture that is still on its way."""
        self._file = None
        super().done(result)


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
