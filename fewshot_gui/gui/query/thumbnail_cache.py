"""The pictures of the tiles: asked for when they come into view, forgotten when memory asks for it."""

from __future__ import annotations

from collections import OrderedDict
from time import perf_counter
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QImage, QPainter, QPixmap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.worker import Job

BUDGET: Final = 192 * 2**20
# Pictures are decoded at one of a few sizes, so that moving the size slider by a pixel decodes nothing anew.
DECODE_SIDES: Final = (128, 256, 384, 512, 768)
# The library bounds the longer side, a tile is filled by the shorter one: this fits all pictures up to 4:3.
LONGER_SIDE: Final = 4 / 3
# A frame at 60 Hz has 16 ms; thumbnails may take a third of it, and the rest wait for the next one.
TICK_SECONDS: Final = 0.005


class ThumbnailCache(QObject):
    """Square, rounded pixmaps of picture files, least recently used out first.

    `want` says what is in view: what is missing is asked of the library, what was asked for and is no
    longer wanted is cancelled. `arrived` carries the tuple of files whose picture or problem is new.
    """

    arrived = Signal(object)

    def __init__(
        self, library: Library, *, budget: int = BUDGET, radius: float = 8, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._budget = budget
        self._radius = radius
        self._pixmaps: OrderedDict[PictureFile, tuple[QPixmap, int]] = OrderedDict()
        self._problems: dict[PictureFile, str] = {}
        self._jobs: dict[PictureFile, tuple[int, Job]] = {}
        self._waiting: dict[PictureFile, tuple[int, NDArray[np.uint8] | None]] = {}
        self._bytes = 0
        self._wanted: tuple[PictureFile, ...] = ()
        self._side, self._ratio = 0, 1.0
        self._tick = QTimer(self, interval=0)
        self._tick.timeout.connect(self._drain)

    @property
    def bytes_held(self) -> int:
        """The memory that the kept pixmaps take, in bytes."""
        return self._bytes

    @property
    def asked(self) -> int:
        """The number of pictures that were asked for and have not come."""
        return len(self._jobs)

    def pixmap(self, file: PictureFile) -> QPixmap | None:
        """The picture of the file, perhaps made for another tile size, or None while it is not here."""
        held = self._pixmaps.get(file)
        if held is None:
            return None
        self._pixmaps.move_to_end(file)
        return held[0]

    def problem(self, file: PictureFile) -> str | None:
        """The kind of problem that keeps the file from being shown, or None."""
        return self._problems.get(file)

    def want(self, files: Sequence[PictureFile], side: int, ratio: float = 1.0) -> None:
        """Ask for squares of `side` logical pixels of these files, the first one first; drop other wishes."""
        self._side, self._ratio = side, ratio
        pixels = round(side * ratio)
        wanted = dict.fromkeys(files)
        self._wanted = tuple(wanted)
        for file in [
            held for held, (asked, _) in self._jobs.items() if held not in wanted or asked != pixels
        ]:
            self._jobs.pop(file)[1].cancel()
        for file in [held for held in self._waiting if held not in wanted]:
            del self._waiting[file]  # the library still has it; a tile that nobody sees waits for no one
        for file in wanted:
            coming = file in self._jobs or file in self._waiting or file in self._problems
            if not coming and not self._holds(file, pixels):
                self._ask(file, pixels)

    def retry(self) -> None:
        """Ask once more for what could not be read: its disk may be back, or its lock gone."""
        self._problems.clear()
        self.want(self._wanted, self._side, self._ratio)

    def forget(self) -> None:
        """Cancel every wish and drop every picture: another folder comes."""
        self.want((), self._side, self._ratio)
        self._waiting.clear()
        self._pixmaps.clear()
        self._problems.clear()
        self._bytes = 0

    def _holds(self, file: PictureFile, pixels: int) -> bool:
        held = self._pixmaps.get(file)
        return held is not None and held[1] == pixels

    def _ask(self, file: PictureFile, pixels: int) -> None:
        decoded = next((side for side in DECODE_SIDES if side >= pixels * LONGER_SIDE), DECODE_SIDES[-1])
        job = self._library.thumbnail(
            file,
            decoded,
            lambda picture: self._came(file, pixels, picture),
            lambda error: self._broke(file, pixels, error),
        )
        # A library that has the picture at hand may have answered already.
        if file not in self._waiting:
            self._jobs[file] = (pixels, job)

    def _came(self, file: PictureFile, pixels: int, picture: NDArray[np.uint8]) -> None:
        self._jobs.pop(file, None)
        self._waiting[file] = (pixels, picture)
        if not self._tick.isActive():
            self._tick.start()

    def _broke(self, file: PictureFile, pixels: int, error: Exception) -> None:
        self._problems[file] = str(getattr(error, "kind", "unreadable"))
        self._jobs.pop(file, None)
        self._waiting[file] = (pixels, None)
        if not self._tick.isActive():
            self._tick.start()

    def _drain(self) -> None:
        """Turn what has come into pixmaps, for no longer than a part of a frame."""
        start, done = perf_counter(), []
        while self._waiting and perf_counter() - start < TICK_SECONDS:
            file = next(iter(self._waiting))
            pixels, picture = self._waiting.pop(file)
            if picture is not None:
                self._keep(file, pixels, rounded(square(picture, pixels), self._radius, self._ratio))
            done.append(file)
        if not self._waiting:
            self._tick.stop()
        if done:
            self.arrived.emit(tuple(done))

    def _keep(self, file: PictureFile, pixels: int, pixmap: QPixmap) -> None:
        former = self._pixmaps.pop(file, None)
        self._bytes += 4 * pixels * pixels - (4 * former[1] * former[1] if former else 0)
        self._pixmaps[file] = (pixmap, pixels)
        while self._bytes > self._budget and len(self._pixmaps) > 1:
            _, (_, oldest) = self._pixmaps.popitem(last=False)
            self._bytes -= 4 * oldest * oldest


def square(pixels: NDArray[np.uint8], side: int) -> QImage:
    """The centre square of a picture (H, W, 3) uint8 RGB, `side` pixels wide: what the networks look at."""
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    cut = pixels[top : top + edge, left : left + edge]
    image = QImage(cut.tobytes(), edge, edge, 3 * edge, QImage.Format.Format_RGB888)
    return image.scaled(
        side, side, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def rounded(image: QImage, radius: float, ratio: float) -> QPixmap:
    """The picture with round corners of `radius` logical pixels, made for a screen of this pixel ratio."""
    # Cutting the corners once here is what lets a tile be painted as one plain pixmap on every frame.
    pixmap = QPixmap(image.size())
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(image))
    painter.drawRoundedRect(pixmap.rect(), radius * ratio, radius * ratio)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
