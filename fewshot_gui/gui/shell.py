"""The shell around one session: opens, closes and switches sessions, and answers the menus."""

from __future__ import annotations

import os
import tempfile
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from shiboken6 import isValid

from fewshot_gui.core.data_files import assets_folder
from fewshot_gui.engine.devices import available_devices
from fewshot_gui.engine.folders import data_folder
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_copy import recover
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.engine.session_places import (
    SUFFIX,
    is_same_file,
    new_session_path,
    note_session,
    recent_sessions,
)
from fewshot_gui.engine.worker import Priority
from fewshot_gui.engine.workspace import Lanes, Workspace, remembered_folder
from fewshot_gui.gui.backbones.desk import BackboneDesk
from fewshot_gui.gui.error_words import session_words
from fewshot_gui.gui.extras import about, compare, enough, keys, model, picture_map, problems
from fewshot_gui.gui.first_paint import FirstPaint
from fewshot_gui.gui.garbage import settle
from fewshot_gui.gui.kept_look import keep_colours, keep_place, restore_place, take_place
from fewshot_gui.gui.main_window import MainWindow
from fewshot_gui.gui.session_dialogs import ask_copy_path, ask_session_path
from fewshot_gui.gui.sorting.door import SortingDoor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.devices import Device
    from fewshot_gui.engine.worker import Post
    from fewshot_gui.gui.sorting.desk import SortingDesk
    from fewshot_gui.gui.theme import Appearance, ColourChoice

COPY_SECONDS = 2.0


