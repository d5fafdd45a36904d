"""The main window: puts the panels in place and passes on what the person asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from fewshot_gui.gui.actions import add_menu, build_actions, tint_actions
from fewshot_gui.gui.header import Header
from fewshot_gui.gui.inspector.live_feed import LiveFeed
from fewshot_gui.gui.inspector.panel import InspectorPanel
from fewshot_gui.gui.inspector.reveal import reveal_row
from fewshot_gui.gui.panels import WIDTHS, Panels
from fewshot_gui.gui.query_panel import QueryPanel
from fewshot_gui.gui.recent_menu import RecentMenu
from fewshot_gui.gui.size_menu import SizeMenu
from fewshot_gui.gui.status_line import StatusLine
from fewshot_gui.gui.support.panel import SupportPanel
from fewshot_gui.gui.theme import GRID
from fewshot_gui.gui.undo_words import undo_words
from fewshot_gui.gui.widgets import Toast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QCloseEvent

    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.mime import DraggedPicture
    from fewshot_gui.gui.theme import Appearance


class MainWindow(QMainWindow):
    """The three panels between header and status line.

    `closing` is emitted when the person closes the window; it stays open unless `allow_close` was set.
    """

    closing = Signal()

    def __init__(
        self, workspace: Workspace, appearance: Appearance, slots: Mapping[str, Callable[..., object]]
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.workspace = workspace
        self.allow_close = False
        self.toast = Toast(self)
        session = workspace.session
        own: dict[str, Callable[..., object]] = {
            "undoAction": session.undo,
            "redoAction": session.redo,
            **{
                f"{source}Action": self._source_slot(source)
                for source in ("folder", "camera", "video", "draw")
            },
        }
        self.named_actions = build_actions(self, self.menuBar(), {**slots, **own})
        self.recent = RecentMenu(session.path, self)
        add_menu(self.named_actions, "copySessionAction", self.recent)
        self.named_actions[f"{appearance.choice}ThemeAction"].setChecked(True)
        self.sizes = SizeMenu(self, appearance.size)
        add_menu(self.named_actions, "systemThemeAction", self.sizes)
        self.header = Header(session, self.named_actions, self)
        self.support = SupportPanel(session, workspace.intake, appearance, self, watch=workspace.drops)
        self.query = QueryPanel(workspace, appearance, self)
        self.inspector = InspectorPanel(
            session, workspace.predictor, workspace.gallery, workspace.library, appearance, self
        )
        self.header.follow(workspace.predictor, workspace.gallery, appearance)
        loops = workspace.camera_loop.predicted, workspace.video_loop.predicted
        self.feed = LiveFeed(self.inspector, loops, self)
        self.status = StatusLine(workspace.predictor, workspace.gallery, workspace.problems, self)
        self._lay_out()
        self._connect(slots)
        self._disconnect = session.changed.connect(lambda _before, _after: self._show_undo())
        self._show_undo()

    def _lay_out(self) -> None:
        self.panels = Panels([_column(each) for each in (self.support, self.query, self.inspector)], self)
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.panels, 1)
        column.addWidget(self.status)
        self.setCentralWidget(centre)
        self._column = column
        self.setWindowTitle(self.tr("{0} – Few-shot Labeler").format(self.workspace.session.title))
        self.resize(1280, 760)
        # Else Qt gives the focus, with its ring, to the first button of the header.
        centre.setFocus()

    def _connect(self, slots: Mapping[str, Callable[..., object]]) -> None:
        self.header.source.chosen.connect(self.show_source)
        self.header.selectors.refused.connect(lambda text: self.toast.say(text, stay=True))
        self.header.selectors.moreWanted.connect(self.named_actions["backbonesAction"].trigger)
        self.support.sampleRequested.connect(slots["sampleAction"])
        self.support.captureHeld.connect(lambda category, held: self.query.capture(category, held=held))
        self.query.folder.openFolderRequested.connect(slots["openFolderAction"])
        self.query.folder.sortRequested.connect(self.named_actions["sortAction"].trigger)
        self.query.folder.newCategoryRequested.connect(self.add_category)
        self.query.folder.selectionChanged.connect(self._inspect)
        self.query.draw.guessed.connect(self.feed.offer)
        self.inspector.rowWanted.connect(self._reveal)
        self.inspector.tableWanted.connect(self.named_actions["tableAction"].trigger)
        self.status.problemsRequested.connect(slots["problemsAction"])
        self.status.detailsRequested.connect(lambda on: self.panels.show_details(on=on))
        self.panels.narrowed.connect(self.status.offer_details)
        self.sizes.chosen.connect(
            lambda: self.toast.say(self.tr("Everything is shown at this size from the next start on."))
        )

    def add_strip(self, strip: QWidget) -> None:
        """Show a line between the header and the panels."""
        row = _RoomyRow()
        row.setContentsMargins(GRID, 0, GRID, GRID)
        row.addWidget(strip)
        self._column.insertLayout(1, row)

    def add_category(self, pictures: Sequence[DraggedPicture] = ()) -> None:
        """Begin a category of these pictures, where its name is typed."""
        self._reveal_categories()
        self.support.add_category_of(pictures)

    def paste(self) -> None:
        """Teach what lies on the clipboard, where it is seen what becomes of it."""
        self._reveal_categories()
        self.support.paste()

    def _reveal_categories(self) -> None:
        self.status.details.setChecked(False)  # in a narrow window they may have given way
        left, right = self.panels.widths
        if not left:  # folded away
            self.panels.set_widths(WIDTHS[0], right)

    def _reveal(self, row: int) -> None:
        """Show a picture of the gallery there."""
        self.show_source("folder")
        reveal_row(self.query.folder, row)

    def _inspect(self, rows: NDArray[np.int64]) -> None:
        """Show the chosen pictures, unless another source is before the person's eyes by now."""
        if self.query.currentWidget() is self.query.folder:
            self.inspector.show_rows(rows)

    def _source_slot(self, source: str) -> Callable[[], None]:
        return lambda: self.show_source(source)

    def show_source(self, source: str) -> None:
        """Show "folder", "camera", "video" or "draw" in the query panel."""
        self.header.source.choose(source)
        self.query.show_source(source)
        self.inspector.show_source(source)
        self.feed.forget()
        if source == "folder":
            self.inspector.show_rows(self.query.folder.selected_rows())
        self.support.set_capture_enabled(self.query.can_capture())

    def _show_undo(self) -> None:
        session = self.workspace.session
        for name, words, command in (
            ("undoAction", self.tr("&Undo"), session.undo_command),
            ("redoAction", self.tr("&Redo"), session.redo_command),
        ):
            action = self.named_actions[name]
            action.setEnabled(command is not None)
            action.setText(f"{words}: {undo_words(command)}" if command else words)

    def changeEvent(self, event: QEvent) -> None:
        """Tint the icons again when the colours change."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "named_actions"):
            tint_actions(self.named_actions)

    def release(self) -> None:
        """Follow the engine no more, before it is closed."""
        self._disconnect()
        self.feed.release()
        self.header.selectors.release()
        self.status.release()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask the application first: what is not on disk yet must not be lost."""
        if self.allow_close:
            super().closeEvent(event)
            return
        self.closing.emit()
        # Refused only where the person stays: the system takes a refusal for a veto to its shutting down.
        event.setAccepted(self.allow_close)


class _RoomyRow(QHBoxLayout):
    """A row that takes no room while nothing of it is to be seen: Qt keeps its margins even then."""

    def sizeHint(self) -> QSize:
        return QSize(0, 0) if self.isEmpty() else super().sizeHint()

    def minimumSize(self) -> QSize:
        return QSize(0, 0) if self.isEmpty() else super().minimumSize()


def _column(panel: QWidget) -> QWidget:
    """Return the panel on a surface of its own; one that is such a surface already comes back as it is."""
    if panel.property("role") == "surface":
        return panel
    column = QFrame()
    column.setProperty("role", "surface")
    inner = QVBoxLayout(column)
    inner.setContentsMargins(1, 1, 1, 1)
    inner.addWidget(panel)
    return column
