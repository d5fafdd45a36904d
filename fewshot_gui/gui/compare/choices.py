"""The learners to compare: a box to tick for each, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.engine.comparing import Contender
from fewshot_gui.gui.learner_words import family_title, learner_line, learner_title, misfit_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.gui.learner_offers import Offer

USUAL: Final = ("prototypical", "simpleshot", "ridge", "matching")
"""Ticked at first, beside the learner in use: of three kinds, and done in a moment."""


class LearnerChoices(QScrollArea):
    """Boxes for all learners; `changed` is emitted when another set of them is ticked."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compareChoices")
        self.setAccessibleName(self.tr("Learners to compare"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        # The boxes in it are the stops of the keyboard.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._offers: dict[str, Offer] = {}
        self.boxes: dict[str, QCheckBox] = {}
        self._page = QWidget(self)
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(8)
        self.setWidget(self._page)
        self.viewport().setAutoFillBackground(False)
        self._page.setAutoFillBackground(False)

    def show_offers(self, offers: Sequence[Offer], in_use: str) -> None:
        """Show these offers; what was ticked stays so where it still can be.

        Args:
            offers: all learners, family by family.
            in_use: the learner that is ticked at first, beside the usual ones.
        """
        if not self.boxes:
            self._build(offers, in_use)
        self._offers = {offer.name: offer for offer in offers}
        for offer in offers:
            self._show_offer(self.boxes[offer.name], offer)
        self.changed.emit()

    def _build(self, offers: Sequence[Offer], in_use: str) -> None:
        family = None
        for offer in offers:
            if offer.family != family:
                family = offer.family
                heading = QLabel(family_title(family), self._page)
                heading.setProperty("role", "small")
                if self.boxes:
                    self._column.addSpacing(8)
                self._column.addWidget(heading)
            box = QCheckBox(learner_title(offer.name), self._page)
            box.setObjectName(f"compareLearner:{offer.name}")
            box.setChecked(offer.misfit is None and offer.name in {*USUAL, in_use})
            box.toggled.connect(lambda _checked: self.changed.emit())
            self.boxes[offer.name] = box
            self._column.addWidget(box)
        self._column.addStretch(1)

    def _show_offer(self, box: QCheckBox, offer: Offer) -> None:
        box.setEnabled(offer.possible)
        title, line = learner_title(offer.name), learner_line(offer.name)
        if offer.bundle:
            line = f"{line}\n{self.tr('Compared with its own weights: {0}').format(offer.bundle)}"
        elif offer.misfit is not None:
            line = misfit_words(offer.misfit, offer.most, "")
        box.setToolTip(line)
        box.setAccessibleName(title)
        box.setAccessibleDescription(line)

    def chosen(self) -> tuple[Contender, ...]:
        """Return the ticked learners that can take part, each with its own bundle where it needs one."""
        return tuple(
            Contender(offer.name, offer.bundle)
            for offer in self._offers.values()
            if offer.possible and self.boxes[offer.name].isChecked()
        )
