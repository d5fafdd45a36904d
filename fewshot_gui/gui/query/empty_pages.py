"""The gallery, or why there is none and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from fewshot_gui.gui.widgets import EmptyState, PushButton

if TYPE_CHECKING:
    from fewshot_gui.gui.icons import IconName


class EmptyPages(QStackedWidget):
    """A stack of `gallery` and of one page for each reason why it is empty."""

    open_requested = Signal()
    show_all_requested = Signal()

    def __init__(self, gallery: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery = gallery
        self.no_folder = self._page(
            "folder",
            self.tr("Open a folder of pictures"),
            self.tr("Drop a folder here, or choose one. Your pictures stay where they are."),
            self._opener("openFolder"),
        )
        self.listing = self._page("search", self.tr("Looking for pictures…"), "")
        self.no_pictures = self._page(
            "image",
            self.tr("No pictures in this folder"),
            self.tr("JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF are read, in folders below too."),
            self._opener("openAnotherFolder"),
        )
        self.nothing_left = self._page(
            "grid",
            self.tr("No picture here"),
            self.tr("No picture carries this label, or lies in this pile, now."),
            self._shower("showAllButton"),
        )
        self.nothing_to_ask = self._page(
            "check",
            self.tr("Nothing to ask"),
            self.tr("Everything here is sure or decided."),
            self._shower("nothingToAskButton"),
        )
        self.addWidget(gallery)

    def _shower(self, name: str) -> PushButton:
        button = PushButton(self.tr("Show all pictures"), self)
        button.setObjectName(name)
        button.clicked.connect(self.show_all_requested)
        return button

    def _opener(self, name: str) -> PushButton:
        button = PushButton(self.tr("Open folder…"), self, icon_name="folder", role="primary")
        button.setObjectName(name)
        button.setToolTip(self.tr("Choose a folder of pictures (Ctrl+O)"))
        button.clicked.connect(self.open_requested)
        return button

    def _page(
        self, icon_name: IconName, title: str, text: str, button: PushButton | None = None
    ) -> EmptyState:
        page = EmptyState(icon_name, title, text, [button] if button else [], self)
        self.addWidget(page)
        return page

    def choose(
        self, *, opened: bool, listing: bool, pictures: int, shown: int, nothing_to_ask: bool = False
    ) -> None:
        """Show the gallery where it has something to show, else the reason why not."""
        page: QWidget = self.gallery
        if not opened:
            page = self.no_folder
        elif not pictures:
            page = self.listing if listing else self.no_pictures
        elif nothing_to_ask:
            page = self.nothing_to_ask
        elif not shown:
            page = self.nothing_left
        self.setCurrentWidget(page)
