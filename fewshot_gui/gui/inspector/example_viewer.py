"""Examples looked at closely, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from fewshot_gui.core.images.look import difference_hash, differing_bits
from fewshot_gui.engine.deciding.warnings import SAME_BITS
from fewshot_gui.gui.mime import pixels_of
from fewshot_gui.gui.query.large_canvas import ZoomCanvas
from fewshot_gui.gui.query.large_pictures import SHORTER_SIDE
from fewshot_gui.gui.widgets import ElidedLabel, qimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.session import Session

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}


class ExampleViewer(QDialog):
    """Shows one of some examples: at once what the session keeps of it, then its file where it is there."""

    def __init__(
        self,
        session: Session,
        library: Library,
        pictures: Sequence[PictureId],
        number: int,
        title: str,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._session, self._library = session, library
        self._pictures = tuple(pictures)
        self._number = -1
        self.setObjectName("exampleViewer")
        self.setWindowTitle(title)
        self.canvas = ZoomCanvas(self)
        self.name = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        keys = QLabel(self.tr("← →: next   ·   + −: zoom   ·   Esc: close"), self)
        keys.setProperty("role", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(8)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.name)
        column.addWidget(keys)
        self.resize(parent.window().size() * 0.9)
        self.show_number(number)

    @property
    def number(self) -> int:
        """Which of the examples is shown."""
        return self._number

    def show_number(self, number: int) -> None:
        """Show this one of the examples."""
        number = min(max(0, number), len(self._pictures) - 1)
        if number == self._number:
            return
        self._number = number
        stored = self._session.picture(self._pictures[number])
        words = self.tr("{number} of {count}").format(number=number + 1, count=len(self._pictures))
        path = "" if stored is None else stored.path
        self.name.setText(f"{words}   {path}" if path else words)
        small = QImage.fromData(b"" if stored is None else stored.thumbnail)
        if small.isNull():
            self.canvas.show_words(self.tr("Its picture is gone"))
        else:
            self.canvas.show_image(small)
        if path:
            self._library.pixels(
                path,
                lambda pixels: self._came(number, pixels),
                lambda _error: None,  # what the session keeps of it is shown
                at_least=SHORTER_SIDE,
                replaces="example-viewer",
            )

    def _came(self, number: int, pixels: NDArray[np.uint8]) -> None:
        if number == self._number and self._is_still(number, pixels):
            self.canvas.show_image(qimage(pixels).convertToFormat(QImage.Format.Format_RGB32))

    def _is_still(self, number: int, pixels: NDArray[np.uint8]) -> bool:
        """Return whether the file still shows what was taught: it may have been written anew since."""
        stored = self._session.picture(self._pictures[number])
        small = QImage.fromData(b"" if stored is None else stored.thumbnail)
        if small.isNull():
            return False
        apart = differing_bits(difference_hash(pixels), difference_hash(pixels_of(small)))
        return apart <= SAME_BITS

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to a neighbour, zoom, or close."""
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.show_number(self._number + _STEPS[key])
        elif event.text() in {"+", "=", "-"}:
            self.canvas.zoom(-1 if event.text() == "-" else 1)
        elif key in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.close()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Close, and show nothing that is still on its way."""
        self._number = -1
        super().done(result)
