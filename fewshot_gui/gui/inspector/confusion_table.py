"""The leave-one-out report as a table: how often each category was taken for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QBrush, QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QTableView, QWidget

from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_NO_INDEX: Final = QModelIndex()
_translate = QCoreApplication.translate


class ReportModel(QAbstractTableModel):
    """The cells of a report, made when they are asked for: 200 categories have 40,000.

    Args:
        appearance: gives the colours.
        parent: owns the model.
    """

    def __init__(self, appearance: Appearance, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._categories: tuple[Category, ...] = ()
        self._cells: dict[tuple[int, int], int] = {}
        self._examined: list[int] = []

    def show(self, report: LooReport | None, categories: tuple[Category, ...]) -> None:
        """Have the cells of these categories of a report, in their order."""
        self.beginResetModel()
        self._categories = categories
        places = {category.id: place for place, category in enumerate(categories)}
        cells = {} if report is None else report.cells
        self._cells = {
            (places[own], places[taken]): len(pictures)
            for (own, taken), pictures in cells.items()
            if own in places and taken in places
        }
        self._examined = [0] * len(categories)
        for (own, _taken), pictures in cells.items():
            if own in places:
                self._examined[places[own]] += len(pictures)
        self.endResetModel()

    def score(self, row: int) -> tuple[int, int]:
        """Return how many examples of a category were classified right, and how many were examined."""
        return self._cells.get((row, row), 0), self._examined[row]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:
        """Return how many categories there are."""
        return 0 if parent.isValid() else len(self._categories)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:
        """Return the same: each may be taken for each."""
        return self.rowCount(parent)

    def worst(self) -> tuple[int, int]:
        """Return the place of the mistake that is made most often, the first cell where there is none."""
        wrong = [(count, -row, -column) for (row, column), count in self._cells.items() if row != column]
        most, row, column = max(wrong, default=(0, 0, 0))
        return (-row, -column) if most else (0, 0)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the number of a cell, its colour, or what it says in words."""
        row, column = index.row(), index.column()
        count = self._cells.get((row, column), 0)
        if role == Qt.ItemDataRole.DisplayRole:
            return str(count) if count or row == column else ""  # nought is told where it should not be one
        if role == Qt.ItemDataRole.BackgroundRole:
            examined = self._examined[row]
            return self._colour(count / examined if examined else 0.0, right=row == column)
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole}:
            return cell_words(count, self._categories[row].name, self._categories[column].name)
        return None

    def _colour(self, share: float, *, right: bool) -> QBrush:
        theme = self._appearance.theme
        if not share:
            return QBrush(theme.raised if right else theme.surface)
        return QBrush(mixed(theme.success if right else theme.danger, theme.surface, 0.12 + 0.38 * share))


class ConfusionTable(QTableView):
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
        self._model = ReportModel(appearance, self)
        self.setModel(self._model)
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
        appearance.changed.connect(self._paint_anew)

    @property
    def chosen(self) -> tuple[CategoryId, CategoryId] | None:
        """The categories of the chosen cell, taught as and taken for."""
        current = self.currentIndex()
        if not current.isValid():
            return None
        return self._classes[current.row()], self._classes[current.column()]

    def set_current_cell(self, row: int, column: int) -> None:
        """Choose this cell."""
        self.setCurrentIndex(self._model.index(row, column))

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Tell the chosen cell."""
        super().currentChanged(current, previous)
        self._choose()

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
                row, column = self._model.worst()
                if chosen is not None and set(chosen) <= set(self._classes):
                    row, column = (self._classes.index(each) for each in chosen)
                self.set_current_cell(row, column)
        self._choose()

    def _fill(self) -> None:
        self._model.show(self._report, self._categories)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert isinstance(across, NamesHeader)
        assert isinstance(down, NamesHeader)
        across.setDefaultSectionSize(self._cell().width())
        down.setDefaultSectionSize(self._cell().height())
        across.show_categories(self._categories)
        scores = map(self._model.score, range(len(self._categories)))
        down.show_categories(self._categories, ["{} / {}".format(*score) for score in scores])

    def _cell(self) -> QSize:
        return SMALL_CELL if len(self._classes) > MANY else CELL

    def _paint_anew(self) -> None:
        if self._classes:
            self._looks = None
            self.show_report(self._report, self._categories)

    def _choose(self) -> None:
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
        assert isinstance(table, QTableView)
        chosen = index == table.currentIndex()
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
