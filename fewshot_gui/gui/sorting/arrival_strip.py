"""A calm line that says what has arrived in the watched folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.sorting.watching import Grace
from fewshot_gui.gui.widgets import PushButton, ToolButton

if TYPE_CHECKING:
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance


class ArrivalStrip(QFrame):
    """Hidden while nothing is new; `looked` when the person wants to see it, `settled` when it may go."""

    looked = Signal()
    settled = Signal()
    sortAsked = Signal()  # noqa: N815 - reads like Qt's own signals

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setObjectName("arrivalStrip")
        self.setProperty("role", "card")
        self._sign = QLabel(self)
        self.words = QLabel(self)
        self.words.setObjectName("arrivalWords")
        self.look = PushButton(self.tr("Look"), self)
        self.look.setObjectName("arrivalLook")
        self.later = PushButton(self.tr("Sort by itself…"), self, role="quiet")
        self.later.setObjectName("arrivalSettings")
        self.away = ToolButton("close", self.tr("Hide until more arrive"), self, size=16)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 8, 4)
        row.setSpacing(12)
        row.addWidget(self._sign)
        row.addWidget(self.words, 1)
        for button in (self.later, self.look, self.away):
            row.addWidget(button)
        self.look.clicked.connect(self.looked)
        self.later.clicked.connect(self.sortAsked)
        self.away.clicked.connect(self.settled)
        appearance.changed.connect(self._tint)
        self._tint()
        self.hide()

    def show_arrived(self, new: int, sure: int) -> None:
        """Say how many pictures are new, and how many of them are sure."""
        if new == 1:
            words = self.tr("1 new picture, the program is sure of it") if sure else self.tr("1 new picture")
        else:
            words = self.tr("{0:,} new pictures: {1:,} sure").format(new, sure)
        self.words.setText(words)
        self.setAccessibleName(words)
        self.setVisible(new > 0)

    def _tint(self) -> None:
        self._sign.setPixmap(icon("folder", self._appearance.theme.accent).pixmap(16, 16))


class GraceDialog(QDialog):
    """Asks whether sure arrivals are sorted by themselves, with what was chosen when sorting last."""

    def __init__(self, session: Session, target: str, way: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        grace = Grace.of(session)
        self.setObjectName("graceDialog")
        self.setWindowTitle(self.tr("Sort by itself"))
        self.setMinimumWidth(480)
        self.on = QCheckBox(self.tr("Let the program sort the new pictures that it is sure of"), self)
        self.on.setObjectName("graceOn")
        self.on.setChecked(grace.on)
        self.minutes = QSpinBox(self)
        self.minutes.setObjectName("graceMinutes")
        self.minutes.setAccessibleName(self.tr("Minutes to wait"))
        self.minutes.setRange(1, 24 * 60)
        self.minutes.setValue(grace.minutes)
        self.minutes.setSuffix(self.tr(" min"))
        # A style sheet gives the edit within a spin box no padding.
        self.minutes.lineEdit().setTextMargins(9, 0, 9, 0)
        note = QLabel(
            self.tr("They go to {0} ({1}), as chosen under “Sort the files…”, and can be taken "
                    "back under “Sorted before, take back…”. Without this, nothing moves until you say so.")
            .format(target, way),
            self,
        )  # fmt: skip
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        wait = QHBoxLayout()
        wait.setSpacing(8)
        wait.addWidget(QLabel(self.tr("Wait before that:"), self))
        wait.addWidget(self.minutes)
        wait.addStretch(1)
        ok = PushButton(self.tr("OK"), self, role="primary")
        ok.setDefault(True)
        ok.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addWidget(self.on)
        column.addLayout(wait)
        column.addWidget(note)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        leave = PushButton(self.tr("Cancel"), self)
        leave.setObjectName("graceCancel")
        leave.clicked.connect(self.reject)
        foot.addWidget(leave)
        foot.addWidget(ok)
        column.addLayout(foot)

    def accept(self) -> None:
        """Keep the choice."""
        Grace(self.on.isChecked(), self.minutes.value()).keep(self._session)
        super().accept()
