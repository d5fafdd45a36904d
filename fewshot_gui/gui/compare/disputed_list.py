"""The pictures on which learners disagree, each with its answers as coloured chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.compare.disputes import Dispute, Say
    from fewshot_gui.gui.theme import Appearance

AnyIndex = QModelIndex | QPersistentModelIndex
_NO_INDEX: Final = QModelIndex()
_SIDE: Final = 56
_ROW: Final = 72
_CHIP: Final = 24
_DOT: Final = 8
_GAP: Final = 8
_INSET: Final = 10
_EDGES: Final = 2 * _INSET + _DOT + 12
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class DisputedModel(QAbstractListModel):
    """The disputes as a list, in the names and colours of the present document."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.disputes: tuple[Dispute, ...] = ()
        self.categories: Mapping[CategoryId, Category] = {}

    def show_disputes(self, disputes: Sequence[Dispute]) -> None:
        """List these."""
        self.beginResetModel()
        self.disputes = tuple(disputes)
        self.endResetModel()

    def show_categories(self, categories: Mapping[CategoryId, Category]) -> None:
        """Use these names and colours."""
        self.categories = categories
        if self.disputes:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.disputes) - 1, 0))

    def rowCount(self, parent: AnyIndex = _NO_INDEX) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self.disputes)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the words of a row: what is painted as chips, for whoever does not see them."""
        if not index.isValid() or role not in _WORDS:
            return None
        dispute = self.disputes[index.row()]
        said = "; ".join(f"{self.name(say)}: {', '.join(say.learners)}" for say in dispute.says)
        return f"{file_name(dispute)} – {said}"

    def name(self, say: Say) -> str:
        """Return the name of an answer; a category that was removed meanwhile is a dash."""
        category = self.categories.get(say.category)
        return "–" if category is None else category.name


_WORDS: Final = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
)


class DisputedList(QListView):
    """Shows the disputes; `chosen(path)` is emitted when one is clicked, or Enter is pressed on it."""

    chosen = Signal(str)

    def __init__(self, library: Library, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.disputed = DisputedModel(self)
        self.thumbnails = ThumbnailCache(library, parent=self)
        self.setObjectName("compareDisputed")
        self.setAccessibleName(self.tr("Pictures on which the learners disagree"))
        self.setModel(self.disputed)
        self.setItemDelegate(_DisputeDelegate(self, appearance))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._ask_soon = QTimer(self, interval=0, singleShot=True)
        self._ask_soon.timeout.connect(self._ask)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)
        self.disputed.modelReset.connect(self._ask_soon.start)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._ask_soon.start())
        self.thumbnails.arrived.connect(lambda _files: self.viewport().update())
        appearance.changed.connect(self.viewport().update)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter: it chooses a picture, and would begin another comparison as well."""
        super().keyPressEvent(event)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the thumbnails that have come into view."""
        super().resizeEvent(event)
        self._ask_soon.start()

    def _ask(self) -> None:
        first = max(0, self.indexAt(self.viewport().rect().topLeft()).row())
        shown = self.disputed.disputes[first : first + self.viewport().height() // _ROW + 2]
        self.thumbnails.want([dispute.file for dispute in shown], _SIDE, self.devicePixelRatioF())

    def _choose(self, index: AnyIndex) -> None:
        if index.isValid():
            self.chosen.emit(self.disputed.disputes[index.row()].file.path)


class _DisputeDelegate(QStyledItemDelegate):
    """Paints a thumbnail, the name of the file, and a chip for each answer."""

    def __init__(self, view: DisputedList, appearance: Appearance) -> None:
        super().__init__(view)
        self._view, self._appearance = view, appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: AnyIndex) -> QSize:
        """Return the height of a row."""
        return QSize(0, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw one row."""
        own = QStyleOptionViewItem(option)
        own.text = ""
        style = own.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, own, painter, own.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dispute = self._view.disputed.disputes[index.row()]
        box = own.rect.adjusted(8, 8, -8, -8)
        self._paint_picture(painter, QRect(box.left(), box.top(), _SIDE, _SIDE), dispute)
        words = box.adjusted(_SIDE + 12, 0, 0, 0)
        self._paint_name(painter, words, dispute)
        self._paint_chips(painter, words, dispute)
        painter.restore()

    def _paint_picture(self, painter: QPainter, place: QRect, dispute: Dispute) -> None:
        pixmap = self._view.thumbnails.pixmap(dispute.file)
        if pixmap is not None:
            painter.drawPixmap(place, pixmap)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.theme.raised)
        painter.drawRoundedRect(place, 8, 8)

    def _paint_name(self, painter: QPainter, box: QRect, dispute: Dispute) -> None:
        theme = self._appearance.theme
        painter.setFont(theme.font("small"))
        painter.setPen(theme.muted)
        place = QRect(box.left(), box.top(), box.width(), 20)
        name = painter.fontMetrics().elidedText(
            file_name(dispute), Qt.TextElideMode.ElideMiddle, place.width()
        )
        painter.drawText(place, _LEFT, name)

    def _paint_chips(self, painter: QPainter, box: QRect, dispute: Dispute) -> None:
        """One chip an answer, as wide as its words where there is room for all."""
        wanted = [self._chip_width(say) for say in dispute.says]
        left = float(box.left())
        room = box.width() - _GAP * (len(wanted) - 1)
        for say, width in zip(dispute.says, shared_room(wanted, room), strict=True):
            self._paint_chip(painter, QRectF(left, box.top() + 26, width, _CHIP), say)
            left += width + _GAP

    def _chip_width(self, say: Say) -> float:
        theme = self._appearance.theme
        name = QFontMetrics(theme.font("heading")).horizontalAdvance(self._view.disputed.name(say))
        learners = QFontMetrics(theme.font("body")).horizontalAdvance(", ".join(say.learners))
        return _EDGES + name + 2 + learners + 2  # advances are rounded down

    def _paint_chip(self, painter: QPainter, chip: QRectF, say: Say) -> None:
        """Draw one chip; where it is too narrow the names of the learners are cut first."""
        theme, category = self._appearance.theme, self._view.disputed.categories.get(say.category)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.raised if category is None else theme.tint(category.colour))
        painter.drawRoundedRect(chip, _CHIP / 2, _CHIP / 2)
        painter.setBrush(theme.muted if category is None else theme.category(category.colour))
        painter.drawEllipse(QRectF(chip.left() + _INSET, chip.center().y() - _DOT / 2, _DOT, _DOT))
        words = chip.adjusted(_INSET + _DOT + 6, 0, -_INSET, 0)
        painter.setFont(theme.font("heading"))
        painter.setPen(theme.text)
        words.setLeft(words.left() + _draw_cut(painter, words, self._view.disputed.name(say)) + 6)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.muted)
        _draw_cut(painter, words, ", ".join(say.learners))


def _draw_cut(painter: QPainter, box: QRectF, text: str) -> float:
    """Draw as much of the words as fits; return how wide that is."""
    metrics = painter.fontMetrics()
    # Two pixels more than there are: the advance of the whole words is rounded down.
    cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()) + 2)
    painter.drawText(box.adjusted(0, 0, 4, 0), _LEFT, cut)
    return float(metrics.horizontalAdvance(cut))


def shared_room(wanted: Sequence[float], room: float) -> list[float]:
    """Return how wide each of several things is: as wanted, or the widest ones less, so that all fit."""
    left, widths = room, list(wanted)
    for place, number in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        widths[number] = min(wanted[number], left / (len(wanted) - place))
        left -= widths[number]
    return widths


def file_name(dispute: Dispute) -> str:
    """Return the name of the file without its folders."""
    return dispute.file.path.replace("\\", "/").rpartition("/")[2]
