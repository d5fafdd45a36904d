"""The dialog of backbones: use one, download a stronger one, load one's own, remove what was brought here."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.engine.commands import ChooseBackbone
from fewshot_gui.engine.downloads.error import DownloadError
from fewshot_gui.engine.folders import cache_folder
from fewshot_gui.engine.speeds import Speeds, read_speeds
from fewshot_gui.gui.backbones.backbone_list import BackboneList
from fewshot_gui.gui.backbones.entries import entries, rungs
from fewshot_gui.gui.backbones.error_words import error_words
from fewshot_gui.gui.backbones.file_report import FileReport
from fewshot_gui.gui.widgets import PushButton, open_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.engine.fetching import Fetcher
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document


class BackbonesDialog(QDialog):
    """Stands beside the window, which goes on working; closing it stops no download.

    Args:
        session: whose backbone is chosen.
        fetcher: downloads and reads files; outlives the dialog.
        on_processor: says whether pictures are looked at without a graphics card.
        parent: of the dialog.
    """

    def __init__(
        self,
        session: Session,
        fetcher: Fetcher,
        on_processor: Callable[[], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._fetcher, self._on_processor = session, fetcher, on_processor
        self._first = ""
        self.setObjectName("backbonesDialog")
        self.setWindowTitle(self.tr("Backbones"))
        open_as(self, 880, 640)
        self.list = BackboneList(self)
        self.report = FileReport(self)
        self.reading = QProgressBar(self)
        self.reading.setRange(0, 0)
        self.reading.setAccessibleName(self.tr("Reading the file"))
        self.reading.hide()
        self.note = QLabel(self)
        self.note.setObjectName("backbonesNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.note.hide()
        self.load = PushButton(self.tr("Load from a file…"), self)
        self.load.setObjectName("backboneLoadFile")
        self.leave = PushButton(self.tr("Close"), self)
        self.leave.setObjectName("backbonesClose")
        self.leave.setDefault(True)
        self._lay_out()
        fetcher.recall(rungs().values())
        self._connect()
        self.refresh()
        self.list.reveal_first()

    def _lay_out(self) -> None:
        intro = QLabel(
            self.tr(
                "A backbone is what looks at your pictures. A stronger one sees finer differences and "
                "takes longer. Nothing is downloaded until you ask for it."
            ),
            self,
        )
        intro.setProperty("role", "muted")
        intro.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addWidget(intro)
        column.addWidget(self.list, 1)
        for widget in (self.report, self.reading, self.note):
            column.addWidget(widget)
        foot = QHBoxLayout()
        foot.addWidget(self.load)
        foot.addStretch(1)
        foot.addWidget(self.leave)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.list.asked.connect(self._on_asked)
        self.load.clicked.connect(self._ask_file)
        self.leave.clicked.connect(self.accept)
        self.report.tried.connect(self.load_file)
        disconnect = [
            self._session.changed.connect(self._on_document),
            self._fetcher.changed.connect(self._on_fetching),
            self._fetcher.landed.connect(lambda _info: self.refresh()),
            self._fetcher.removed.connect(lambda _name: self.refresh()),
        ]
        self.destroyed.connect(lambda _gone: [each() for each in disconnect])

    # What is shown ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is here now, and how the downloads are doing."""
        on_processor = self._on_processor()
        speeds = read_speeds(cache_folder()) if on_processor else Speeds()
        in_use = self._session.document.settings.backbone
        if not self.isVisible():
            self._first = in_use  # later the rows keep their places: nothing moves under the pointer
        found = entries(in_use, first=self._first, speeds=speeds)
        rebuilt = self.list.show_entries(found, self._fetcher.state, on_processor=on_processor)
        if rebuilt:
            # Else the keyboard would come to the newest widgets last.
            stops: list[QWidget] = [button for row in self.list.rows.values() for button in row.buttons()]
            stops += [self.report.network, self.report.again, self.load, self.leave]
            for one, next_one in pairwise(stops):
                QWidget.setTabOrder(one, next_one)

    def _on_fetching(self, name: str) -> None:
        row = self.list.rows[name]
        row.show_entry(row.entry, self._fetcher.state(name), on_processor=self._on_processor())

    def _on_document(self, before: Document, after: Document) -> None:
        if before.settings != after.settings:
            self.refresh()

    def say(self, words: str) -> None:
        """Show a sentence above the buttons; an empty one takes the former away."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    # What is asked ----------------------------------------------------------------------------------

    def _on_asked(self, what: str, name: str) -> None:
        self.say("")
        if what == "use":
            self.use(name)
        elif what == "download":
            self._fetcher.start(rungs()[name])
        elif what == "cancel":
            self._fetcher.cancel(name)
        elif what == "discard":
            self._discard(name)
        else:
            self._ask_remove(name)

    def use(self, name_or_path: str) -> None:
        """Let the session work with a backbone from now on; say why where it cannot."""
        try:
            describe_bundle(name_or_path)
        except BundleError as error:
            self.say(self.tr("This backbone cannot be used: {0}").format(error.detail))
            return
        self._session.do(ChooseBackbone(name_or_path))

    def _discard(self, name: str) -> None:
        try:
            self._fetcher.drop(rungs()[name])
        except DownloadError as error:
            self.say(error_words(error))

    def _ask_remove(self, name: str) -> None:
        try:
            info = describe_bundle(name)
        except BundleError:
            self.refresh()  # it is gone already
            return
        asked = QMessageBox.question(
            self,
            self.tr("Remove a backbone"),
            self.tr(
                "Remove {0} from this computer? Sessions that work with it will ask for another one. "
                "It can be brought here again."
            ).format(info.title),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        if asked == QMessageBox.StandardButton.Yes:
            self._remove(info)

    def _remove(self, info: BundleInfo) -> None:
        try:
            self._fetcher.remove(info)
        except OSError as error:
            self.say(self.tr("It could not be removed: {0}").format(error.strerror or error))

    # A file -----------------------------------------------------------------------------------------

    def _ask_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Load a backbone"),
            "",
            self.tr("Weights (*.safetensors *.onnx *.pth *.pt)"),
        )
        if chosen:
            self.load_file(chosen)

    def load_file(self, path: str, architecture: str = "") -> None:
        """Make a backbone of a file of weights; say what does not fit where it cannot be.

        Args:
            path: of the file.
            architecture: "torchvision:NAME" or "timm:NAME"; empty lets the file tell.
        """
        self.say("")
        self.report.hide()
        try:
            describe_bundle(path)
        except BundleError:
            self._read(Path(path), architecture)
        else:
            self.use(path)  # one of this program's own: used where it lies

    def _read(self, path: Path, architecture: str) -> None:
        self.load.setEnabled(False)
        self.reading.show()
        self.say(self.tr("Reading {0}…").format(path.name))
        self._fetcher.take_in(
            path,
            architecture,
            self._still(self._loaded),
            self._still(lambda error: self._not_loaded(path, architecture, error)),
        )

    def _still(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return a call that comes to nothing once this dialog is gone."""
        return lambda value: call(value) if isValid(self) else None

    def _rest(self) -> None:
        self.load.setEnabled(True)
        self.reading.hide()
        self.say("")

    def _loaded(self, info: BundleInfo) -> None:
        self._rest()
        words = self.tr("{0} is here.").format(info.title)
        if info.architecture.get("kind") == "onnx":
            words += " " + self.tr(
                "It does not say how its pictures were prepared: mean and deviation are ImageNet’s. For "
                "others add it with: fewshot-gui models add --mean … --std …"
            )
        self.say(words)
        self.list.reveal(info.name)

    def _not_loaded(self, path: Path, architecture: str, error: Exception) -> None:
        self._rest()
        if self.report.show_error(path, error):
            return
        (self.report.show_refusal if architecture else self.say)(error_words(error))
