"""A drop-down list whose rows have a title and a grey line, under headings; a narrow box cuts its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPalette,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QWidget,
)

from fewshot_gui.gui.widgets import ComboBox

if TYPE_CHECKING:
    from collections.abc import Sequence

AnyIndex = QModelIndex | QPersistentModelIndex
_LINE: Final = Qt.ItemDataRole.UserRole + 1
_FADED: Final = Qt.ItemDataRole.UserRole + 2
_HEADING: Final = Qt.ItemDataRole.UserRole + 3
_SIDE: Final = 12
_ROOM_FOR_ARROW: Final = 68
_GAP: Final = 8
_NARROWEST: Final = 104
_NARROW: Final = 180
_WIDEST_LIST: Final = 520
_ROWS_IN_VIEW: Final = 12
_ONE_LINE: Final = 30
_TWO_LINES: Final = 42
_SMALL_PIXELS: Final = 11
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list.

    Attributes:
        value: what is chosen with it; empty for a heading.
        title: what it is called.
        line: what stands below in grey.
        faded: it looks as what does not fit.
        enabled: it can be chosen.
        tip: what is said beside the pointer; the line where it is empty.
    """

    value: str
    title: str
    line: str = ""
    faded: bool = False
    enabled: bool = True
    tip: str = ""


