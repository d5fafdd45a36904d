"""The way to the sorting desk: what sorting needs is imported when somebody asks for it, not at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from fewshot_gui.engine.sorting.journal import journal_path
from fewshot_gui.gui.first_paint import FirstPaint

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.worker import Post
    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.sorting.desk import SortingDesk
    from fewshot_gui.gui.theme import Appearance


class SortingDoor(QObject):
    """Makes the desk at the first need: a click, or a run of last time to be put right.

    Args:
        post: hands a call to the main thread.
        appearance: the look.
        parent: of the desk.
    """

    def __init__(self, post: Post, appearance: Appearance, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._post, self._appearance = post, appearance
        self._window: MainWindow | None = None
        self._desk: SortingDesk | None = None
        self._to_recover = False
        self._unfollow: Callable[[], None] = lambda: None

    def open(self) -> SortingDesk:
        """Return the desk, made if need be; a run that was cut off is then put right before anything else."""
        if self._desk is None:
            from fewshot_gui.gui.sorting.desk import SortingDesk  # noqa: PLC0415 - 0.1 s to import

            self._desk = SortingDesk(self._post, self._appearance, self)
            if self._window is not None:
                self._desk.attach(self._window)
            if self._to_recover:
                self._to_recover = False
                self._desk.recover()
        return self._desk

    def slots(self) -> dict[str, Callable[..., object]]:
        """Return what the actions do, by their names."""
        return {
            "sortAction": lambda: self.open().sort(),
            "takeBackAction": lambda: self.open().show_runs(),
            "exportAction": lambda: self.open().export_labels(),
            "importAction": lambda: self.open().bring_in(),
            "watchAction": lambda on=True: self.open().watch(on),
        }

    def attach(self, window: MainWindow) -> None:
        """Work for this window from now on."""
        self._window = window
        self._unfollow = window.workspace.gallery.listed.connect(self._allow_export)
        self._allow_export()
        if self._desk is not None:
            self._desk.attach(window)

    def _allow_export(self) -> None:
        """Let labels be exported where there are pictures that may bear some."""
        if self._window is not None:
            action = self._window.named_actions["exportAction"]
            there = self._window.workspace.gallery.count > 0
            why = self.tr("Open a folder of pictures first: their labels are exported.")
            action.setEnabled(there)
            action.setToolTip("" if there else why)

    def detach(self) -> None:
        """Work for no window; the former one is going."""
        self._unfollow()
        self._window = None
        if self._desk is not None:
            self._desk.detach()

    def recover(self) -> None:
        """Put right what a crash left half done, once the window is drawn; mostly there is no journal."""
        self._to_recover = journal_path().exists()
        if self._to_recover and self._window is not None:
            FirstPaint(self._window, self._recover)

    def _recover(self) -> None:
        if self._to_recover and self._window is not None:
            self.open()

    def may_leave(self) -> bool:
        """Return True once no file is on its way; False where the person lets it go on."""
        return self._desk is None or self._desk.may_leave()

    def close(self) -> None:
        """End the lane; a run that is under way pauses."""
        self._window = None
        if self._desk is not None:
            self._desk.close()
