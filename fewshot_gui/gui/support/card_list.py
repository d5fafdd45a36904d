"""The scrolling list of cards: it makes, places and removes them as the document changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.gui.support.edge_scroller import EdgeScroller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.support.card import CategoryCard
    from fewshot_gui.gui.theme import Appearance

GAP = 8
# A card takes some 5 ms to make and lay out: a session of 200 categories opens in slices that nobody feels.
AT_ONCE = 12
A_SLICE = 4


class CardList(QScrollArea):
    """Cards from top to bottom; those that do not exist yet are made a few at a time.

    Signals:
        moved(category id, int): a card was carried to this place in the list.
    """

    moved = Signal(str, int)

    def __init__(
        self,
        make: Callable[[Category], CategoryCard],
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make = make
        self._appearance = appearance
        self._wanted: Sequence[Category] = ()
        self._cards: dict[CategoryId, CategoryCard] = {}
        self._carried_to = -1
        self._carried_at = QPoint()
        self._tab_from: QWidget | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = self._content = QWidget(self)
        content.setObjectName("cards")
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 2, 0)
        self._column.setSpacing(GAP)
        self._column.addStretch(1)
        self.setWidget(content)
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        self._line = QFrame(content)
        self._line.hide()
        self.scroller = EdgeScroller(self)
        self.scroller.scrolled.connect(self._carry_on)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(lambda: self._build(A_SLICE))

    def lead_tab_from(self, widget: QWidget) -> None:
        """Let the Tab key come to the first card from this widget, which has to take the focus itself."""
        self._tab_from = widget

    # What is shown ----------------------------------------------------------------------------------

    def show_categories(self, categories: Sequence[Category]) -> None:
        """Show a card for each category, in this order; cards of unchanged categories are not touched."""
        self._wanted = categories
        known = {category.id for category in categories}
        for gone in [each for each in self._cards if each not in known]:
            self._remove(gone)
        for category in categories:
            if category.id in self._cards:
                self._cards[category.id].show_category(category)
        self._build()

    def _build(self, at_most: int = AT_ONCE) -> None:
        """Make at most so many missing cards, put every card in its place, and come back for the rest."""
        for place, category in enumerate(self._wanted):
            card = self._cards.get(category.id)
            if card is None:
                if at_most == 0:
                    self._later.start()
                    return
                at_most -= 1
                card = self._cards[category.id] = self._make(category)
                card.grid.stood.connect(partial(self._scroll_to, card.grid))
            self._put(card, place)

    def _put(self, card: CategoryCard, place: int) -> None:
        item = self._column.itemAt(place)
        if item is None or item.widget() is not card:
            self._column.removeWidget(card)
            self._column.insertWidget(place, card)
            card.show()
            # Qt leads the Tab key in the order of making, which puts a new card behind the whole window.
            before = self._cards[self._wanted[place - 1].id].grid if place else self._tab_from
            if before is not None:
                self.setTabOrder(before, card)
            self.setTabOrder(card, card.grid)

    def _remove(self, category: CategoryId) -> None:
        card = self._cards.pop(category)
        self._stop_carrying()  # it may be this one, of which nobody hears any more
        if card.hasFocus() or card.grid.hasFocus():
            self._focus_near(card)
        self._column.removeWidget(card)
        card.hide()
        # Not only later: nobody may find it by its name any more, which another card can have by then.
        card.setParent(None)
        card.deleteLater()

    def _focus_near(self, gone: CategoryCard) -> None:
        """Give the focus to the card that takes the place of one that goes, else to the last."""
        place, cards = self._column.indexOf(gone), self.cards
        if cards:
            self.reveal(cards[min(place, len(cards) - 1)])

    @property
    def cards(self) -> list[CategoryCard]:
        """The cards that exist, from top to bottom."""
        return [self._cards[each.id] for each in self._wanted if each.id in self._cards]

    def card(self, category: CategoryId) -> CategoryCard | None:
        """Return the card of `category`, made now if it was still to come; None if unknown."""
        if category not in self._cards and any(each.id == category for each in self._wanted):
            self._build(len(self._wanted))
        return self._cards.get(category)

    # Places -----------------------------------------------------------------------------------------

    def card_at(self, place: QPoint) -> CategoryCard | None:
        """Return the card under `place`, in global coordinates."""
        if not self.viewport().rect().contains(self.viewport().mapFromGlobal(place)):
            return None
        point = self._content.mapFromGlobal(place)
        return next((card for card in self.cards if card.geometry().contains(point)), None)

    def step(self, card: CategoryCard, places: int) -> bool:
        """Give the focus to the card so many places after `card`; return whether there is one."""
        cards = self.cards
        index = cards.index(card) + places
        if not 0 <= index < len(cards):
            return False
        self.reveal(cards[index])
        return True

    def reveal(self, card: CategoryCard) -> None:
        """Give `card` the focus, and scroll until all of it is visible."""
        card.setFocus()
        self._scroll_to(card)

    def _scroll_to(self, widget: QWidget) -> None:
        """Scroll until all of a card is visible, or of its grid the example on which the keyboard stands."""
        self._column.activate()
        self.ensureWidgetVisible(widget, 0, GAP)

    # A card on its way ------------------------------------------------------------------------------

    def carry(self, place: QPoint) -> None:
        """Show a line where a card at `place`, in global coordinates, would go."""
        y = self._content.mapFromGlobal(place).y()
        cards = self.cards
        self._carried_at = place
        self._carried_to = sum(card.geometry().center().y() < y for card in cards)
        after = cards[min(self._carried_to, len(cards) - 1)].geometry()
        edge = after.bottom() + GAP // 2 if self._carried_to == len(cards) else after.top() - GAP // 2 - 1
        accent = self._appearance.theme.accent.name()
        self._line.setStyleSheet(f"background: {accent}; border: none; border-radius: 1px;")
        top = max(0, min(edge - 1, self._content.height() - 3))
        self._line.setGeometry(after.left(), top, after.width(), 3)
        self._line.show()
        self._line.raise_()
        self.scroller.follow(place)

    def _carry_on(self) -> None:
        """Look again what lies under the card that is carried: the list may have scrolled below it."""
        if self._carried_to >= 0 and self.cards:
            self.carry(self._carried_at)

    def let_go(self, category: CategoryId) -> None:
        """Hide the line, and say where the card of `category` was put."""
        self._carry_on()
        target, order = self._carried_to, [card.id for card in self.cards]
        self._stop_carrying()
        if category not in order:
            return
        place = order.index(category)
        # Places are counted without the card itself.
        target -= target > place
        if target >= 0 and target != place:
            self.moved.emit(category, target)

    def _stop_carrying(self) -> None:
        self._line.hide()
        self.scroller.stop()
        self._carried_to = -1
