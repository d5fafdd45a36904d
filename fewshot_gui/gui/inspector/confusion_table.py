"""The leave-one-out report as a table: how often each category was taken for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QRect, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex
    from PySide6.QtWidgets import QStyleOptionViewItem

    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.theme import Appearance

CELL: Final = QSize(40, 32)
SMALL_CELL: Final = QSize(34, 28)
MANY: Final = 16
"""Beyond so many categories cells are small: thirty of them fit a screen of 1366 pixels."""
NAMES: Final = 208
"""The widest that names are shown, in pixels; longer ones lose their middle: their ends tell them apart."""
TALLEST: Final = 112
_DOT: Final = 8
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_translate = QCoreApplication.translate


class ConfusionTable(QTableWidget):
    """A row for what was taught, a column for what it was taken for; arrows walk, every cell can be chosen.

    `cellChosen` carries the two categories of the chosen cell, taught as and taken for.
    """

    cellChosen = Signal(object, object)  # noqa: N815 - signals are named as Qt names them

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._classes: tuple[CategoryId, ...] = ()
        self._report: LooReport | None = None
        self._categories: tuple[Category, ...] = ()
        self._looks: tuple[tuple[CategoryId, str, int], ...] | None = None
        self.setObjectName("confusionTable")
        self.setAccessibleName(self.tr("What the examples of each category are taken for"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setStyleSheet("QTableCornerButton::section { background: transparent; border: none; }")
        self.setItemDelegate(_Cells(appearance, self))
        self.setHorizontalHeader(NamesHeader(Qt.Orientation.Horizontal, appearance, self))
        self.setVerticalHeader(NamesHeader(Qt.Orientation.Vertical, appearance, self))
        for mode in (self.setHorizontalScrollMode, self.setVerticalScrollMode):
            mode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.currentCellChanged.connect(self._choose)
        appearance.changed.connect(self._paint_anew)

    @property
    def chosen(self) -> tuple[CategoryId, CategoryId] | None:
        """The categories of the chosen cell, taught as and taken for."""
        row, column = self.currentRow(), self.currentColumn()
        if row < 0 or column < 0:
            return None
        return self._classes[row], self._classes[column]

    def show_report(self, report: LooReport | None, categories: Sequence[Category]) -> None:
        """Show the report in the order, names and colours of these categories; the chosen cell stays so."""
        chosen, shown = self.chosen, () if report is None else report.classes
        there = tuple(category for category in categories if category.id in shown)
        looks = tuple((each.id, each.name, each.colour) for each in there)
        if report is self._report and looks == self._looks:
            return  # every picture that is taught changes the document, and nothing that stands here
        self._looks, self._report = looks, report
        self._categories = there
        self._classes = tuple(each.id for each in there)
        with QSignalBlocker(self):
            self._fill()
            if self._classes:
                row, column = self._worst()
                if chosen is not None and set(chosen) <= set(self._classes):
                    row, column = (self._classes.index(each) for each in chosen)
                self.setCurrentCell(row, column)
        self._choose()

    def _fill(self) -> None:
        count = len(self._classes)
        self.setRowCount(count)
        self.setColumnCount(count)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert isinstance(across, NamesHeader)
        assert isinstance(down, NamesHeader)
        across.show_categories(self._categories)
        scores = [self._score(each) for each in self._classes]
        down.show_categories(self._categories, ["{} / {}".format(*score) for score in scores])
        for number, (_right, examined) in enumerate(scores):
            self.setColumnWidth(number, self._cell().width())
            self.setRowHeight(number, self._cell().height())
            for other in range(count):
                self.setItem(number, other, self._item(number, other, examined))

    def _cell(self) -> QSize:
        return SMALL_CELL if len(self._classes) > MANY else CELL

    def _score(self, category: CategoryId) -> tuple[int, int]:
        assert self._report is not None
        return self._report.right_of(category)

    def _item(self, row: int, column: int, examined: int) -> QTableWidgetItem:
        assert self._report is not None
        own, taken = self._categories[row], self._categories[column]
        count = len(self._report.cells.get((own.id, taken.id), ()))
        # Nought is told where it should not be one.
        item = QTableWidgetItem(str(count) if count or row == column else "")
        item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        words = cell_words(count, own.name, taken.name)
        item.setToolTip(words)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
        item.setBackground(QBrush(self._colour(count / examined if examined else 0.0, right=row == column)))
        return item

    def _colour(self, share: float, *, right: bool) -> QBrush:
        theme = self._appearance.theme
        if not share:
            return QBrush(theme.raised if right else theme.surface)
        return QBrush(mixed(theme.success if right else theme.danger, theme.surface, 0.12 + 0.38 * share))

    def _paint_anew(self) -> None:
        if self._classes:
            self._looks = None
            self.show_report(self._report, self._categories)

    def _worst(self) -> tuple[int, int]:
        """Return the place of the mistake that is made most often, the first cell where there is none."""
        assert self._report is not None
        counts = [
            (len(self._report.cells.get((own, taken), ())), -row, -column)
            for row, own in enumerate(self._classes)
            for column, taken in enumerate(self._classes)
            if row != column
        ]
        most, row, column = max(counts, default=(0, 0, 0))
        return (-row, -column) if most else (0, 0)

    def _choose(self, *_cells: int) -> None:
        if (chosen := self.chosen) is not None:
            self.cellChosen.emit(*chosen)

    def sizeHint(self) -> QSize:
        """Return room for all of it; the dialog gives as much as the screen has."""
        header = self.horizontalHeader().sizeHint().height()
        side = self.verticalHeader().sizeHint().width()
        cells = self._cell() * len(self._classes)
        return QSize(side + 16, header + 16) + cells


def cell_words(count: int, own: str, taken: str) -> str:
    """Return what a cell says, in a sentence without an end."""
    if own == taken:
        one = _translate("Confusion", "1 example of “{own}” is recognised")
        many = _translate("Confusion", "{count} examples of “{own}” are recognised")
    else:
        one = _translate("Confusion", "1 example of “{own}” is taken for “{taken}”")
        many = _translate("Confusion", "{count} examples of “{own}” are taken for “{taken}”")
    return (one if count == 1 else many).format(count=count or _no(), own=own, taken=taken)


def _no() -> str:
    return _translate("Confusion", "no")


class NamesHeader(QHeaderView):
    """The names of the categories with their colours; above the columns they are written upwards."""

    def __init__(self, orientation: Qt.Orientation, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self._appearance = appearance
        self._categories: tuple[Category, ...] = ()
        self._notes: tuple[str, ...] = ()
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setMinimumSectionSize(24)
        self.setSectionsClickable(False)
        appearance.changed.connect(self.viewport().update)

    def show_categories(self, categories: Sequence[Category], notes: Sequence[str] = ()) -> None:
        """Show these names, each with its note at the end."""
        self._categories, self._notes = tuple(categories), tuple(notes)
        self.viewport().update()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return room for the longest name, up to a limit."""
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(each.name) for each in self._categories), default=0)
        long = widest + _DOT + 24 + self._note_width()
        if self.orientation() is Qt.Orientation.Horizontal:
            return QSize(CELL.width(), min(long, TALLEST))
        return QSize(min(long, NAMES), CELL.height())

    def _note_width(self) -> int:
        return max((self.fontMetrics().horizontalAdvance(note) + 16 for note in self._notes), default=0)

    def paintSection(self, painter: QPainter, rect: QRect, index: int) -> None:
        """Paint the dot and the name."""
        if not 0 <= index < len(self._categories):
            return
        category, theme = self._categories[index], self._appearance.theme
        upwards = self.orientation() is Qt.Orientation.Horizontal
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, theme.surface)
        if upwards:
            painter.translate(rect.left(), rect.bottom())
            painter.rotate(-90)
            rect = QRect(0, 0, rect.height(), rect.width())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.category(category.colour))
        painter.drawEllipse(QRectF(rect.left() + 8, rect.center().y() - _DOT / 2 + 0.5, _DOT, _DOT))
        painter.setPen(theme.text)
        painter.setFont(theme.font("body"))
        room = rect.adjusted(8 + _DOT + 6, 0, -4 - self._note_width(), 0)
        cut = painter.fontMetrics().elidedText(category.name, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
        if index < len(self._notes):
            painter.setPen(theme.muted)
            painter.drawText(rect.adjusted(0, 0, -8, 0), _RIGHT, self._notes[index])
        painter.restore()


class _Cells(QStyledItemDelegate):
    """Paints a cell as a tile with its number, and a ring around the chosen one."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme = self._appearance.theme
        box = QRectF(option.rect).adjusted(1, 1, -1, -1)
        table = self.parent()
        assert isinstance(table, QTableWidget)
        chosen = index.row() == table.currentRow() and index.column() == table.currentColumn()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(index.data(Qt.ItemDataRole.BackgroundRole))
        painter.drawRoundedRect(box, 4, 4)
        if chosen:
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(theme.focus if table.hasFocus() else theme.muted)
            pen.setWidth(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 3, 3)
        painter.setPen(theme.text)
        painter.setFont(theme.font("number"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), str(index.data() or ""))
        painter.restore()
