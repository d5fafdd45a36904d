"""The desk of backbones: its dialog over whichever window is there, and the downloads that outlive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from fewshot_gui.engine.commands import ChooseBackbone

if TYPE_CHECKING:
    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.engine.fetching import Fetcher
    from fewshot_gui.engine.worker import Post
    from fewshot_gui.gui.backbones.dialog import BackbonesDialog
    from fewshot_gui.gui.main_window import MainWindow

CLOSE_SECONDS = 1.0
"""A download that waits for its server is left behind: what has arrived is on disk, to go on from."""


class BackboneDesk(QObject):
    """Owns the downloads; nothing of it is imported or started before somebody asks for the dialog.

    Args:
        post: hands a call to the main thread.
        parent: of the desk.
    """

    def __init__(self, post: Post, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._post = post
        self._fetcher: Fetcher | None = None
        self.window: MainWindow | None = None

    @property
    def fetcher(self) -> Fetcher:
        """The downloads."""
        if self._fetcher is None:
            from fewshot_gui.engine.fetching import Fetcher  # noqa: PLC0415 - only when asked for

            self._fetcher = Fetcher(self._post)
            self._fetcher.landed.connect(self._landed)
            self._fetcher.removed.connect(lambda _name: self._relist())
        return self._fetcher

    def attach(self, window: MainWindow | None) -> None:
        """Work for this window from now on, or for none."""
        self.window = window

    def show(self) -> BackbonesDialog | None:
        """Return the dialog beside the window; a second call raises it again. None without a window."""
        from fewshot_gui.gui.backbones.dialog import BackbonesDialog  # noqa: PLC0415 - only when asked for

        window = self.window
        if window is None:
            return None
        dialog = window.findChild(BackbonesDialog)
        if dialog is None:
            space = window.workspace
            dialog = BackbonesDialog(
                space.session, self.fetcher, lambda: space.predictor.status.device in {"", "cpu"}, window
            )
        else:
            dialog.refresh()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog

    def close(self) -> None:
        """Stop what is under way."""
        self.window = None
        if self._fetcher is not None:
            self._fetcher.close(CLOSE_SECONDS)

    def _landed(self, info: BundleInfo) -> None:
        """Offer what is new here in the selector and, where the dialog is closed, in a line."""
        self._relist()
        window = self.window
        if window is None:
            return
        if not any(dialog.isVisible() for dialog in window.findChildren(QDialog, "backbonesDialog")):
            window.toast.say(
                self.tr("{0} is here.").format(info.title),
                button=self.tr("Use it"),
                action=lambda: window.workspace.session.do(ChooseBackbone(info.name)),
                stay=True,
            )

    def _relist(self) -> None:
        if self.window is not None:
            self.window.header.selectors.show_backbones()
