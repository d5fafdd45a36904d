"""The table of what is taken for what, and the pictures behind each of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.deciding.enough import is_enough
from fewshot_gui.gui.inspector.confusion_table import ConfusionTable, cell_words
from fewshot_gui.gui.inspector.enough_words import verdict_words, waiting_words
from fewshot_gui.gui.inspector.example_viewer import ExampleViewer
from fewshot_gui.gui.inspector.shots_view import ShotsView
from fewshot_gui.gui.query.thumbnail_cache import rounded
from fewshot_gui.gui.theme import RADIUS
from fewshot_gui.gui.widgets import EmptyState, PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.deciding.shots import ShotsCurve
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.inspector.panel import InspectorPanel
    from fewshot_gui.gui.theme import Appearance

SIDE: Final = 80


class TableHost(Protocol):
    """The window that the table is shown over."""

    workspace: Workspace
    inspector: InspectorPanel


def show_table(window: TableHost) -> TableDialog:
    """Return the table of this window's examples, beside it; a second call raises it again."""
    parent = cast("QWidget", window)
    dialog = next((each for each in parent.findChildren(TableDialog) if each.isVisible()), None)
    if dialog is None:
        space, appearance = window.workspace, window.inspector.appearance
        dialog = TableDialog(space.session, space.predictor, space.library, appearance, parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog


class TableDialog(QDialog):
    """Shows the newest leave-one-out report while it is open."""

    def __init__(
        self,
        session: Session,
        predictor: Predictor,
        library: Library,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._predictor, self._library = session, predictor, library
        self.setObjectName("tableDialog")
        self.setWindowTitle(self.tr("Is this enough?"))
        self.verdict = self._label("tableVerdict", "heading")
        intro = self._label("tableIntro", "muted")
        intro.setText(
            self.tr(
                "Each example is classified by all the others. Rows: what you taught. Columns: what it was "
                "taken for. Choose a number to see its pictures."
            )
        )
        self.table = ConfusionTable(appearance, self)
        self.caption = self._label("tableCaption", "heading")
        self.pictures = self._picture_list()
        self.shots = ShotsView(appearance, self)
        self.waiting = EmptyState("grid", "", "", parent=self)
        self._lay_out(intro)
        self.table.cellChosen.connect(self._show_cell)
        disconnect = [
            predictor.examined.connect(lambda _report: self.refresh()),
            session.changed.connect(lambda _before, _after: self.refresh()),
        ]
        self.destroyed.connect(lambda: [each() for each in disconnect])
        self.finished.connect(lambda _result: [each() for each in disconnect])
        self._report: LooReport | None = None
        self._found: tuple[PictureId, ...] = ()
        self.refresh()
        self._fit_screen()
        self.table.setFocus()

    def _label(self, name: str, role: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setProperty("role", role)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _picture_list(self) -> QListWidget:
        result = QListWidget(self)
        result.setObjectName("tablePictures")
        result.setAccessibleName(self.tr("Pictures behind the chosen number"))
        result.setViewMode(QListView.ViewMode.IconMode)
        result.setFlow(QListView.Flow.LeftToRight)
        result.setWrapping(False)
        result.setMovement(QListView.Movement.Static)
        result.setIconSize(QSize(SIDE, SIDE))
        result.setGridSize(QSize(SIDE + 8, SIDE + 8))
        result.setFixedHeight(SIDE + 24)
        result.setStyleSheet("QListView { background: transparent; }")
        result.itemActivated.connect(self._enlarge)
        result.itemClicked.connect(self._enlarge)
        return result

    def _lay_out(self, intro: QLabel) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addWidget(self.verdict)
        column.addWidget(intro)
        column.addSpacing(8)
        column.addWidget(self.table, 1)
        column.addWidget(self.waiting, 1)
        column.addSpacing(8)
        column.addWidget(self.caption)
        column.addWidget(self.pictures)
        column.addWidget(self.shots)
        row = QHBoxLayout()
        row.addStretch(1)
        close = PushButton(self.tr("Close"), self, role="primary")
        close.clicked.connect(self.accept)
        close.setAutoDefault(False)  # Enter shows the chosen picture
        row.addWidget(close)
        column.addLayout(row)

    def _fit_screen(self) -> None:
        wanted = self.table.sizeHint() + QSize(48, 440)  # the curve comes later
        parent = self.parentWidget()
        room = parent.window().size() if parent is not None else self.screen().availableSize()
        self.resize(wanted.expandedTo(QSize(640, 600)).boundedTo(room * 0.95))

    # What is shown ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the present report; while a new one is being made, the former one stays."""
        document, report = self._session.document, self._predictor.report
        verdict, examining = is_enough(document, report), self._predictor.examining
        self.verdict.setText(verdict_words(verdict, document, report, examining=examining))
        if report is not None and report is not self._report:
            self._predictor.examiner.ask_shots(self._show_shots)
        self._report = report or self._report
        self.table.show_report(self._report, document.categories)
        empty = self.table.chosen is None
        self.waiting.setVisible(empty)
        for widget in (self.table, self.caption, self.pictures):
            widget.setHidden(empty)
        title, text = waiting_words(verdict.kind, examining=examining)
        self.waiting.title.setText(title)
        self.waiting.text.setText(text)

    def _show_shots(self, curve: ShotsCurve) -> None:
        if isValid(self):
            self.shots.show_curve(curve)

    def _show_cell(self, own: CategoryId, taken: CategoryId) -> None:
        document = self._session.document
        if self._report is None or own not in document or taken not in document:
            return
        found = self._report.cells.get((own, taken), ())
        names = document.category(own).name, document.category(taken).name
        self.caption.setText(self._sentence(cell_words(len(found), *names)))
        if found == self._found:
            return
        self._found = found
        self.pictures.clear()
        for picture in found:
            self._add(picture)

    def _sentence(self, words: str) -> str:
        return f"{words[:1].upper()}{words[1:]}"

    def _add(self, picture: PictureId) -> None:
        stored = self._session.picture(picture)
        name = "" if stored is None else stored.path.replace("\\", "/").rpartition("/")[2]
        item = QListWidgetItem()
        item.setIcon(self._icon(b"" if stored is None else stored.thumbnail))
        item.setToolTip(name)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, name or self.tr("Picture"))
        item.setData(Qt.ItemDataRole.UserRole, str(picture))
        self.pictures.addItem(item)

    def _icon(self, thumbnail: bytes) -> QIcon:
        image = QImage.fromData(thumbnail)
        ratio = self.devicePixelRatioF()
        pixels = round(SIDE * ratio)
        if image.isNull():
            image = QImage(pixels, pixels, QImage.Format.Format_RGB32)
            image.fill(self.palette().midlight().color())
        edge = min(image.width(), image.height())
        cut = image.copy((image.width() - edge) // 2, (image.height() - edge) // 2, edge, edge)
        smooth = Qt.TransformationMode.SmoothTransformation
        scaled = cut.scaled(pixels, pixels, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        icon = QIcon()
        # Else Qt tints the chosen one, which is there to be looked at.
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(rounded(scaled, RADIUS, ratio), mode)
        return icon

    def _enlarge(self, item: QListWidgetItem) -> None:
        if any(viewer.isVisible() for viewer in self.findChildren(ExampleViewer)):
            return  # on desktops that open by one click this is asked twice
        pictures = tuple(
            PictureId(self.pictures.item(number).data(Qt.ItemDataRole.UserRole))
            for number in range(self.pictures.count())
        )
        viewer = ExampleViewer(
            self._session, self._library, pictures, self.pictures.row(item), self.caption.text(), self
        )
        viewer.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        viewer.open()
