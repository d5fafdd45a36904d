"""Deciding fast: brings the bar of the piles, the gallery and the answers together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from fewshot_gui.engine.deciding.keys import category_of
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.gui.query.answer_keys import Answer
from fewshot_gui.gui.query.answering import Answerer
from fewshot_gui.gui.query.arranging import DEFAULT_BOLDNESS
from fewshot_gui.gui.query.stack_finder import StackFinder

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.engine.deciding.stacks import Stacks
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document
    from fewshot_gui.engine.worker import Worker
    from fewshot_gui.gui.query.arranging import Arrangement
    from fewshot_gui.gui.query.empty_pages import Why
    from fewshot_gui.gui.query.gallery_model import GalleryModel
    from fewshot_gui.gui.query.gallery_view import GalleryView
    from fewshot_gui.gui.query.pile_bar import PileBar

BOLDNESS_KEY: Final = "piles.boldness"
STACKS_KEY: Final = "piles.stacks"
TEACHING_KEY: Final = "piles.keys-teach"
_FEWEST_TAUGHT: Final = 2
_WHY: Final[dict[Pile | None, Why]] = {Pile.SURE: "no-sure", Pile.NONE_OF_THESE: "no-none"}


def boldness_of(session: Session) -> float:
    """Return where the slider from ask more to ask less stands, 0 to 1."""
    kept = session.recall(BOLDNESS_KEY, DEFAULT_BOLDNESS)
    return float(kept) if isinstance(kept, int | float) and 0 <= kept <= 1 else DEFAULT_BOLDNESS


class Deciding(QObject):
    """Follows the bar and the keys, and keeps what the person chose with the session.

    Args:
        session: carries out the answers and remembers the choices.
        gallery: the rows.
        intake: teaches.
        model: what is shown.
        view: where the keys are pressed.
        bar: the piles.
        page: within it Ctrl+Return accepts; owns this.
        lane: looks for look-alikes; without it that is done at once.
    """

    def __init__(
        self,
        session: Session,
        gallery: Gallery,
        intake: Intake,
        model: GalleryModel,
        view: GalleryView,
        bar: PileBar,
        page: QWidget,
        lane: Worker | None = None,
    ) -> None:
        super().__init__(page)
        self._session, self._gallery = session, gallery
        self._model, self._view, self._bar = model, view, bar
        self.answers = Answerer(session, gallery, intake, model, view, self)
        self.finder = StackFinder(gallery, lane, self)
        self._recall()
        self._connect(page)

    def _recall(self) -> None:
        self._bar.set_boldness(boldness_of(self._session))
        self._model.set_boldness(self._bar.boldness)
        self._bar.teaching.setChecked(self._session.recall(TEACHING_KEY, default=True) is not False)
        self.answers.teaching = self._bar.teaching.isChecked()
        self._bar.stacks.setChecked(self._session.recall(STACKS_KEY, default=False) is True)

    def _connect(self, page: QWidget) -> None:
        bar, view, answers = self._bar, self._view, self.answers
        bar.chosen.connect(self._choose)
        bar.cut.connect(self._cut)
        bar.settled.connect(self._settle)
        bar.accepted.connect(answers.accept_pile)
        bar.stacked.connect(self._stack)
        bar.teaching_changed.connect(self._set_teaching)
        answers.finished.connect(self._start_anew)
        view.answered.connect(answers.answer)
        view.shortcut_pressed.connect(self._name)
        self.finder.found.connect(self._take_stacks)
        self.finder.progressed.connect(bar.show_progress)
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            sequence = QKeySequence(Qt.Modifier.CTRL | key)
            QShortcut(sequence, page, self._accept_by_key).setContext(
                Qt.ShortcutContext.WidgetWithChildrenShortcut
            )
        if bar.stacks.isChecked():
            self.finder.turn(on=True)

    # What the page asks ------------------------------------------------------------------------------

    def completed(self, arrangement: Arrangement) -> Arrangement:
        """Return the arrangement with the pile that is chosen."""
        return replace(arrangement, pile=self._bar.pile)

    def show_for(self, document: Document) -> None:
        """Show the bar once two categories are taught and there are pictures; else all pictures are shown."""
        taught = sum(bool(category.examples) for category in document.categories)
        useful = taught >= _FEWEST_TAUGHT and self._gallery.count > 0
        self._bar.setVisible(useful)
        if not useful:
            self._bar.choose(None)

    def show_counts(self) -> None:
        """Show how many pictures the piles have now."""
        piles = self._model.piles
        counts: dict[Pile | None, int] = {None: self._gallery.count}
        if piles is not None:
            counts |= {pile: piles.count(pile) for pile in Pile}
        self._bar.show_counts(counts, len(self.answers.acceptable()))

    def why_empty(self, shown: int, *, narrowed: bool) -> Why:
        """Return why the chosen pile is empty; though the answered questions are still listed, so is theirs.

        Args:
            shown: how many pictures are listed.
            narrowed: a filter leaves only one label of the pile.
        """
        piles, pile = self._model.piles, self._bar.pile
        if piles is None or pile in {None, Pile.DECIDED}:
            return ""
        open_ones = [piles.count(each) for each in (Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE)]
        asked = pile is Pile.ASK and not piles.count(Pile.ASK)
        if shown and not asked:
            return ""
        if not any(open_ones) and piles.count(Pile.DECIDED):
            return "decided"
        if asked:
            return "asked"
        return _WHY.get(pile, "") if piles.count(Pile.ASK) and not narrowed else ""

    # What happens ------------------------------------------------------------------------------------

    def _choose(self, pile: Pile | None) -> None:
        self._model.arrange(replace(self._model.arrangement, pile=pile))
        self.show_counts()
        if len(self._model.order) and pile is Pile.ASK:
            self._view.go_to(0)
            self._view.setFocus()
        self._view.scrollToTop()

    def _cut(self, boldness: float) -> None:
        self._model.set_boldness(boldness)
        self.show_counts()

    def _settle(self) -> None:
        self._session.remember(BOLDNESS_KEY, self._bar.boldness)
        if self._bar.pile is not None:
            self._model.refresh()

    def _accept_by_key(self) -> None:
        if self._bar.isVisible():
            self.answers.accept_pile()

    def _start_anew(self) -> None:
        """Show what is left after a whole pile was accepted."""
        self._model.refresh()
        self._view.scrollToTop()

    def _set_teaching(self, on: bool) -> None:
        self.answers.teaching = on
        self._session.remember(TEACHING_KEY, on)

    def _name(self, key: str) -> None:
        category = category_of(self._session.document, key)
        if category is not None:
            self.answers.name(category)

    def answer_large(self, shown: Shown, answer: Answer | str) -> None:
        """Do what was pressed over a picture in the large view: an answer, or the key of a category."""
        if isinstance(answer, Answer):
            self.answers.answer_shown(shown, answer)
        elif (category := category_of(self._session.document, answer)) is not None:
            self.answers.answer_shown(shown, category)

    def _stack(self, on: bool) -> None:
        self._session.remember(STACKS_KEY, on)
        self.finder.turn(on=on)

    def _take_stacks(self, stacks: Stacks | None) -> None:
        self._model.set_stacks(stacks)
