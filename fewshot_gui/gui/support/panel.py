"""The support panel: categories as cards, and everything that can be dropped on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QVBoxLayout, QWidget

from fewshot_gui.engine.commands import MoveCategory
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.mime import acceptable, unpack
from fewshot_gui.gui.support.card import CategoryCard
from fewshot_gui.gui.support.card_list import CardList
from fewshot_gui.gui.support.drop_strip import DropStrip
from fewshot_gui.gui.support.teaching import Teaching
from fewshot_gui.gui.support.thumbnails import ThumbnailCache
from fewshot_gui.gui.support.warning_marks import Teller, WarningMarks, found_words
from fewshot_gui.gui.widgets import EmptyState, PushButton, SectionHeader, Toast, ToolButton

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.deciding.warnings import DropWarning
    from fewshot_gui.engine.drop_watch import DropWatch
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Category, Document
    from fewshot_gui.gui.mime import DraggedPicture
    from fewshot_gui.gui.theme import Appearance


class SupportPanel(QFrame):
    """The categories of a session; pictures are taught by dropping, pasting or choosing them.

    Signals:
        captureHeld(category id, bool): the camera button of a card went down or came up.
        sampleRequested(): the person wants to try the bundled sample.
    """

    captureHeld = Signal(str, bool)  # noqa: N815 - signals are named as Qt names them
    sampleRequested = Signal()  # noqa: N815

    def __init__(
        self,
        session: Session,
        intake: Intake,
        appearance: Appearance,
        parent: QWidget | None = None,
        *,
        watch: DropWatch | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("supportPanel")
        self.setAccessibleName(self.tr("Categories"))
        self.setProperty("role", "surface")
        self.setAcceptDrops(True)
        self.setMinimumWidth(264)
        self.teaching = Teaching(session, intake, self)
        self.choose_files = self._ask_for_files
        self._appearance = appearance
        self._thumbnails = ThumbnailCache(session.picture)
        self._capture_enabled = False
        self._warnings = WarningMarks(watch, session)
        self._teller = Teller()
        self.header = self._header()
        self.cards = CardList(self._card, appearance, self)
        self.cards.moved.connect(self._move)
        self.cards.lead_tab_from(self.add_button)
        self.empty = self._empty()
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.cards)
        self.strip = DropStrip(appearance, self.tr("Drop here for a new category"), self)
        self.toast = Toast(self)
        self._arrange()
        self._listen(session, intake)
        self._watch(watch)
        self._show(session.document)

    # Building ---------------------------------------------------------------------------------------

    def _header(self) -> SectionHeader:
        header = SectionHeader(self.tr("Categories"), self)
        add = ToolButton("add", self.tr("Add category"), header, key="Ctrl+N")
        add.setObjectName("addCategoryButton")
        add.clicked.connect(self.add_category)
        self.stop = ToolButton("close", self.tr("Stop reading: nothing of it is taught"), header, size=16)
        self.stop.setObjectName("stopReadingButton")
        self.stop.hide()
        header.add(self.stop)
        header.add(add)
        self.add_button = add
        return header

    def _empty(self) -> EmptyState:
        add = PushButton(self.tr("Add category"), self, icon_name="add", role="primary")
        add.setObjectName("emptyAddButton")
        add.setToolTip(self.tr("Add category (Ctrl+N)"))
        add.clicked.connect(self.add_category)
        sample = PushButton(self.tr("Try the sample"), self, icon_name="sample", role="quiet")
        sample.setObjectName("trySampleButton")
        sample.setToolTip(self.tr("Open a small session with pictures of our own"))
        sample.clicked.connect(self.sampleRequested)
        return EmptyState(
            "image",
            self.tr("Drop a few pictures of one kind here"),
            self.tr(
                "They become a category. Two categories are enough to begin; "
                "a folder of folders makes one for each."
            ),
            [add, sample],
            self,
        )

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.header)
        column.addWidget(self._stack, 1)
        column.addWidget(self.strip)

    def _listen(self, session: Session, intake: Intake) -> None:
        self.teaching.refused.connect(self.toast.say)
        self.teaching.removed.connect(self._offer_undo)
        self._appearance.changed.connect(self.update)
        disconnects = (
            session.changed.connect(self._on_changed),
            intake.pictured.connect(self._on_pictured),
            intake.reading.connect(self._on_reading),
        )
        self.stop.clicked.connect(self.teaching.stop_reading)
        # The panel is half gone when it says so: nothing of it may be named in these calls.
        self.destroyed.connect(lambda: [disconnect() for disconnect in disconnects])

    def _watch(self, watch: DropWatch | None) -> None:
        if watch is None:
            return
        disconnects = watch.changed.connect(self._mark_warnings), watch.found.connect(self._tell_warnings)
        self.destroyed.connect(lambda: [disconnect() for disconnect in disconnects])

    def _card(self, category: Category) -> CategoryCard:
        card = CategoryCard(category, self.teaching, self._thumbnails, self._appearance, self.cards.widget())
        card.set_capture_enabled(enabled=self._capture_enabled)
        card.grid.show_warnings(self._warnings.of(category))
        card.filesWanted.connect(self._add_files)
        card.splitWanted.connect(self.add_category_of)
        card.captureHeld.connect(self.captureHeld)
        card.left.connect(self._step)
        card.dragged.connect(lambda _category, place: self.cards.carry(place))
        card.dropped.connect(self.cards.let_go)
        return card

    # What is shown ----------------------------------------------------------------------------------

    def _on_changed(self, _before: Document, after: Document) -> None:
        # An offer to undo the last step is not true any more once there is another step.
        self.toast.hide()
        self._show(after)

    def _show(self, document: Document) -> None:
        count = len(document.categories)
        self.header.note.setText(str(count) if count else "")
        self.cards.show_categories(document.categories)
        self._mark_warnings()
        self._stack.setCurrentWidget(self.cards if count else self.empty)

    def _on_pictured(self, picture: PictureId) -> None:
        owner = self.teaching.document.owner(picture)
        card = self.cards.card(owner) if owner is not None else None
        if card is not None:
            card.grid.update()

    def _on_reading(self, done: int, total: int) -> None:
        self.stop.setVisible(self.teaching.reading)
        if done < total:
            self.header.note.setText(self.tr("Reading {done} of {total}…").format(done=done, total=total))
        elif self.teaching.reading:
            self.header.note.setText(self.tr("Looking for pictures…"))
        else:
            count = len(self.teaching.document.categories)
            self.header.note.setText(str(count) if count else "")

    def _mark_warnings(self) -> None:
        for card in self.cards.cards:
            card.grid.show_warnings(self._warnings.of(card.category))

    def _tell_warnings(self, found: tuple[DropWarning, ...]) -> None:
        found = self._teller.gather(found)
        if not found:
            return
        pictures = {warning.picture for warning in found}
        self.toast.say(
            found_words(found), button=self.tr("Show them"), action=lambda: self.show_examples(pictures)
        )

    def show_examples(self, pictures: Collection[PictureId]) -> None:
        """Choose these examples in their cards, and show the first of the cards."""
        document = self.teaching.document
        owners = [category for category in document.categories if not category.pictures.isdisjoint(pictures)]
        for category in reversed(owners):
            card = self.cards.card(category.id)
            if card is not None:
                self.cards.reveal(card)
                card.grid.setFocus()
                card.grid.select_pictures(pictures)  # last: of a large card the others show the middle

    def _offer_undo(self, text: str) -> None:
        self.toast.say(text, button=self.tr("Undo"), action=self.teaching.undo)

    def set_capture_enabled(self, enabled: bool) -> None:
        """Show the camera button on every card, or hide it."""
        self._capture_enabled = enabled
        for card in self.cards.cards:
            card.set_capture_enabled(enabled=enabled)

    # What can be done -------------------------------------------------------------------------------

    @property
    def focused_category(self) -> CategoryId | None:
        """The category whose card, or a part of it, has the focus."""
        focused = self.focusWidget()
        if focused is None or not focused.hasFocus():
            return None
        holders = (card for card in self.cards.cards if card is focused or card.isAncestorOf(focused))
        return next((card.id for card in holders), None)

    def add_category(self) -> None:
        """Add a category, and open its name for writing; the window's Ctrl+N comes here too."""
        self.add_category_of(())

    def add_category_of(self, pictures: Sequence[DraggedPicture]) -> None:
        """Add a category of these pictures, and open its name for writing."""
        card = self.cards.card(self.teaching.add_category(pictures))
        if card is not None:
            self.cards.reveal(card)
            card.edit_name()

    def paste(self) -> None:
        """Teach the category with the focus, else a new one, with what lies on the clipboard."""
        data = QGuiApplication.clipboard().mimeData()
        dropped = unpack(data) if data is not None else None  # nothing was ever copied
        if dropped:
            self._teller.expect()
            self.teaching.receive(dropped, self.focused_category, "clipboard")
        else:
            self.toast.say(self.tr("There is no picture on the clipboard."))

    def _add_files(self, category: str) -> None:
        paths = self.choose_files()
        if paths:
            self._teller.expect()
            self.teaching.add_files(paths, CategoryId(category))

    def _ask_for_files(self) -> list[str]:
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose pictures of one kind"))
        return paths

    def _move(self, category: str, place: int) -> None:
        self.teaching.ask(MoveCategory(CategoryId(category), place))

    def _step(self, category: str, places: int) -> None:
        card = self.cards.card(CategoryId(category))
        if card is not None:
            self.cards.step(card, places)

    # Drops ------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what carries pictures, and show where it can go."""
        if acceptable(event.mimeData()):
            event.acceptProposedAction()
            self.strip.setVisible(self._stack.currentWidget() is self.cards)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Mark the card under the mouse, or the strip for a new category."""
        place = self.mapToGlobal(event.position().toPoint())
        self._mark(place)
        self.cards.scroller.follow(place)
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Mark nothing."""
        self._end_drag()

    def dropEvent(self, event: QDropEvent) -> None:
        """Teach the card under the mouse, or a new category."""
        card = self.cards.card_at(self.mapToGlobal(event.position().toPoint())) if self._has_cards else None
        self._end_drag()
        # Ours are moved by a command: the source must not remove them a second time.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._teller.expect()
        self.teaching.receive(unpack(event.mimeData()), card.id if card is not None else None, "web")

    @property
    def _has_cards(self) -> bool:
        return self._stack.currentWidget() is self.cards

    def _mark(self, place: QPoint) -> None:
        target = self.cards.card_at(place) if self._has_cards else None
        for card in self.cards.cards:
            card.set_targeted(targeted=card is target)
        self.strip.set_targeted(targeted=target is None)
        self.empty.set_targeted(targeted=not self._has_cards)

    def _end_drag(self) -> None:
        for card in self.cards.cards:
            card.set_targeted(targeted=False)
        self.strip.hide()
        self.empty.set_targeted(targeted=False)
        self.cards.scroller.stop()
