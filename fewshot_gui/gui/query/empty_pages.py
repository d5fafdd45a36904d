"""The gallery, or why there is none and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QStackedWidget, QWidget

from fewshot_gui.gui.widgets import EmptyState, PushButton

if TYPE_CHECKING:
    from fewshot_gui.gui.icons import IconName


Why = Literal["", "asked", "decided", "no-sure", "no-none"]
"""Why a pile is empty: all its questions or all pictures are answered, or none is sure enough for it."""


class EmptyPages(QStackedWidget):
    """A stack of `gallery` and of one page for each reason why it is empty; each page leads on."""

    open_requested = Signal()
    again_requested = Signal()
    show_all_requested = Signal()
    questions_requested = Signal()
    sort_requested = Signal()

    def __init__(self, gallery: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery = gallery
        self._make_folder_pages()
        self._make_pile_pages()
        self.addWidget(gallery)

    def _make_folder_pages(self) -> None:
        self.no_folder = self._page(
            "folder",
            self.tr("Open a folder of pictures"),
            self.tr(
                "Drop the folder that you want sorted here, or choose one. Each picture in it gets one of "
                "your categories; your files stay where they are."
            ),
            self._opener("openFolder"),
        )
        self.listing = self._page("search", self.tr("Looking for pictures…"), "")
        self.no_pictures = self._page(
            "image",
            self.tr("No pictures in this folder"),
            self.tr("JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF are read, in folders below too."),
            self._opener("openAnotherFolder"),
        )
        again = self._button("lookAgainButton", self.tr("Look again"), self.again_requested)
        self.unreadable = self._page("warning", "", "", again, self._opener("openReadableFolder", role=""))

    def _make_pile_pages(self) -> None:
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
        sort = self._button("sortDecidedButton", self.tr("Sort the files…"), self.sort_requested)
        sort.setToolTip(self.tr("See what would go where; nothing moves yet (Ctrl+M)"))
        self.all_decided = self._page(
            "check",
            self.tr("Everything is decided"),
            self.tr("No file has moved yet. Sort them now: you see the plan before anything happens."),
            sort,
        )
        ask, go_on = self.tr("Go on with “Ask me”"), self.questions_requested
        self.none_sure = self._page(
            "check",
            self.tr("No sure picture left"),
            self.tr("Answer the doubtful ones next, or move the slider towards “Ask less”."),
            self._button("askNextButton", ask, go_on),
        )
        self.none_foreign = self._page(
            "grid",
            self.tr("No picture is surely none of these"),
            self.tr("Pictures that only may be are under “Ask me”."),
            self._button("askForeignButton", ask, go_on),
        )

    def _button(self, name: str, words: str, wanted: SignalInstance) -> PushButton:
        button = PushButton(words, self)
        button.setObjectName(name)
        button.clicked.connect(wanted)
        return button

    def _shower(self, name: str) -> PushButton:
        return self._button(name, self.tr("Show all pictures"), self.show_all_requested)

    def _opener(self, name: str, *, role: str = "primary") -> PushButton:
        button = PushButton(self.tr("Open folder…"), self, icon_name="folder", role=role)
        button.setObjectName(name)
        button.setToolTip(self.tr("Choose a folder of pictures (Ctrl+O)"))
        button.clicked.connect(self.open_requested)
        return button

    def _page(self, icon_name: IconName, title: str, text: str, *buttons: PushButton) -> EmptyState:
        page = EmptyState(icon_name, title, text, buttons, self)
        self.addWidget(page)
        return page

    def choose(
        self, *, opened: bool, listing: bool, pictures: int, shown: int, why: Why = "", problem: str = ""
    ) -> None:
        """Show the gallery where it has something to show, else the reason why not.

        Args:
            opened: whether there is a folder at all.
            listing: whether more pictures may come.
            pictures: how many there are.
            shown: how many of them the filters leave.
            why: the pile that is chosen is empty.
            problem: a word for why the folder itself could not be listed.
        """
        page: QWidget = self.gallery
        if not opened:
            page = self.no_folder
        elif not pictures and problem:
            page = self._unreadable(problem)
        elif not pictures:
            page = self.listing if listing else self.no_pictures
        elif why:
            page = self._pile_pages()[why]
        elif not shown:
            page = self.nothing_left
        self.setCurrentWidget(page)

    def _pile_pages(self) -> dict[Why, EmptyState]:
        return {
            "asked": self.nothing_to_ask,
            "decided": self.all_decided,
            "no-sure": self.none_sure,
            "no-none": self.none_foreign,
        }

    def _unreadable(self, problem: str) -> EmptyState:
        gone = problem == "missing"
        self.unreadable.title.setText(
            self.tr("This folder is not there") if gone else self.tr("This folder cannot be read")
        )
        self.unreadable.text.setText(
            self.tr(
                "Has it been moved or renamed, or its disk unplugged? What you said of its pictures is kept."
            )
            if gone
            else self.tr("Change its permissions, then look again. What you said of its pictures is kept.")
        )
        return self.unreadable
