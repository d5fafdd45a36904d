"""Decoded pictures for the large view: the one that is shown, and its neighbours ahead of time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.worker import Job

SHORTER_SIDE: Final = 1_400
"""Larger than any window here, small enough to decode within a tenth of a second."""
MOST_BYTES: Final = 256 * 1024 * 1024


class LargePictures(QObject):
    """Keeps the pictures that are wanted, and as many of the former ones as memory allows.

    `arrived` carries the file of a picture, or of an error, that is known from now on; `finer_arrived` the
    file and its picture with every pixel that it has. What arrives is always told with the file that it is
    of, never by its place.

    Args:
        library: reads the files.
        parent: owns this.
        shorter_side: pixels that suffice where the picture is fitted: fewer are decoded and copied faster.
    """

    arrived = Signal(object)
    finer_arrived = Signal(object, QImage)

    def __init__(
        self, library: Library, parent: QObject | None = None, *, shorter_side: int = SHORTER_SIDE
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._shorter_side = min(shorter_side, SHORTER_SIDE)
        self._kept: OrderedDict[PictureFile, QImage | Exception] = OrderedDict()
        self._jobs: dict[PictureFile, Job] = {}
        self._finer: Job | None = None
        self._finest: PictureFile | None = None
        self._closed = False

    def want(self, files: Sequence[PictureFile]) -> None:
        """Fetch these, the first first; what was under way for others is dropped."""
        wanted = dict.fromkeys(files)
        if files and files[0] != self._finest:
            self.drop_finer()  # only of the one that is looked at
        for file in [each for each in self._jobs if each not in wanted]:
            self._jobs.pop(file).cancel()
        for file in wanted:
            if file in self._kept:
                self._kept.move_to_end(file)
            elif file not in self._jobs:
                self._fetch(file)
        if files and files[0] in self._kept:
            self._kept.move_to_end(files[0])

    def get(self, file: PictureFile) -> QImage | Exception | None:
        """Return the picture, why there is none, or None while it is on its way."""
        return self._kept.get(file)

    def want_finer(self, file: PictureFile) -> None:
        """Fetch every pixel of this picture, once."""
        if self._finest == file:
            return
        self.drop_finer()
        self._finest = file
        self._finer = self._library.pixels(
            file.path,
            lambda pixels: self._finer_came(file, pixels),
            lambda _error: None,  # what is shown already stays
            replaces="picture-viewer",
        )

    def drop_finer(self) -> None:
        """Fetch every pixel of no picture; what was fetched was not kept."""
        if self._finer is not None:
            self._finer.cancel()
        self._finer = self._finest = None

    def close(self) -> None:
        """Drop what is under way, and keep nothing."""
        self._closed = True
        self.drop_finer()
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        self._kept.clear()

    def _fetch(self, file: PictureFile) -> None:
        self._jobs[file] = self._library.pixels(
            file.path,
            lambda pixels: self._keep(file, self._image(pixels)),
            lambda error: self._keep(file, error),
            at_least=self._shorter_side,
        )

    @staticmethod
    def _image(pixels: NDArray[np.uint8]) -> QImage:
        rows = np.ascontiguousarray(pixels)
        height, width = rows.shape[:2]
        # Four bytes a pixel are painted in half the time of three; the conversion is the only copy.
        image = QImage(rows.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        return image.convertToFormat(QImage.Format.Format_RGB32)

    def _keep(self, file: PictureFile, result: QImage | Exception) -> None:
        if self._closed:
            return
        self._jobs.pop(file, None)
        self._kept[file] = result
        while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > MOST_BYTES:
            self._kept.popitem(last=False)
        self.arrived.emit(file)

    def _finer_came(self, file: PictureFile, pixels: NDArray[np.uint8]) -> None:
        if not self._closed and file == self._finest:
            self._finer = None
            self.finer_arrived.emit(file, self._image(pixels))


def _bytes(result: QImage | Exception) -> int:
    return result.sizeInBytes() if isinstance(result, QImage) else 0
