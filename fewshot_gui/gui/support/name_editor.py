"""The name of a category: read as a label, written in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from fewshot_gui.gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NAME = 120


class _Field(QLineEdit):
    """A line that says how it was left."""

    committed = Signal()
    cancelled = Signal()
    abandoned = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.committed.emit()
        else:
            super().keyPressEvent(event)
            # Keys that the line does not need are not for the card either while a name is typed.
            event.accept()

    def event(self, event: QEvent) -> bool:
        # A digit typed into a name is no shortcut of a category; Ctrl+N and its like stay shortcuts.
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and _is_letter(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.abandoned.emit()


def _is_letter(event: QKeyEvent) -> bool:
    return bool(event.text()) and event.text().isprintable()


class NameEditor(QWidget):
    """Shows a name; a double click or `edit` turns it into a line.

    `rename(name)` is asked for a new name and returns why it is refused, or an empty text. While it is
    refused the line stays open and `problem(reason)` is emitted; leaving the line drops a refused name.

    Signals:
        problem(str): what is wrong with the name; empty when nothing is any more.
        finished(): the line was closed by a key, so the focus belongs to the card again.
    """

    problem = Signal(str)
    finished = Signal()

    def __init__(self, rename: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rename = rename
        self.label = ElidedLabel("", self)
        self.label.setProperty("role", "heading")
        self.field: _Field | None = None
        self._given = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.label)

    def show_name(self, name: str) -> None:
        """Show `name`; a line that is open keeps what was typed, if something was."""
        self.label.setText(name)
        if self.field is not None and not self._typed:
            self._give(self.field, name)

    @property
    def _typed(self) -> bool:
        """Whether the open line says something else than it was opened with."""
        return self.field is not None and self.field.text() != self._given

    def _give(self, field: QLineEdit, name: str) -> None:
        """Show a name whole: that of a category made from a folder may be longer than may be typed."""
        field.setMaxLength(max(MAX_NAME, len(name)))
        field.setText(name)
        self._given = field.text()

    @property
    def editing(self) -> bool:
        """Whether the line is open."""
        return self.field is not None

    def edit(self) -> None:
        """Open the line with the whole name chosen."""
        if self.field is None:
            self.field = self._open()
        self.field.setFocus()
        self.field.selectAll()

    def _open(self) -> _Field:
        field = _Field("", self)
        self._give(field, self.label.text())
        field.setObjectName("nameEdit")
        field.setAccessibleName(self.tr("Name of the category"))
        field.committed.connect(self._commit)
        field.cancelled.connect(self._cancel)
        field.abandoned.connect(self._abandon)
        field.textEdited.connect(lambda: self._mark(""))
        self.label.hide()
        self._column.addWidget(field)
        field.show()
        return field

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the line."""
        event.accept()
        self.edit()

    def _commit(self) -> None:
        if self.field is None:
            return
        reason = self._rename(self.field.text()) if self._typed else ""
        self._mark(reason)
        if not reason:
            self._close()
            self.finished.emit()

    def _cancel(self) -> None:
        self._close()
        self.finished.emit()

    def _abandon(self) -> None:
        if self.field is not None:
            if self._typed:
                self._rename(self.field.text())
            self._close()

    def _mark(self, reason: str) -> None:
        if self.field is not None and bool(reason) != (self.field.property("wrong") == "true"):
            self.field.setProperty("wrong", "true" if reason else "false")
            self.field.style().unpolish(self.field)
            self.field.style().polish(self.field)
        self.problem.emit(reason)

    def _close(self) -> None:
        # The reference goes first: hiding the line takes its focus, which closes it once more.
        field, self.field = self.field, None
        if field is not None:
            field.hide()
            field.deleteLater()
            self.label.show()
            self.problem.emit("")
