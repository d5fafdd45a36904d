"""Paints the map: categories round it, pictures between them, and a frame that chooses some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QWidget

from fewshot_gui.engine.deciding.circle import apart
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.state import Category
    from fewshot_gui.gui.theme import Appearance

MOST_PICTURES: Final = 150
"""So many are shown as pictures; more as dots."""
_SIDE: Final = 40
_DOT: Final = 7
_CORNER: Final = 14
_LABEL: Final = 130
_NEAR: Final = 14
_GLIDE_MS: Final = 250
_DRAG: Final = 4
_ARROWS: Final = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class MapContent:
    """What the map shows.

    Attributes:
        categories: N, round the map.
        corners: float (N, 2), their places, -1 to 1 from left to right and from top to bottom.
        files: Q pictures.
        places: float (Q, 2), between them.
        labels: int (Q,), an index into `categories`, -1 for none of these, or one that is not on the map.
        taught: bool (Q,), the examples.
    """

    categories: tuple[Category, ...] = ()
    corners: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    files: tuple[PictureFile, ...] = ()
    places: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    taught: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


class MapView(QWidget):
    """Shows pictures between categories; they glide when what is said of them changes.

    `pointed(index)` tells which picture the mouse is over or the arrow keys lead to, -1 for none;
    `chosen(index)` which was clicked or entered; `framed(indices)` which lie in a frame that was drawn, or
    all of them by the keys for Select all, int64 (k,).
    """

    pointed = Signal(int)
    chosen = Signal(int)
    framed = Signal(object)

    def __init__(self, library: Library, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapView")
        self.setAccessibleName(self.tr("Map of the pictures"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(400, 320)
        self._appearance = appearance
        self.content = MapContent()
        self.thumbnails = ThumbnailCache(library, radius=6, parent=self)
        self.thumbnails.arrived.connect(lambda _files: self.update())
        appearance.changed.connect(self.update)
        self._from: NDArray[np.float64] = self.content.places
        self._to: NDArray[np.float64] = self.content.places
        self._glide = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=_GLIDE_MS)
        self._glide.valueChanged.connect(lambda _share: self.update())
        self._press: QPoint | None = None
        self._frame = QRect()
        self._over = -1

    def sizeHint(self) -> QSize:
        """Return room for some hundred pictures."""
        return QSize(720, 560)

    @property
    def over(self) -> int:
        """The picture that the mouse or the arrow keys point at, -1 for none."""
        return self._over

    @property
    def as_pictures(self) -> bool:
        """Whether there are few enough to be shown as pictures."""
        return len(self.content.files) <= MOST_PICTURES

    def show_content(self, content: MapContent) -> None:
        """Show this; pictures that were there before glide to their new places."""
        former, now = self.content, self._now()
        over = former.files[self._over].path if self._over >= 0 else ""
        self.content = content
        self._settle()
        start = self._to.copy()
        if former.categories and len(former.files):
            before = {file.path: place for place, file in enumerate(former.files)}
            for index, file in enumerate(content.files):
                if file.path in before:
                    start[index] = now[before[file.path]]
        self._from = start
        self._over = next((at for at, file in enumerate(content.files) if over and file.path == over), -1)
        self._glide.stop()
        self._glide.start()
        if self.as_pictures:
            self.thumbnails.want(content.files, _SIDE, self.devicePixelRatioF())

    def place_of(self, index: int) -> QPointF:
        """Return where a picture is painted."""
        return self._painted(self._now()[index : index + 1])[0]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Find places anew: how many pictures stand side by side depends on the room."""
        super().resizeEvent(event)
        self._settle()
        self._from = self._to

    def _settle(self) -> None:
        places = self.content.places
        if self.as_pictures and len(places):
            room = np.array([self.width(), self.height()]) / 2 - _SIDE / 2 - 2
            places = np.clip(apart(places * self._reach(), _SIDE + 2), -room, room) / self._reach()
        self._to = places

    def _now(self) -> NDArray[np.float64]:
        share = float(self._glide.currentValue() or 0.0)
        if self._glide.state() != QVariantAnimation.State.Running or len(self._from) != len(self._to):
            return self._to
        eased = 1 - (1 - share) ** 3
        return self._from + (self._to - self._from) * eased

    # Places -----------------------------------------------------------------------------------------

    def _reach(self) -> NDArray[np.float64]:
        """Return (2,), how many pixels lie between the middle and the farthest category, across and down."""
        return np.array([max(60.0, self.width() / 2 - _LABEL), max(60.0, self.height() / 2 - 56)])

    def _painted(self, places: NDArray[np.float64]) -> list[QPointF]:
        centre = QRectF(self.rect()).center()
        xs, ys = (places * self._reach()).T.tolist() if len(places) else ([], [])
        return [QPointF(centre.x() + x, centre.y() + y) for x, y in zip(xs, ys, strict=True)]

    def _gaps(self, where: QPointF) -> NDArray[np.float64]:
        """Return (Q, 2), how many pixels to the right of a point and below it each picture lies."""
        centre = QRectF(self.rect()).center()
        gaps: NDArray[np.float64] = self._now() * self._reach() - [
            where.x() - centre.x(),
            where.y() - centre.y(),
        ]
        return gaps

    def _at(self, where: QPointF) -> int:
        """Return the picture that is nearest to a point and near enough, else -1."""
        gaps = self._gaps(where)
        if not len(gaps):
            return -1
        far = np.abs(gaps).max(1) if self.as_pictures else np.sqrt((gaps**2).sum(1))
        nearest = int(far.argmin())
        return nearest if far[nearest] <= (_SIDE / 2 if self.as_pictures else _NEAR) else -1

    # Painting ---------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the lines between neighbours, pictures, names and the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, corners = self._appearance.theme, self.content.corners
        painter.setPen(QPen(theme.line, 1))
        painter.drawPolygon(self._painted(corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]))
        points = self._painted(self._now())
        (self._paint_pictures if self.as_pictures else self._paint_dots)(painter, points)
        self._paint_corners(painter)
        if not self._frame.isNull():
            painter.setPen(QPen(theme.accent, 1))
            painter.setBrush(QColor(theme.accent.red(), theme.accent.green(), theme.accent.blue(), 40))
            painter.drawRect(self._frame)
        painter.end()

    def _paint_pictures(self, painter: QPainter, points: list[QPointF]) -> None:
        """Draw each as a thumbnail with an edge in the colour of its category; examples have a broad one."""
        theme, content = self._appearance.theme, self.content
        over = [self._over] if self._over >= 0 else []
        for index in [each for each in range(len(points)) if each != self._over] + over:
            box = QRectF(0, 0, _SIDE, _SIDE)
            box.moveCenter(points[index])
            pixmap = self.thumbnails.pixmap(content.files[index])
            if pixmap is not None:
                painter.drawPixmap(box.toRect(), pixmap)
            label = int(content.labels[index])
            none = label < 0
            colour = theme.muted if none else theme.category(content.categories[label].colour)
            width = 4 if content.taught[index] or index == self._over else 2
            painter.setPen(QPen(colour, width, Qt.PenStyle.DashLine if none else Qt.PenStyle.SolidLine))
            painter.setBrush(theme.raised if pixmap is None else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)

    def _paint_dots(self, painter: QPainter, points: list[QPointF]) -> None:
        """Draw dots in the colours of their categories, rings for none of these; examples are larger."""
        theme, content = self._appearance.theme, self.content
        labels, taught = content.labels, content.taught
        for label in range(-1, len(content.categories)):
            colour = theme.muted if label < 0 else theme.category(content.categories[label].colour)
            for examples in (False, True):
                wanted = np.flatnonzero((labels == label) & (taught == examples)).tolist()
                size = _DOT + 4 if examples else _DOT
                painter.setPen(QPen(colour, size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawPoints([points[index] for index in wanted])
                if label < 0 and not examples:
                    inner = QPen(theme.surface, _DOT - 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
                    painter.setPen(inner)
                    painter.drawPoints([points[index] for index in wanted])
        if self._over >= 0:
            painter.setPen(QPen(theme.text, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(points[self._over], _DOT, _DOT)

    def _paint_corners(self, painter: QPainter) -> None:
        """Draw each category: a disc, and its name outside."""
        theme = self._appearance.theme
        painter.setFont(theme.font("heading"))
        corners = self.content.corners
        for category, (x, y), point in zip(
            self.content.categories, corners.tolist(), self._painted(corners), strict=True
        ):
            painter.setPen(QPen(theme.surface, 2))
            painter.setBrush(theme.category(category.colour))
            painter.drawEllipse(point, _CORNER / 2, _CORNER / 2)
            self._paint_name(painter, *self._name(painter, category.name, QPointF(x, y), point))

    def _paint_name(self, painter: QPainter, box: QRectF, flags: int, name: str) -> None:
        """Draw a name, on a quiet ground where pictures may lie."""
        theme, ground = self._appearance.theme, QColor(self._appearance.theme.window)
        ground.setAlphaF(0.85)
        painter.setPen(theme.text)  # without a pen a text takes no room
        room = painter.boundingRect(box, flags, name)
        painter.fillRect(room.adjusted(-6, -1, 6, 1), ground)
        painter.drawText(box, flags, name)

    def _name(self, painter: QPainter, name: str, corner: QPointF, point: QPointF) -> tuple[QRectF, int, str]:
        """Return where, how aligned and how much of a name is drawn, outside of the map."""
        side = 0.0 if abs(corner.x()) < 0.3 else corner.x()
        room = _LABEL - _SIDE / 2 - 12 if side else 2 * _LABEL
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room))
        box = QRectF(0, 0, room, 20)
        gap = _SIDE / 2 + 8
        flags = Qt.AlignmentFlag.AlignVCenter
        if side > 0:
            box.moveTopLeft(QPointF(point.x() + gap, point.y() - 10))
            return box, int(flags | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute), shown
        if side < 0:
            box.moveTopRight(QPointF(point.x() - gap, point.y() - 10))
            return box, int(flags | Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute), shown
        box.moveCenter(QPointF(point.x(), point.y() + (gap + 10) * (1 if corner.y() > 0 else -1)))
        return box, int(flags | Qt.AlignmentFlag.AlignHCenter), shown

    # The mouse --------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a frame, or a click."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position().toPoint()
            self._point(self._at(event.position()))  # it may have glided away under a still mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the frame, or point at what is under the mouse."""
        now = event.position().toPoint()
        if self._press is not None and (now - self._press).manhattanLength() > _DRAG:
            self._frame = QRect(self._press, now).normalized()
            self.update()
            return
        over = self._at(event.position())
        self._point(over)

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing once the mouse is elsewhere, unless the keys are used."""
        super().leaveEvent(event)
        if not self.hasFocus():
            self._point(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose what lies in the frame, or what was clicked."""
        if event.button() != Qt.MouseButton.LeftButton or self._press is None:
            return
        frame, self._frame, self._press = self._frame, QRect(), None
        self.update()
        if frame.isNull():
            if self._over >= 0:
                self.chosen.emit(self._over)
            return
        points, inside = self._painted(self._now()), QRectF(frame)
        self.framed.emit(
            np.array([at for at, point in enumerate(points) if inside.contains(point)], np.int64)
        )

    def _point(self, index: int) -> None:
        if index != self._over:
            self._over = index
            self.pointed.emit(index)
            self.update()

    # The keys ---------------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Point at the middle, where who came by a key can go on with the arrows."""
        super().focusInEvent(event)
        by_key = event.reason() in {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}
        if by_key and self._over < 0:
            self._point(self._nearest(self._gaps(QRectF(self.rect()).center())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the next picture that way, choose the one that is pointed at, or choose all."""
        key = Qt.Key(event.key())
        if key in _ARROWS and len(self.content.files):
            self._go(*_ARROWS[key])
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._over >= 0:
            self.chosen.emit(self._over)
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.framed.emit(np.arange(len(self.content.files)))
        else:
            super().keyPressEvent(event)

    def _go(self, right: float, down: float) -> None:
        """Point at the next picture that way: near, and more ahead than aside."""
        here = self.place_of(self._over) if self._over >= 0 else QRectF(self.rect()).center()
        gaps = self._gaps(here)
        ahead, aside = gaps @ [right, down], np.abs(gaps @ [down, right])
        wanted = np.flatnonzero((ahead >= aside) & (ahead > 0.5))
        if len(wanted):
            self._point(int(wanted[(ahead + 2 * aside)[wanted].argmin()]))

    @staticmethod
    def _nearest(gaps: NDArray[np.float64]) -> int:
        return int((gaps**2).sum(1).argmin()) if len(gaps) else -1
