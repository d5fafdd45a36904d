"""A picture to look at closely: fitted or at any scale, zoomed at the pointer, moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

STEP: Final = 1.25
LARGEST: Final = 16.0
_NOTCH: Final = 120.0
_NEVER_BEYOND: Final = 2.0
"""A small picture is fitted at twice its size at most: more shows nothing but blur."""


class ZoomCanvas(QWidget):
    """Shows one picture; wheel and double click change its scale, dragging moves it.

    The scale is device pixels a pixel of the picture: 1 is 100 %. `magnified` says that the picture is
    shown at 100 % or more, so that one with more pixels would show more.
    """

    magnified = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._words = ""
        self._scale: float | None = None
        self._centre = QPointF(0.5, 0.5)
        self._pressed: QPointF | None = None
        self.setMinimumSize(160, 120)
        self.setAccessibleName(self.tr("Picture"))

    # What is shown ----------------------------------------------------------------------------------

    @property
    def has_picture(self) -> bool:
        """True while a picture is shown, not words and not nothing."""
        return self._image is not None

    @property
    def is_fitted(self) -> bool:
        """True while all of the picture is shown."""
        return self._scale is None

    @property
    def scale(self) -> float:
        """Device pixels a pixel of the picture; 1 where there is none."""
        return self._fitting() if self._scale is None else self._scale

    def show_image(self, image: QImage | None) -> None:
        """Show a picture, all of it, or nothing."""
        self._image, self._words = image, ""
        self.fit()

    def show_words(self, words: str) -> None:
        """Say why there is no picture."""
        self._image, self._words = None, words
        self.fit()

    def show_finer(self, image: QImage) -> None:
        """Show the same picture with more pixels, at the place that is looked at.

        At 100 % it stays at 100 % and so becomes larger; else it stays as large as it is.
        """
        former, self._image = self._image, image
        if self._scale is not None and former is not None and self._scale != 1:
            self._scale *= former.width() / max(1, image.width())
        self.update()

    # Scale ------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show all of the picture."""
        self._scale, self._centre = None, QPointF(0.5, 0.5)
        self._mark()

    def actual_size(self, at: QPointF | None = None) -> None:
        """Show the picture at 100 %, with what is at this place of the widget staying there."""
        self._zoom_to(1.0, at)

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Enlarge by so many steps (negative: shrink); never smaller than fitted."""
        wanted = self.scale * STEP**steps
        if steps < 0 and wanted <= self._fitting():
            self.fit()
        else:
            self._zoom_to(min(wanted, LARGEST), at)

    def _zoom_to(self, scale: float, at: QPointF | None) -> None:
        if self._image is None:
            return
        place = QPointF(self.rect().center()) if at is None else at
        before = self._box()
        share = QPointF(
            (place.x() - before.left()) / before.width(), (place.y() - before.top()) / before.height()
        )
        self._scale = scale
        size = self._box().size()
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._centre = QPointF(
            share.x() - (place.x() - middle.x()) / size.width(),
            share.y() - (place.y() - middle.y()) / size.height(),
        )
        self._mark()

    def move_by(self, dx: float, dy: float) -> None:
        """Move the picture by so many pixels of the screen, as far as it goes."""
        size = self._box().size()
        self._centre -= QPointF(dx / max(1.0, size.width()), dy / max(1.0, size.height()))
        self._mark()

    def _mark(self) -> None:
        """Keep the picture in sight, and show what has become of it."""
        size = self._size()
        for length, room, get, put in (
            (size.width(), self.width(), self._centre.x, self._centre.setX),
            (size.height(), self.height(), self._centre.y, self._centre.setY),
        ):
            half = room / (2 * length) if length > room else 0.5
            put(min(max(get(), half), 1 - half))
        larger = self._scale is not None and length_of(size) > length_of(QSizeF(self.size()))
        self.setCursor(Qt.CursorShape.OpenHandCursor if larger else Qt.CursorShape.ArrowCursor)
        if self._scale is not None and self._scale >= 1:
            self.magnified.emit()
        self.update()

    # Places -----------------------------------------------------------------------------------------

    def _fitting(self) -> float:
        if self._image is None or self._image.isNull():
            return 1.0
        ratio = self.devicePixelRatioF()
        wide, high = self.width() * ratio / self._image.width(), self.height() * ratio / self._image.height()
        return min(wide, high, _NEVER_BEYOND * ratio)

    def _size(self) -> QSizeF:
        if self._image is None:
            return QSizeF(1, 1)
        return QSizeF(self._image.size()) * (self.scale / self.devicePixelRatioF())

    def _box(self) -> QRectF:
        """Where the picture lies, in pixels of the widget."""
        size = self._size()
        left = self.width() / 2 - self._centre.x() * size.width()
        top = self.height() / 2 - self._centre.y() * size.height()
        return QRectF(QPointF(left, top), size)

    # Painting, mouse --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, or the words."""
        painter = QPainter(self)
        if self._image is None:
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._words)
            return
        # Whoever looks at single pixels wants to see them as they are.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.scale < 3)
        box = self._box()
        seen = box.intersected(QRectF(event.rect()))
        zoom = self._image.width() / box.width()
        source = QRectF((seen.topLeft() - box.topLeft()) * zoom, seen.size() * zoom)
        painter.drawImage(seen, self._image, source)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is looked at in sight."""
        super().resizeEvent(event)
        self._mark()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.zoom(event.angleDelta().y() / _NOTCH, event.position())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to 100 % at the pointer, and back."""
        if self.is_fitted:
            self.actual_size(event.position())
        else:
            self.fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() == Qt.MouseButton.LeftButton and not self.is_fitted:
            self._pressed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture with the hand."""
        if self._pressed is not None:
            by = event.position() - self._pressed
            self._pressed = event.position()
            self.move_by(by.x(), by.y())
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go of the picture."""
        self._pressed = None
        self._mark()


def length_of(size: QSizeF) -> float:
    """Return the longer side."""
    return max(size.width(), size.height())
