"""One picture as large as the window allows, with what the program says of it, to be answered there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fewshot_gui.engine.scores import UNKNOWN
from fewshot_gui.gui.query.answer_keys import Answer, meaning
from fewshot_gui.gui.query.large_answer import LargeAnswer, bars_of
from fewshot_gui.gui.query.large_canvas import ZoomCanvas
from fewshot_gui.gui.query.large_pictures import LargePictures
from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.widgets import ElidedLabel, ToolButton

if TYPE_CHECKING:
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.query.gallery_model import GalleryModel
    from fewshot_gui.gui.theme import Appearance

_BACK: Final = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp})
_ON: Final = frozenset({Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown})
_NUDGE: Final = 80
_NUDGES: Final = {
    Qt.Key.Key_Left: (_NUDGE, 0),
    Qt.Key.Key_Right: (-_NUDGE, 0),
    Qt.Key.Key_Up: (0, _NUDGE),
    Qt.Key.Key_Down: (0, -_NUDGE),
}
_AHEAD: Final = (1, -1, 2)
"""The neighbours that are decoded while one looks, in this order."""


class PictureViewer(QDialog):
    """Shows the picture at a position of the gallery; the keys of the gallery answer it.

    Arrows lead to the neighbours, Space and Esc close. `answered` carries the Shown that the person had
    before their eyes and an Answer or the key of a category; `moved` the position that is shown now.

    Args:
        model: the order of the pictures, and what is said of them.
        library: reads the files.
        position: of the first picture.
        parent: the page whose window is filled.
        session: names and colours of the bars.
        appearance: the look.
    """

    answered = Signal(object, object)
    moved = Signal(int)

    def __init__(
        self,
        model: GalleryModel,
        library: Library,
        position: int,
        parent: QWidget,
        *,
        session: Session,
        appearance: Appearance,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._model, self._session = model, session
        self.shortcuts = self._keys()
        window = parent.window()
        pixels = round(min(window.width(), window.height()) * window.devicePixelRatioF())
        self._pictures = LargePictures(library, self, shorter_side=pixels)
        self._file: PictureFile | None = None
        self._position = self._row = -1
        self.setObjectName("pictureViewer")
        self.setWindowTitle(self.tr("Picture"))
        self.canvas = ZoomCanvas(self)
        self.canvas.setObjectName("largePicture")
        self.answer = LargeAnswer(appearance, self)
        self._name = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        self._place = QLabel(self)
        self._lay_out()
        self._connect()
        self.setGeometry(window.geometry())
        self.show_position(position)

    def _lay_out(self) -> None:
        self._place.setProperty("role", "muted")
        self._place.setObjectName("largePlace")
        close = ToolButton("close", self.tr("Close"), self, key="Esc")
        close.clicked.connect(self.close)
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys here are about the picture
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self._name, 1)
        top.addWidget(self._place)
        top.addWidget(close)
        self.help = QLabel(self._help(), self)
        self.help.setProperty("role", "small")
        self.help.setObjectName("largeHelp")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.answer)
        column.addWidget(self.help)

    def _help(self) -> str:
        return "   ·   ".join(
            (
                self.tr("Enter: accept"),
                self.tr("letter or digit: its category"),
                self.tr("N: none of these"),
                self.tr("Backspace: take back"),
                self.tr("← →: next"),
                self.tr("+ −: zoom"),
                self.tr("Esc: close"),
            )
        )

    def _keys(self) -> frozenset[str]:
        categories = self._session.document.categories
        return frozenset(category.shortcut.casefold() for category in categories if category.shortcut)

    def _connect(self) -> None:
        self._pictures.arrived.connect(self._arrived)
        self._pictures.finer_arrived.connect(self._finer_arrived)
        self.canvas.magnified.connect(self._want_finer)
        self._model.modelReset.connect(self._follow)
        self._model.rowsInserted.connect(self._follow)
        self._model.rowsRemoved.connect(self._follow)
        self._model.rewritten.connect(self._follow)
        self._model.dataChanged.connect(self._say)

    # Places -----------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The position of the gallery that is shown."""
        return self._position

    @property
    def file(self) -> PictureFile | None:
        """The picture that is shown, None once it is closed."""
        return self._file

    def show_position(self, position: int) -> None:
        """Show the picture at this position."""
        count = len(self._model.order)
        self._position = min(max(0, position), count - 1)
        self._place_words()
        self._row = int(self._model.order[self._position])
        file = self._model.file(self._position)
        if file != self._file:
            self._file = file
            self._name.setText(file.path)
            self._show_picture()
            self._say()
        around = (self._position + step for step in (0, *_AHEAD))
        self._pictures.want([self._model.file(each) for each in around if 0 <= each < count])
        self.moved.emit(self._position)

    def _place_words(self) -> None:
        words = self.tr("{number} of {count}")
        count = len(self._model.order)
        self._place.setText(words.format(number=f"{self._position + 1:,}", count=f"{count:,}"))

    def _follow(self, *_change: object) -> None:
        """Stay with the picture where the gallery was put in another order; close where it is gone."""
        if self._file is None:
            return
        found = self._model.position_of(self._row)
        now = None if found is None else self._model.file(found)
        # Rows of one folder keep their numbers; in another folder the same row is another picture.
        if found is None or now is None or now.path != self._file.path:
            self.close()
        elif found != self._position or now != self._file:  # it lies elsewhere, or was written anew
            self.show_position(found)
        else:
            self._place_words()

    # What is shown ----------------------------------------------------------------------------------

    def _say(self, *_change: object) -> None:
        position = self._position
        if self._file is None or position >= len(self._model.order):
            return
        if self._model.file(position) != self._file:
            return  # it moved, and `_follow` hears of it in a moment
        bars = bars_of(self._model.scores, self._row, self._session.document)
        self.answer.show_answer(self._model.sentence(position), bars, self._model.shown(position))
        # It has the focus, and so it is of this window that a screen reader speaks.
        self.setAccessibleName(self.answer.accessibleName())
        self.setAccessibleDescription(self.answer.accessibleDescription())

    def _show_picture(self) -> None:
        found = None if self._file is None else self._pictures.get(self._file)
        if isinstance(found, QImage):
            self.canvas.show_image(found)
        elif found is not None:
            self.canvas.show_words(problem_words(str(getattr(found, "kind", ""))))
        else:
            self.canvas.show_image(None)

    def _arrived(self, file: PictureFile) -> None:
        if file == self._file and not self.canvas.has_picture:
            self._show_picture()

    def _want_finer(self) -> None:
        if self._file is not None and self.canvas.has_picture:
            self._pictures.want_finer(self._file)

    def _finer_arrived(self, file: PictureFile, image: QImage) -> None:
        if file == self._file and not self.canvas.is_fitted:
            self.canvas.show_finer(image)
        else:
            self._pictures.drop_finer()

    # Keys -------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Take the keys that answer before any shortcut does."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer, go to a neighbour, zoom, or close."""
        answer = meaning(event, self.shortcuts)
        if answer is not None and event.isAutoRepeat():
            return  # a key that is held down would answer for pictures that nobody has looked at
        if answer is not None:
            self._answer(answer)
        elif not self._walk(event) and not self._zoom(event) and not self._undo(event):
            if event.key() == Qt.Key.Key_Space:
                self.close()
            else:
                super().keyPressEvent(event)

    def _answer(self, answer: Answer | str) -> None:
        """Say the answer of what the person sees, and go on; where there is nothing to accept yet, stay."""
        shown = self._before_the_eyes()
        if shown is None or answer is Answer.ACCEPT_LINE:
            return
        if answer is Answer.ACCEPT and not self._can_accept(shown):
            return
        self.answered.emit(shown, answer)
        # The answer may have taken the picture out of the filter, and closed this.
        if answer is not Answer.WITHDRAW and self._file is not None:
            self.show_position(self._position + 1)

    def _can_accept(self, shown: Shown) -> bool:
        # A category that was removed since it was suggested is no answer any more.
        if shown.category is not None:
            return shown.category in self._session.document
        return shown.suggestion != UNKNOWN

    def _undo(self, event: QKeyEvent) -> bool:
        # The actions of the window do not hear keys while this is before it.
        if event.matches(QKeySequence.StandardKey.Undo):
            self._session.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self._session.redo()
        else:
            return False
        self.shortcuts = self._keys()
        return True

    def _before_the_eyes(self) -> Shown | None:
        """Return what the person sees; of a picture that was never painted, what is true of it now."""
        now = self._model.shown(self._position)
        drawn = self.answer.drawn
        same = drawn is not None and now is not None and drawn.picture == now.picture
        return drawn if same else now

    def _walk(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and key in _NUDGES:
            self.canvas.move_by(*_NUDGES[key])
        elif key in _BACK or key in _ON:
            self.show_position(self._position + (1 if key in _ON else -1))
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self.show_position(0 if key == Qt.Key.Key_Home else len(self._model.order) - 1)
        else:
            return False
        return True

    def _zoom(self, event: QKeyEvent) -> bool:
        if event.text() in {"+", "="} or event.matches(QKeySequence.StandardKey.ZoomIn):
            self.canvas.zoom(1)
        elif event.text() == "-" or event.matches(QKeySequence.StandardKey.ZoomOut):
            self.canvas.zoom(-1)
        elif event.text() == "*" or _with_control(event, Qt.Key.Key_0):
            self.canvas.fit()
        elif _with_control(event, Qt.Key.Key_1):
            self.canvas.actual_size()
        else:
            return False
        return True

    def done(self, result: int) -> None:
        """Close, and drop the pictures that are still on their way."""
        self._file = None
        self._pictures.close()
        super().done(result)


def _with_control(event: QKeyEvent, key: Qt.Key) -> bool:
    return event.key() == key and bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
