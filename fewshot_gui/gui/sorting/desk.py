"""The sorting desk: what the menus ask of the person's files, for whichever window is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QMessageBox

from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.sorter import Sorter
from fewshot_gui.engine.sorting.plan import Way
from fewshot_gui.engine.sorting.states import FileState
from fewshot_gui.gui.inspector.reveal import reveal_rows
from fewshot_gui.gui.sorting.arrival_strip import ArrivalStrip, GraceDialog
from fewshot_gui.gui.sorting.choices import Choices
from fewshot_gui.gui.sorting.dialog import SortDialog
from fewshot_gui.gui.sorting.export_dialog import ExportDialog
from fewshot_gui.gui.sorting.history import HistoryDialog
from fewshot_gui.gui.sorting.import_dialog import ImportDialog
from fewshot_gui.gui.sorting.moved import follow_moves
from fewshot_gui.gui.sorting.snapshot import snapshot
from fewshot_gui.gui.sorting.system_trash import to_system_trash
from fewshot_gui.gui.sorting.watching import Watching
from fewshot_gui.gui.sorting.words import files_words, journal_words, way_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QDialog

    from fewshot_gui.engine.sorter import Planned, Recovered
    from fewshot_gui.engine.sorting.plan import Plan
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.engine.worker import Post
    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.theme import Appearance

CLOSE_SECONDS = 20.0


class SortingDesk(QObject):
    """Owns the lane of the person's files, opens the dialogs over the present window, watches its folder.

    Args:
        post: hands a call to the main thread.
        appearance: the look.
        parent: of the desk.
    """

    def __init__(self, post: Post, appearance: Appearance, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._post, self._appearance = post, appearance
        self.sorter = Sorter(post, trash=to_system_trash)
        self.window: MainWindow | None = None
        self.watching: Watching | None = None
        self.strip: ArrivalStrip | None = None
        self.sorter.ended.connect(self._follow)

    def attach(self, window: MainWindow) -> None:
        """Work for this window from now on."""
        self.window = window
        self.strip = ArrivalStrip(self._appearance, window)
        window.add_strip(self.strip)
        self.watching = Watching(window.workspace, self.sorter, self._post, window)
        self.watching.arrived.connect(self.strip.show_arrived)
        self.watching.failed.connect(self._watch_failed)
        self.watching.due.connect(self._sort_due)
        self.strip.looked.connect(self._look)
        self.strip.settled.connect(self.watching.forget)
        self.strip.sortAsked.connect(self.ask_grace)

    def detach(self) -> None:
        """Work for no window; the former one is going."""
        if self.watching is not None:
            self.watching.release()
        self.window = self.watching = self.strip = None

    def may_leave(self) -> bool:
        """Return True once no file is on its way; False where the person lets it go on."""
        if not self.sorter.busy:
            return True
        answer = QMessageBox.question(
            self.window,
            self.tr("Files are on their way"),
            self.tr(
                "Stop now? Each file is then either there or where it was, and the rest can be "
                "sorted, or all taken back, under “Sorted before, take back…”."
            ),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        if answer != QMessageBox.StandardButton.Yes:
            return False
        self.sorter.stop()
        return self.sorter.lane.drain(CLOSE_SECONDS)

    def close(self) -> None:
        """End the lane; a run that is under way pauses."""
        self.detach()
        self.sorter.close(CLOSE_SECONDS)

    # The dialogs --------------------------------------------------------------------------------------

    def _open(self, make: Callable[[MainWindow], QDialog]) -> None:
        if self.window is not None:
            dialog = make(self.window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def sort(self) -> None:
        """Show the dialog that sorts, where there is a folder to sort."""
        window = self.window
        if window is None:
            return
        if not window.workspace.gallery.count:
            self._ask_for_folder()
            return
        self._open(
            lambda w: SortDialog(
                w.workspace, self.sorter, self._appearance, w, selected=w.query.folder.selected_paths()
            )
        )

    def _ask_for_folder(self) -> None:
        if self.window is not None:
            self.window.toast.say(
                self.tr("Open a folder of pictures first."),
                button=self.tr("Open folder…"),
                action=self.window.named_actions["openFolderAction"].trigger,
            )

    def show_runs(self, run: str = "") -> None:
        """Show what was sorted before, with this run chosen."""
        wanted = run if isinstance(run, str) else ""  # an action says whether it is checked
        self._open(lambda w: HistoryDialog(self.sorter, self._appearance, w, run=wanted))

    def export_labels(self) -> None:
        """Show the dialog that exports."""
        self._open(
            lambda w: ExportDialog(w.workspace, self.sorter, w, selected=w.query.folder.selected_paths())
        )

    def bring_in(self) -> None:
        """Show the dialog that imports."""
        self._open(lambda w: ImportDialog(w.workspace, self.sorter, w))

    # After a crash ------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Put right what a crash left half done, and say so."""
        self.sorter.recover(self._recovered, self._not_recovered)

    def _recovered(self, found: Recovered) -> None:
        if self.window is not None and found.anything:
            run = next(iter(found.cut_off), "")
            self.window.toast.say(
                recovery_words(found), button=self.tr("Show"), action=lambda: self.show_runs(run), stay=True
            )

    def _not_recovered(self, error: Exception) -> None:
        if self.window is not None:
            self.window.toast.say(journal_words(error), stay=True)

    def _follow(self, receipt: Receipt) -> None:
        """Let session and gallery know where the files are now."""
        if self.window is not None:
            follow_moves(self.window.workspace, receipt)

    # Watching -----------------------------------------------------------------------------------------

    def watch(self, on: bool = True) -> None:
        """Watch the folder of the gallery, or no more."""
        if self.window is None or self.watching is None:
            return
        if on and not self.window.workspace.gallery.folder:
            self.window.named_actions["watchAction"].setChecked(False)
            self._ask_for_folder()
        elif on:
            self.watching.start()
            if self.watching.on:
                self.window.toast.say(
                    self.tr("What arrives in this folder is shown; nothing moves by itself.")
                )
        else:
            self.watching.stop()
            self.watching.forget()

    def _watch_failed(self, words: str) -> None:
        if self.window is not None:
            self.window.named_actions["watchAction"].setChecked(False)
            self.window.toast.say(words, stay=True)

    def ask_grace(self) -> None:
        """Ask whether sure arrivals are sorted by themselves."""
        if self.window is not None:
            session, folder = self.window.workspace.session, self.window.workspace.gallery.folder
            choices = Choices(session, folder)
            name = way_words()[choices.chosen_way][0]
            target = choices.target
            choices.deleteLater()
            self._open(lambda w: GraceDialog(session, target, name, w))

    def _look(self) -> None:
        """Choose the new pictures in the gallery, and bring the first of them into view."""
        window, watching = self.window, self.watching
        if window is None or watching is None:
            return
        window.show_source("folder")
        rows = {path: window.workspace.gallery.row_of(path) for path in watching.new}
        listed = {path: row for path, row in rows.items() if row is not None}
        if reveal_rows(window.query.folder, np.array(list(listed.values()), np.int64)):
            watching.forget(list(listed))

    def _sort_due(self, paths: list[str]) -> None:
        """Sort these arrivals as was chosen last: the person asked for it."""
        if self.window is None:
            return
        space = self.window.workspace
        choices = Choices(space.session, space.gallery.folder)
        request = snapshot(
            space, machine=(Pile.SURE,), none_name=None, destination=choices.target,
            way=choices.chosen_way, same_name=choices.chosen_same_name, only=frozenset(paths),
            trash=choices.chosen_trash,
        )  # fmt: skip
        same_name = choices.chosen_same_name
        choices.deleteLater()

        def go(planned: Planned) -> None:
            plan = without_trash(planned.plan)
            if self.sorter.busy:
                if self.watching is not None:
                    self.watching.offer_again(paths)
            elif plan.files:
                self.sorter.apply(plan, same_name, self._sorted_due, self._not_recovered)

        self.sorter.plan(request, then=go, failed=self._not_recovered, replaces="arrivals")

    def _sorted_due(self, receipt: Receipt) -> None:
        if self.window is not None:
            done = receipt.counts[FileState.DONE]
            verb = self.tr("{0} sorted by itself into {1}")
            if Way(receipt.way) is Way.SIDECAR:
                verb = self.tr("{0} given a sidecar by itself in {1}")
            self.window.toast.say(
                verb.format(files_words(done), receipt.root),
                button=self.tr("Show"),
                action=lambda: self.show_runs(receipt.run),
                stay=True,
            )


def without_trash(plan: Plan) -> Plan:
    """Return the plan without what goes to the trash: nothing is thrown away while nobody looks."""
    return replace(plan, files=tuple(file for file in plan.files if file.way is not Way.TRASH))


def recovery_words(found: Recovered) -> str:
    """Return in one sentence what was done about what a crash had left."""
    translate, report = QCoreApplication.translate, found.report
    parts = [
        words.format(files_words(number))
        for number, words in (
            (report.finished, translate("SortingDesk", "{0} finished")),
            (report.put_back + len(report.rolled_back), translate("SortingDesk", "{0} put back")),
            (report.left, translate("SortingDesk", "{0} in doubt (is a drive missing?)")),
        )
        if number
    ]
    what = ", ".join(parts) or translate("SortingDesk", "no file was half done")
    words = translate("SortingDesk", "Sorting was cut off last time; this was put right: {0}.").format(what)
    if report.resumable:
        words += " " + translate("SortingDesk", "The rest can be sorted or taken back.")
    return words
