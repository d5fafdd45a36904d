"""What the camera, the video or the canvas shows, handed to the inspector a few times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.engine.event import Event
    from fewshot_gui.engine.live import LivePrediction
    from fewshot_gui.engine.single import SinglePrediction
    from fewshot_gui.gui.inspector.panel import InspectorPanel

# Numbers that change faster cannot be read, and painting thumbnails takes time from the camera.
INTERVAL_MS = 250


class LiveFeed(QObject):
    """Shows the newest live prediction in the inspector, at most four times a second.

    Args:
        inspector: where it is shown.
        loops: the events of the live loops.
        parent: the owner.
    """

    def __init__(
        self,
        inspector: InspectorPanel,
        loops: Iterable[Event[[LivePrediction]]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._inspector = inspector
        self._newest: tuple[SinglePrediction, NDArray[np.uint8]] | None = None
        self._timer = QTimer(self, interval=INTERVAL_MS, singleShot=True)
        self._timer.timeout.connect(self._show)
        self._disconnect: list[Callable[[], None]] = [loop.connect(self._came) for loop in loops]

    def offer(self, prediction: SinglePrediction, pixels: NDArray[np.uint8]) -> None:
        """Show a prediction (of pixels (H, W, 3) uint8 RGB) soon, unless a newer one comes first."""
        if prediction.best < 0:
            return  # nothing is taught yet, and the page itself says what to do
        self._newest = prediction, pixels
        if not self._timer.isActive():
            self._timer.start()

    def forget(self) -> None:
        """Show nothing of what is on its way, as when the source changes."""
        self._newest = None
        self._timer.stop()
        self._inspector.clear()

    def release(self) -> None:
        """Follow the loops no more."""
        self._timer.stop()
        for disconnect in self._disconnect:
            disconnect()

    def _came(self, live: LivePrediction) -> None:
        self.offer(live.prediction, live.frame)

    def _show(self) -> None:
        if self._newest is not None:
            self._inspector.show_single(*self._newest)
            self._newest = None
