"""How one tile looks: the picture, the answer in words and colour, and how sure it is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.query.gallery_model import TILE_ROLE
from fewshot_gui.gui.query.grid_view import EDGE
from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.query.tile import Tile, TileState
from fewshot_gui.gui.theme import RADIUS, mixed

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.gui.icons import IconName
    from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache
    from fewshot_gui.gui.theme import Appearance, Theme

CAPTION: Final = 36
_TEXT_TOP: Final = 6
_TEXT_HEIGHT: Final = 18
_DOT: Final = 8
_BADGE: Final = 20
# How far the plate of a chosen tile reaches beyond it, at most EDGE; two plates side by side stay apart.
_PLATE: Final = (-EDGE, -EDGE, EDGE, EDGE - 1)
_ELIDED: Final = Qt.TextElideMode.ElideRight
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE: Final = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


_ACCEPTED: Final = frozenset({TileState.ACCEPTED, TileState.ACCEPTED_NONE})
_SIGNS: Final[dict[TileState, IconName]] = {TileState.SAID: "edit", TileState.SAID_NONE: "close"}


def badge_rect(tile: QRect, theme: Theme, count: int) -> QRect:
    """Return where a tile carries the number of its look-alikes, in the tile's own coordinates."""
    width = max(24, QFontMetrics(theme.font("small")).horizontalAdvance(f"{count:,}") + 14)
    return QRect(tile.right() - width - 8, tile.top() + 10, width, _BADGE)


def tile_look(*, selected: bool, hovered: bool, focused: bool) -> QStyle.StateFlag:
    """Return the state of a tile, as its delegate reads it."""
    state = QStyle.StateFlag.State_Enabled
    if selected:
        state |= QStyle.StateFlag.State_Selected
    if hovered:
        state |= QStyle.StateFlag.State_MouseOver
    return state | QStyle.StateFlag.State_HasFocus if focused else state


class _Brushes:
    """The fonts and colours of one theme, looked up once and not for every tile of every frame."""

    def __init__(self, theme: Theme) -> None:
        self.body: QFont = theme.font("body")
        self.number: QFont = theme.font("number")
        self.small: QFont = theme.font("small")
        self.metrics = QFontMetrics(self.body)
        numbers = QFontMetrics(self.number)
        # By the number of digits, which are all equally wide.
        self.number_widths = [numbers.horizontalAdvance("0" * digits + " %") for digits in range(4)]
        self.skeleton: QColor = mixed(theme.text, theme.surface, 0.07)
        self.chosen: QColor = mixed(theme.accent, theme.surface, 0.16)
        self.hovered: QColor = mixed(theme.text, theme.surface, 0.05)
        self.category = [theme.category(index) for index in range(12)]

        @lru_cache(maxsize=1024)
        def elided(text: str, width: int) -> str:
            return self.metrics.elidedText(text, _ELIDED, width)

        self.elided = elided


