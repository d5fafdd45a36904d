"""Shots against accuracy: a small curve, and in words what further examples would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fewshot_gui.engine.deciding.shots import GOOD
from fewshot_gui.gui.inspector.inner_loop_curve import LossCurve

if TYPE_CHECKING:
    from fewshot_gui.engine.deciding.shots import ShotsCurve
    from fewshot_gui.gui.theme import Appearance

STILL_RISING: Final = 0.03
"""What the last third of the examples must have added for more of them to be advised."""

translate = QCoreApplication.translate


class ShotsView(QWidget):
    """Shows the newest curve; nothing before there is one."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shotsView")
        self.setAccessibleName(self.tr("What more examples bring"))
        self.words = QLabel(self)
        self.words.setObjectName("shotsWords")
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.curve = LossCurve(appearance, self, top=1.0)
        self.curve.setObjectName("shotsCurve")
        self.curve.setAccessibleName(self.tr("Right answers after 1, 2 and more examples of each category"))
        self.curve.setToolTip(self.curve.accessibleName())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.words)
        column.addWidget(self.curve)
        column.addLayout(self._ends())
        self.hide()

    def _ends(self) -> QHBoxLayout:
        """Return the line below the curve: what its left and its right end stand for."""
        self.first, self.last = QLabel(self), QLabel(self)
        row = QHBoxLayout()
        for label in (self.first, self.last):
            label.setProperty("role", "small")
            row.addWidget(label)
        row.insertStretch(1)
        return row

    def show_curve(self, curve: ShotsCurve) -> None:
        """Show a curve, or nothing where there are too few examples for one."""
        accuracies = curve.accuracies
        self.setVisible(bool(accuracies))
        if accuracies:
            self.words.setText(shots_words(curve))
            self.curve.show_losses(accuracies, len(accuracies) - 1)
            self.first.setText(self.tr("1 example: {0} %").format(round(100 * accuracies[0])))
            self.last.setText(
                self.tr("{0} examples: {1} %").format(len(accuracies), round(100 * accuracies[-1]))
            )


def shots_words(curve: ShotsCurve) -> str:
    """Return how the answers get better with the examples, and whether more of them will help."""
    first, last = (round(100 * share) for share in (curve.accuracies[0], curve.accuracies[-1]))
    measured = translate(
        "Shots", "With 1 example of each category {first} % are right, with {shots} examples {last} %."
    ).format(first=first, last=last, shots=len(curve.accuracies))
    if curve.gain >= STILL_RISING:
        advice = translate("Shots", "It still rises: more examples will help.")
    elif curve.accuracies[-1] >= GOOD:
        advice = translate("Shots", "It has levelled off: these examples do.")
    else:
        advice = translate(
            "Shots",
            "It has levelled off: more of the same will hardly help, others or a stronger backbone may.",
        )
    return f"{measured} {advice}"