class Choice(ComboBox):
    """A list of rows; `picked(value)` is emitted when the person picks one.

    A `named` one says in grey before its title what is chosen here, as far as there is room for both.
    """

    picked = Signal(str)

    def __init__(
        self, name: str, accessible: str, parent: QWidget | None = None, *, named: bool = False
    ) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._label = accessible if named else ""
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setItemDelegate(_RowDelegate(self))
        self.setMaxVisibleItems(_ROWS_IN_VIEW)
        # A list that scrolls: Fusion's own is a menu, and twenty rows of two lines are higher than a screen.
        self.setStyleSheet("QComboBox { combobox-popup: 0; }")
        self.activated.connect(lambda index: self.picked.emit(self.itemData(index)))

    def showPopup(self) -> None:
        """Open the list, with a scroll bar where it has more rows than are in view."""
        super().showPopup()
        # Qt makes the list for a menu, which has none, before this style sheet tells it otherwise.
        self.view().setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def offer(self, rows: Sequence[Row], current: str) -> None:
        """List the rows and show the current one; one that is not among them is shown as it is called."""
        self.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self.clear()
            model = self.model()
            assert isinstance(model, QStandardItemModel)
            for row in rows:
                model.appendRow(_item(row))
            self.view().setMinimumWidth(self._list_width())
        self.show_value(current)
        self.blockSignals(False)  # noqa: FBT003 - Qt's own signature

    def show_value(self, value: str) -> None:
        """Show `value` as chosen; nothing is emitted."""
        index = self.findData(value)
        if index < 0:
            self.insertItem(0, value.rsplit("/", 1)[-1], value)
            index = 0
        self.setCurrentIndex(index)
        self.setToolTip(f"{self.accessibleName()}: {self.currentText()}\n{self.line(index)}".strip())
        self.updateGeometry()

    def line(self, index: int) -> str:
        """Return what stands below the title of a row."""
        return str(self.itemData(index, _LINE) or "")

    def is_heading(self, index: int) -> bool:
        """Return whether a row is a heading."""
        return bool(self.itemData(index, _HEADING))

    def is_enabled(self, index: int) -> bool:
        """Return whether a row can be chosen."""
        return bool(self.model().flags(self.model().index(index, 0)) & Qt.ItemFlag.ItemIsEnabled)

    def is_faded(self, index: int) -> bool:
        """Return whether a row looks as what does not fit."""
        return bool(self.itemData(index, _FADED))

    def _list_width(self) -> int:
        """Return the room that the longest line takes, with the scroll bar."""
        small = QFontMetrics(_small(self.font()))
        longest = max((small.horizontalAdvance(row.line) for row in self._rows), default=0)
        return min(longest + 2 * _SIDE + 24, _WIDEST_LIST)

    def sizeHint(self) -> QSize:
        """Return the room for the longest title: the header must not move when another is chosen."""
        words = [self.itemText(index) for index in range(self.count()) if not self.is_heading(index)]
        metrics = self.fontMetrics()
        longest = max((metrics.horizontalAdvance(text) for text in words), default=0)
        return QSize(max(_NARROWEST, longest + _ROOM_FOR_ARROW), super().sizeHint().height())

    def _label_width(self) -> int:
        """Return the room that the grey word takes with the gap behind it."""
        return self.fontMetrics().horizontalAdvance(self._label) + _GAP if self._label else 0

    def minimumSizeHint(self) -> QSize:
        """Return the room for the title that is shown; only a long one is cut, and not below a limit."""
        wanted = self.fontMetrics().horizontalAdvance(self.currentText()) + _ROOM_FOR_ARROW
        return QSize(min(max(_NARROWEST, wanted), _NARROW), super().sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the box with as much of the title as fits."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style = self.style()
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        metrics, label = self.fontMetrics(), self._label_width()
        if label and metrics.horizontalAdvance(self.currentText()) + label < field.width():
            painter.setPen(_ink(QPalette.ColorRole.PlaceholderText))
            painter.drawText(field, _LEFT, self._label)
            field.setLeft(field.left() + label)
        painter.setPen(_ink(QPalette.ColorRole.ButtonText, _group(enabled=self.isEnabled())))
        painter.drawText(
            field,
            _LEFT,
            metrics.elidedText(self.currentText(), Qt.TextElideMode.ElideRight, field.width()),
        )


def _item(row: Row) -> QStandardItem:
    item = QStandardItem(row.title)
    heading = not row.value
    item.setData(row.value or None, Qt.ItemDataRole.UserRole)
    item.setData(row.line, _LINE)
    item.setData(row.faded, _FADED)
    item.setData(heading, _HEADING)
    item.setData(row.tip or row.line, Qt.ItemDataRole.ToolTipRole)
    # A screen reader says the grey line too: for what does not fit it is the reason.
    item.setData(f"{row.title}. {row.line}" if row.line else row.title, Qt.ItemDataRole.AccessibleTextRole)
    item.setEnabled(row.enabled and not heading)
    item.setSelectable(row.enabled and not heading)
    return item


def _group(*, enabled: bool) -> QPalette.ColorGroup:
    return QPalette.ColorGroup.Active if enabled else QPalette.ColorGroup.Disabled


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPixelSize(_SMALL_PIXELS)
    return small


class _RowDelegate(QStyledItemDelegate):
    """Paints a heading, or a title with a grey line under it."""

    def sizeHint(self, _option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """Return the height of a row; its width is that of the list."""
        return QSize(0, _TWO_LINES if index.data(_LINE) else _ONE_LINE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw the ground of the row as the style has it, and its words over it."""
        own = QStyleOptionViewItem(option)
        self.initStyleOption(own, index)
        own.text = ""
        style = own.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, own, painter, own.widget)
        painter.save()
        box = own.rect.adjusted(_SIDE, 0, -_SIDE, 0)
        if index.data(_HEADING):
            _draw_heading(painter, own, box, str(index.data()))
        else:
            _draw_row(painter, own, box, index)
        painter.restore()


def _ink(role: QPalette.ColorRole, group: QPalette.ColorGroup = QPalette.ColorGroup.Active) -> QColor:
    """Return a colour of the theme; the palette of a view under a stylesheet has another grey."""
    return QGuiApplication.palette().color(group, role)


def _draw_heading(painter: QPainter, option: QStyleOptionViewItem, box: QRect, text: str) -> None:
    font = _small(option.font)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(_ink(QPalette.ColorRole.PlaceholderText))
    painter.drawText(box.adjusted(0, 6, 0, 0), _LEFT, text)


def _draw_row(painter: QPainter, option: QStyleOptionViewItem, box: QRect, index: AnyIndex) -> None:
    line = str(index.data(_LINE) or "")
    group = _group(enabled=not index.data(_FADED))
    painter.setFont(option.font)
    painter.setPen(_ink(QPalette.ColorRole.Text, group))
    title = QRect(box.left(), box.top() + 4, box.width(), 18) if line else box
    painter.drawText(title, _LEFT, str(index.data()))
    if line:
        painter.setFont(_small(option.font))
        painter.setPen(_ink(QPalette.ColorRole.PlaceholderText))
        below = QRect(box.left(), box.top() + 21, box.width(), 16)
        cut = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, _LEFT, cut)