class TileDelegate(QStyledItemDelegate):
    """Paints the tile of an index; everything it says comes from the one Tile value of that index.

    A category is a dot of its colour and its name; none of these is a dashed frame and the words: colour
    is never the only sign. What a person decided carries a mark in place of the probability: a filled disc
    with a tick (taught), a pencil or a cross (said), or a ring with a tick (accepted). A stack of look-alikes
    carries their number.
    """

    def __init__(
        self, thumbnails: ThumbnailCache, appearance: Appearance, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._thumbnails, self._appearance = thumbnails, appearance
        self._brushes = _Brushes(appearance.theme)
        self._none_of_these = self.tr("None of these")
        appearance.changed.connect(self._dress)

    def _dress(self) -> None:
        self._brushes = _Brushes(self._appearance.theme)

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of the rectangle given: the view decides on it."""
        return option.rect.size()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint the tile of the index into the option's rectangle."""
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        tile: Tile = index.data(TILE_ROLE)
        square = QRect(rect.left(), rect.top(), rect.width(), rect.width())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_back(painter, rect, state)
        self._paint_picture(painter, square, tile)
        self._paint_caption(painter, square, tile)
        if tile.state.is_none:
            # The plain line below the dashes keeps them visible on any picture.
            self._paint_frame(painter, square, QPen(self._appearance.theme.surface, 3))
            self._paint_frame(painter, square, QPen(self._appearance.theme.muted, 2, Qt.PenStyle.DashLine))
        if tile.state.is_decided:
            self._paint_badge(painter, square, tile)
        if tile.stack > 1:
            self._paint_stack(painter, rect, tile)
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus):
            self._paint_ring(painter, rect, state)

    # The parts --------------------------------------------------------------------------------------

    def _paint_back(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        """A plate behind the chosen picture and the one under the pointer."""
        if state & QStyle.StateFlag.State_Selected:
            colour = self._brushes.chosen
        elif state & QStyle.StateFlag.State_MouseOver:
            colour = self._brushes.hovered
        else:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(rect.adjusted(*_PLATE), RADIUS + 2, RADIUS + 2)

    def _paint_ring(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        theme = self._appearance.theme
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        pen = QPen(theme.accent, 2) if chosen else QPen(theme.focus, 1, Qt.PenStyle.DotLine)
        self._paint_frame(painter, rect.adjusted(*_PLATE), pen, RADIUS + 2)
        if chosen and state & QStyle.StateFlag.State_HasFocus:
            self._paint_frame(painter, rect.adjusted(-1, -1, 1, -1), QPen(theme.surface, 1), RADIUS)

    def _paint_frame(self, painter: QPainter, rect: QRect, pen: QPen, radius: float = RADIUS) -> None:
        half = pen.widthF() / 2
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(rect).adjusted(half, half, -half, -half), radius, radius)

    def _paint_picture(self, painter: QPainter, square: QRect, tile: Tile) -> None:
        pixmap = self._thumbnails.pixmap(tile.file)
        if pixmap is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._brushes.skeleton)
            painter.drawRoundedRect(square, RADIUS, RADIUS)
            problem = self._thumbnails.problem(tile.file)
            if problem is not None:
                self._paint_problem(painter, square, problem)
        elif pixmap.width() == round(square.width() * pixmap.devicePixelRatio()):
            painter.drawPixmap(square.topLeft(), pixmap)
        else:  # made for another tile size; the right one is on its way
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(square, pixmap)

    def _paint_problem(self, painter: QPainter, square: QRect, kind: str) -> None:
        muted = self._appearance.theme.muted
        size = 24
        icon("warning", muted).paint(
            painter, square.center().x() - size // 2, square.center().y() - size - 2, size, size
        )
        painter.setFont(self._brushes.small)
        painter.setPen(muted)
        words = square.adjusted(6, square.height() // 2 + 4, -6, -4)
        top = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(words, int(top), problem_words(kind))

    def _paint_caption(self, painter: QPainter, square: QRect, tile: Tile) -> None:
        theme, brushes = self._appearance.theme, self._brushes
        line = QRect(square.left() + 2, square.bottom() + _TEXT_TOP, square.width() - 4, _TEXT_HEIGHT)
        if tile.state is TileState.UNSEEN or tile.state.is_none:
            words = tile.name if tile.state is TileState.UNSEEN else self._none_of_these
            painter.setFont(brushes.body)
            painter.setPen(theme.muted)
            painter.drawText(line, int(_LEFT), brushes.elided(words, line.width()))
            return
        colour = brushes.category[tile.colour % 12]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(line.left(), line.center().y() - _DOT / 2 + 0.5, _DOT, _DOT))
        percent = str(round(100 * tile.probability))
        name = line.adjusted(_DOT + 6, 0, -brushes.number_widths[len(percent)] - 6, 0)
        painter.setFont(brushes.body)
        painter.setPen(theme.text)
        if tile.state.is_decided:
            name.setRight(line.right())
        painter.drawText(name, int(_LEFT), brushes.elided(tile.category, name.width()))
        if tile.state is TileState.PREDICTED:
            painter.setPen(theme.muted)
            painter.setFont(brushes.number)
            painter.drawText(line, int(_RIGHT), f"{percent} %")
            self._paint_bar(painter, line, tile.probability, colour)

    def _paint_bar(self, painter: QPainter, line: QRect, probability: float, colour: QColor) -> None:
        track = QRectF(line.left(), line.bottom() + 4, line.width(), 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._brushes.skeleton)
        painter.drawRoundedRect(track, 1.5, 1.5)
        painter.setBrush(colour)
        painter.drawRoundedRect(
            QRectF(track.topLeft(), track.size()).adjusted(0, 0, -track.width() * (1 - probability), 0),
            1.5,
            1.5,
        )

    def _paint_badge(self, painter: QPainter, square: QRect, tile: Tile) -> None:
        """A sign on a disc of the category's colour: a person said so."""
        theme = self._appearance.theme
        disc = QRect(square.left() + 8, square.top() + 8, _BADGE, _BADGE)
        colour = theme.muted if tile.state.is_none else theme.category(tile.colour)
        painter.setPen(QPen(theme.surface, 2))
        painter.setBrush(colour)
        painter.drawEllipse(disc)
        ink = theme.surface if tile.state.is_none else theme.on_category(tile.colour)
        if tile.state in _ACCEPTED:  # a ring: the same sign, less loud than what was taught
            painter.setPen(QPen(colour, 2))
            painter.setBrush(theme.surface)
            painter.drawEllipse(disc.adjusted(1, 1, -1, -1))
            ink = theme.text
        icon(_SIGNS.get(tile.state, "check"), ink).paint(painter, disc.adjusted(3, 3, -3, -3))

    def _paint_stack(self, painter: QPainter, rect: QRect, tile: Tile) -> None:
        """The number of look-alikes, as a pill over a second one that shows from behind it."""
        theme = self._appearance.theme
        pill = badge_rect(rect, theme, tile.stack)
        painter.setFont(self._brushes.small)
        painter.setPen(QPen(theme.surface, 1))
        for shift in () if tile.opened else (3, 0):
            painter.setBrush(theme.muted if shift else theme.text)
            painter.drawRoundedRect(pill.translated(shift, -shift), 6, 6)
        if tile.opened:
            painter.setBrush(theme.muted)
            painter.drawRoundedRect(pill, 6, 6)
        painter.setPen(theme.surface)
        painter.drawText(pill, int(_CENTRE), f"{tile.stack:,}")

    def drag_picture(self, file: PictureFile, count: int, side: int, ratio: float) -> QPixmap:
        """Return what hangs at the pointer while pictures are dragged: the first, and their number."""
        theme = self._appearance.theme
        result = QPixmap(QSize(round(side * ratio), round(side * ratio)))
        result.setDevicePixelRatio(ratio)
        result.fill(Qt.GlobalColor.transparent)
        painter = QPainter(result)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        plate = QRect(0, 8, side - 8, side - 8)
        pixmap = self._thumbnails.pixmap(file)
        if pixmap is None:
            painter.setBrush(self._brushes.skeleton)
            painter.drawRoundedRect(plate, RADIUS, RADIUS)
        else:
            painter.drawPixmap(plate, pixmap)
        if count > 1:
            self._paint_count(painter, f"{count:,}", side, theme)
        painter.end()
        return result

    def _paint_count(self, painter: QPainter, words: str, side: int, theme: Theme) -> None:
        painter.setFont(self._brushes.small)
        width = max(_BADGE, painter.fontMetrics().horizontalAdvance(words) + 12)
        pill = QRectF(QPointF(side - width, 0), QPointF(side, _BADGE))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawRoundedRect(pill, _BADGE / 2, _BADGE / 2)
        painter.setPen(theme.on_accent)
        painter.drawText(pill, int(_CENTRE), words)
