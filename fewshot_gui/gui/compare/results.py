"""The table of a comparison: how often each learner is right, what it costs, and a button to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from fewshot_gui.engine.commands import ChooseBackbone, ChooseLearner, Together
from fewshot_gui.engine.predictor_status import LEARNER, OUT_OF_MEMORY, SUPPORT
from fewshot_gui.engine.state import Settings
from fewshot_gui.gui.compare.disputes import contender_title
from fewshot_gui.gui.sorting.tables import base_name
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.comparing import Answer

ROW_HEIGHT = 40
_COLUMNS = 4


class ResultsTable(QTableWidget):
    """One row a learner, the most often right one first; `wanted(command)` asks to use one of them."""

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, _COLUMNS, parent)
        self.answers: tuple[Answer, ...] = ()
        self._buttons: list[PushButton] = []
        self._settings = Settings()
        self.setObjectName("compareTable")
        self.setAccessibleName(self.tr("What the learners make of your examples"))
        self.setHorizontalHeaderLabels([self.tr("Learner"), "", self.tr("Time to learn"), ""])
        words = self.tr(
            "Examples are left out one at a time and asked about: so many were named right. Learners that "
            "take long are asked about fewer, which says less."
        )
        title = QTableWidgetItem(self.tr("Right on unseen examples"))
        title.setToolTip(words)
        self.setHorizontalHeaderItem(1, title)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_COLUMNS - 1, QHeaderView.ResizeMode.Fixed)

    def show_answers(self, answers: Sequence[Answer], settings: Settings) -> None:
        """Show these answers, those of whom nothing could be examined last; that of `settings` is in use."""
        self.answers = tuple(sorted(answers, key=_rank))
        self._buttons = []
        found = [answer.certain for answer in answers if answer.certain is not None]
        # Where all are alike, none is the best.
        best = max(found) if len(set(found)) > 1 else None
        self.setRowCount(len(answers))
        for row, answer in enumerate(self.answers):
            strong = best is not None and answer.certain == best
            for column, text in enumerate((contender_title(answer.contender), *self._words(answer))):
                item = QTableWidgetItem(text)
                item.setToolTip(answer.detail or text)
                font = self.font()
                font.setBold(strong and column == 1)
                item.setFont(font)
                self.setItem(row, column, item)
            self.setCellWidget(row, _COLUMNS - 1, self._button(answer))
        self.show_settings(settings)

    def show_settings(self, settings: Settings) -> None:
        """Mark the learner in use."""
        self._settings = settings
        for answer, button in zip(self.answers, self._buttons, strict=True):
            used = (answer.contender.learner, answer.bundle) == (settings.learner, settings.backbone)
            button.setEnabled(not used and answer.problem is None)
            button.setText(self._use_words(answer, settings, used=used))
            button.setAccessibleName(f"{button.text()}: {contender_title(answer.contender)}")
        self.horizontalHeader().resizeSection(_COLUMNS - 1, self._widest_button())

    def _use_words(self, answer: Answer, settings: Settings, *, used: bool) -> str:
        if used:
            return self.tr("In use")
        if answer.contender.bundle or answer.bundle == settings.backbone:
            return self.tr("Use this learner")
        return self.tr("Use it on {0}").format(base_name(answer.bundle))

    def button(self, row: int) -> PushButton:
        """Return the button of a row."""
        return self._buttons[row]

    def _button(self, answer: Answer) -> QWidget:
        # With its longest words from the start: the column is made for them.
        button = PushButton(self.tr("Use this learner"), self, role="quiet")
        button.setObjectName(f"compareUse:{answer.contender.learner}")
        button.clicked.connect(lambda: self.wanted.emit(use_command(answer, self._settings)))
        self._buttons.append(button)
        return button

    def _widest_button(self) -> int:
        """Return the width of a column with the buttons; Qt takes the padding of a cell off its widget."""
        for button in self._buttons:
            button.ensurePolished()
        return max((button.sizeHint().width() for button in self._buttons), default=0) + 24

    def _words(self, answer: Answer) -> tuple[str, str]:
        if answer.problem is not None:
            return self._problem_words(answer.problem), "–"
        took = answer.milliseconds
        time = (
            self.tr("{0:.1f} s").format(took / 1000) if took >= 1000 else self.tr("{0:.0f} ms").format(took)
        )
        time = time if took >= 1 else self.tr("< 1 ms")
        if answer.accuracy is None:
            return self.tr("Needs two examples in a category"), time
        right = round(answer.accuracy * answer.examined)
        words = self.tr("{0} of {1} ({2:.0f} %)").format(right, answer.examined, 100 * answer.accuracy)
        return words, time

    def _problem_words(self, problem: str) -> str:
        known = {
            SUPPORT: self.tr("Cannot learn from these examples"),
            LEARNER: self.tr("Does not work with this backbone"),
            OUT_OF_MEMORY: self.tr("Not enough memory"),
        }
        return known.get(problem, self.tr("Its weights cannot be used"))


def _rank(answer: Answer) -> float:
    return 1.0 if answer.certain is None else -answer.certain


def use_command(answer: Answer, settings: Settings) -> Command:
    """Return what makes this learner, on the bundle it was compared on, the one in use: one step of undo."""
    choose = ChooseLearner(answer.contender.learner)
    if answer.bundle == settings.backbone:
        return choose
    return Together((ChooseBackbone(answer.bundle), choose))
