"""A filter to click: a dot, a name and a live count in a pill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from fewshot_gui.gui.theme import Appearance

HEIGHT = 28
_SIDE = 12
_DOT = 8
_LONGEST_NAME = 144


class Chip(QAbstractButton):
    """A checkable pill; `colour` is a palette index, -1 for one without a dot.

    With keys it is one of a group: the arrows lead from chip to chip, Tab leaves them.
    """

    def __init__(
        self, name: str, appearance: Appearance, *, colour: int = -1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._colour = colour
        self._count = 0
        self._call(name)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_count(0)
        appearance.changed.connect(self.update)

    @property
    def count(self) -> int:
        """The number shown."""
        return self._count

    def set_count(self, count: int) -> None:
        """Show this number."""
        self._count = count
        self.setAccessibleName(self.tr("Show only: {name}, {count}").format(name=self._name, count=count))
        self.setToolTip(self.accessibleName())
        self.updateGeometry()
        self.update()

    def set_look(self, name: str, colour: int) -> None:
        """Show another name and colour."""
        self._colour = colour
        self._call(name)
        self.set_count(self._count)

    def _call(self, name: str) -> None:
        self._name = name
        self.setText(name.replace("&", "&&"))  # else Qt takes Alt and the next letter for it

    def sizeHint(self) -> QSize:
        """Return the room that the words need; a very long name is cut."""
        numbers = QFontMetrics(self._appearance.theme.font("number"))
        dot = _DOT + 6 if self._colour >= 0 else 0
        width = 2 * _SIDE + dot + self._name_width() + 8 + numbers.horizontalAdvance(f"{self._count:,}")
        return QSize(width, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the size hint: a chip is never squeezed."""
        return self.sizeHint()

    def _name_width(self) -> int:
        words = QFontMetrics(self._appearance.theme.font("body"))
        return min(words.horizontalAdvance(self._name), _LONGEST_NAME)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the pill."""
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_pill(painter)
        left = float(_SIDE)
        middle = self.height() / 2
        if self._colour >= 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.category(self._colour))
            painter.drawEllipse(QRectF(left, middle - _DOT / 2, _DOT, _DOT))
            left += _DOT + 6
        align = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.text)
        width = self._name_width()
        # The advance is rounded down: without two pixels more the last letter would be cut.
        name = painter.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideRight, width + 2)
        painter.drawText(QRectF(left, 0, width + 4, self.height()), align, name)
        painter.setFont(theme.font("number"))
        painter.setPen(theme.muted)
        number = QRectF(left + width + 8, 0, self.width(), self.height())
        painter.drawText(number, align, f"{self._count:,}")

    def _paint_pill(self, painter: QPainter) -> None:
        theme = self._appearance.theme
        fill = mixed(theme.accent, theme.surface, 0.14) if self.isChecked() else theme.surface
        if self.underMouse() and not self.isChecked():
            fill = mixed(theme.text, theme.surface, 0.05)
        edge = theme.accent if self.isChecked() else theme.line
        width = 2 if self.hasFocus() else 1
        painter.setPen(QPen(theme.focus if self.hasFocus() else edge, width))
        painter.setBrush(fill)
        box = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.drawRoundedRect(box, HEIGHT / 2, HEIGHT / 2)