class Shell(QObject):
    """Holds the present window and its workspace.

    Args:
        lanes: the threads of the program.
        post: hands a call to the main thread.
        appearance: the look, shared by all windows.
        keeps_place: the window comes back where it was, and is remembered; not where nobody sees it.
    """

    def __init__(self, lanes: Lanes, post: Post, appearance: Appearance, *, keeps_place: bool = True) -> None:
        super().__init__()
        self.keeps_place = keeps_place
        self._lanes, self._post, self._appearance = lanes, post, appearance
        self.window: MainWindow | None = None
        self.sorting = SortingDoor(post, appearance, self)
        self.backbones = BackboneDesk(post, self)
        for lane in lanes.all():
            lane.on_error.connect(self._job_failed)

    @property
    def desk(self) -> SortingDesk:
        """The desk that sorts, made at the first need."""
        return self.sorting.open()

    # Sessions ----------------------------------------------------------------------------------------

    def start(self, session: str | None, *, sample: bool = False) -> None:
        """Open the given session, else the last one, else a new one, as where it is broken."""
        path = session or next(iter(recent_sessions(1)), None)
        if path is None or not self.open_session(path, create=session is not None):
            self.new_session()
        self.sorting.recover()
        if sample:
            self.try_sample()

    def open_session(self, path: str, *, create: bool = False) -> bool:
        """Return True once the session of that file is shown; else say why not, and keep what was open."""
        if self.window is not None and is_same_file(path, self.window.workspace.session.path):
            return True
        try:
            missing = create and not os.path.exists(path)  # noqa: PTH110 - Path.exists raises where it may not look
            session = (Session.create if missing else Session.open)(path, self._lanes.disk)
        except SessionError as error:
            return self._offer_backup(error)
        return self._show(session)

    def new_session(self) -> None:
        """Open a new, empty session; say why where the folder of sessions cannot be written."""
        try:
            session = self._create_session()
        except (OSError, SessionError) as error:
            words = self.tr(
                "No session can be kept in {0}: {1}\n\nMake room there or change its permissions, "
                "or name another folder in FEWSHOT_DATA."
            )
            reason = session_words(error) if isinstance(error, SessionError) else error.strerror or error
            QMessageBox.warning(self.window, self.tr("Session"), words.format(data_folder(), reason))
            if self.window is None:
                self._show_temporary()
            return
        former = self.window
        if self._show(session) and former is not None:
            self._say_kept(former.workspace.session)

    def _say_kept(self, former: Session) -> None:
        """Say where the session is that has given way to a new one: its categories seem to be lost."""
        if self.window is not None and former.document.categories:
            words = self.tr("“{0}” is kept as it was, under File, Open recent.").format(former.title)
            self.window.toast.say(
                words, button=self.tr("Go back"), action=lambda: self.open_session(former.path)
            )

    def _create_session(self) -> Session:
        """Return a new session under the first free name; another instance may have taken one meanwhile."""
        while True:
            try:
                return Session.create(new_session_path(), self._lanes.disk)
            except SessionError as error:
                if error.kind is not SessionProblem.EXISTS:
                    raise

    def _show_temporary(self) -> None:
        """Open a session in the system's temporary folder: the window must open wherever it can be kept."""
        try:
            folder = tempfile.mkdtemp(prefix="fewshot-labeler-")
            session = Session.create(Path(folder) / f"{self.tr('Temporary')}{SUFFIX}", self._lanes.disk)
        except (OSError, SessionError) as error:
            QMessageBox.warning(None, self.tr("Session"), str(error))
            return
        self._show(session)
        self._say(
            self.tr(
                "This session lies in {0}, which the system may empty. Save a copy of it in time."
            ).format(folder)
        )

    def _offer_backup(self, error: SessionError) -> bool:
        """Say what is wrong with a session and, where a sound copy is kept, offer to open a copy of that."""
        words = f"{session_words(error)}\n\n{error.path}"
        if not error.backup:
            QMessageBox.warning(self.window, self.tr("Session"), words)
            return False
        asked = self.tr("A copy that was kept is sound. Open it?")
        if (
            QMessageBox.question(self.window, self.tr("Session"), f"{words}\n\n{asked}")
            != QMessageBox.StandardButton.Yes
        ):
            return False
        try:
            return self.open_session(str(recover(Path(error.path), Path(error.backup))))
        except OSError as failure:
            QMessageBox.warning(
                self.window, self.tr("Session"), self.tr("The copy cannot be read: {0}").format(failure)
            )
            return False

    def _show(self, session: Session) -> bool:
        """Replace the present window by one of another session; False where the person stays at this one."""
        former = self.window
        if former is not None and not self._leave(former):
            session.close()
            return False
        # Only now: the lanes are drained of what the former session wanted, and nothing else waits there.
        workspace = Workspace(session, self._lanes, self._post)
        window = MainWindow(workspace, self._appearance, self._slots())
        window.closing.connect(self.close)
        window.recent.chosen.connect(self.open_session)
        session.failed.connect(self._session_failed)
        self.window = window
        self.sorting.attach(window)
        self.backbones.attach(window)
        note_session(session.path)
        if former is not None:
            take_place(window, former)
        elif self.keeps_place:
            restore_place(window)
        window.show()
        if former is not None:
            self._dismiss(former)
        if folder := remembered_folder(session):
            self._open_folder(folder)
        # Only once the window is drawn: loading torch would compete with it for the processor.
        FirstPaint(window, partial(self._warm_up, window))
        return True

    def _warm_up(self, window: MainWindow) -> None:
        window.workspace.warm_up()
        self._lanes.model.submit(
            lambda _token: available_devices(),
            then=partial(self._show_devices, window),
            priority=Priority.FOLDER,
            replaces="devices",
        )

    def _show_devices(self, window: MainWindow, devices: list[Device]) -> None:
        if window is self.window:  # else it is gone: looking for devices takes as long as loading torch
            window.header.selectors.show_devices(devices)
        settle()

    def close(self) -> None:
        """Close the window and quit, unless something could not be written and the person wants to stay."""
        window = self.window
        if window is None:
            self._close_desks()  # no session could be opened
        elif self._leave(window):
            if self.keeps_place:
                keep_place(window)
            self._close_desks()
            self._dismiss(window)
            self.window = None
            QApplication.quit()

    def _close_desks(self) -> None:
        self.sorting.close()
        self.backbones.close()

    def _leave(self, window: MainWindow) -> bool:
        """Return True once the session of the window is closed; else the person wants to stay with it."""
        focused = window.focusWidget()
        around = list(_upwards(focused))
        if focused is not None:
            focused.clearFocus()  # a name that is still being typed is taken as it stands
        if self._may_leave(window):
            self.sorting.detach()
            return True
        # Else no key would do anything any more. The field of a name is gone by now, its card is not.
        wanted = (each for each in around if isValid(each) and each.isVisible())
        takes = (each for each in wanted if each is focused or each.focusPolicy() != Qt.FocusPolicy.NoFocus)
        back = next(takes, None)
        if back is not None:
            back.setFocus()
        return False

    def _may_leave(self, window: MainWindow) -> bool:
        if not self.sorting.may_leave() or not self._may_stop_copying(window):
            return False
        if window.workspace.close():
            return True
        answer = QMessageBox.warning(
            window,
            self.tr("Not saved"),
            self.tr("The last changes could not be written to disk. Close anyway and lose them?"),
            QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Discard and window.workspace.close(discard=True)

    def _may_stop_copying(self, window: MainWindow) -> bool:
        """Return True where no copy of the session is being made any more, or the person gives it up."""
        if window.workspace.session.await_copies(COPY_SECONDS):
            return True
        answer = QMessageBox.question(
            window,
            self.tr("A copy is being saved"),
            self.tr("Leave now? The session itself is saved; the copy is then not made."),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Yes

    def _dismiss(self, window: MainWindow) -> None:
        window.release()
        window.allow_close = True
        window.close()
        window.deleteLater()

    def _job_failed(self, error: Exception) -> None:
        self.report_unexpected(type(error), error, error.__traceback__)

    def _session_failed(self, error: Exception) -> None:
        self._say(session_words(error) if isinstance(error, SessionError) else str(error))

    def _say(self, words: str, *, stay: bool = True) -> None:
        """Say something in the window that is there now: the one it comes from may be gone."""
        if self.window is not None:
            self.window.toast.say(words, stay=stay)

    # Menus -------------------------------------------------------------------------------------------

    def _slots(self) -> dict[str, Callable[..., object]]:
        return {
            "newSessionAction": self.new_session,
            "openSessionAction": self.ask_session,
            "copySessionAction": self.ask_copy,
            "openFolderAction": self.ask_folder,
            **self.sorting.slots(),
            "compareAction": self._on_window(compare),
            "mapAction": self._on_window(picture_map),
            "modelAction": self._on_window(model),
            "tableAction": self._on_window(enough),
            "backbonesAction": self.backbones.show,
            "quitAction": self.close,
            "pasteAction": self._on_window(lambda window: window.paste()),
            "addCategoryAction": self._on_window(lambda window: window.add_category()),
            "problemsAction": self._on_window(problems),
            "systemThemeAction": lambda: self._wear("system"),
            "lightThemeAction": lambda: self._wear("light"),
            "darkThemeAction": lambda: self._wear("dark"),
            "sampleAction": self.try_sample,
            "keysAction": self._on_window(keys),
            "aboutAction": self._on_window(about),
        }

    def _wear(self, choice: ColourChoice) -> None:
        """Wear these colours, in the starts to come too."""
        self._appearance.choose(choice)
        keep_colours(choice)

    def _on_window(self, act: Callable[[MainWindow], None]) -> Callable[[], None]:
        """Return a call that does `act` to the window that is there then."""

        def call() -> None:
            if self.window is not None:
                act(self.window)

        return call

    def ask_session(self) -> None:
        """Let the person choose a session file and open it."""
        chosen = ask_session_path(self.window)
        if chosen:
            self.open_session(chosen)

    def ask_copy(self) -> None:
        """Let the person choose where a copy of the session goes."""
        window = self.window
        path = ask_copy_path(window) if window is not None else ""
        if window is not None and path:
            done = self.tr("A copy is saved as {0}").format(path)
            window.workspace.session.copy_to(path, then=lambda _done: self._say(done, stay=False))

    def ask_folder(self) -> None:
        """Let the person choose a folder of pictures and show it."""
        folder = QFileDialog.getExistingDirectory(self.window, self.tr("Open a folder of pictures"))
        if folder:
            self._open_folder(folder)

    def _open_folder(self, folder: str) -> None:
        if self.window is not None:
            self.window.show_source("folder")
            self.window.workspace.gallery.open(folder)

    def try_sample(self) -> None:
        """Show the bundled sample: in this session if it is empty, else in a new one."""
        if self._has_categories():
            self.new_session()
        # Else there is no new one, and the sample must not get among the categories of this one.
        if self.window is not None and not self._has_categories():
            sample = assets_folder() / "sample"
            folders = sorted(str(path) for path in (sample / "categories").iterdir() if path.is_dir())
            self.window.workspace.intake.add_files(folders)
            self._open_folder(str(sample / "pictures"))

    def _has_categories(self) -> bool:
        return self.window is not None and bool(self.window.workspace.session.document.categories)

    def report_unexpected(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """The top-level hook: print what nobody expected, and tell the person that nothing is lost."""
        if issubclass(kind, KeyboardInterrupt):
            self.close()
            return
        traceback.print_exception(kind, error, trace)
        words = self.tr("Something unexpected happened ({0}). Your categories are safe on disk.")
        self._say(words.format(error))


def _upwards(widget: QWidget | None) -> Iterator[QWidget]:
    """Yield a widget and those that hold it, up to the window."""
    while widget is not None:
        yield widget
        widget = widget.parentWidget()
