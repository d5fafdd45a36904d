"""What every source of moving pictures gives: frames, and the problems that end them."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.worker import Post

Frame: TypeAlias = NDArray[np.uint8]
"""uint8 (H, W, 3) RGB, upright, C-contiguous, and never written to once it was handed over."""

T = TypeVar("T")


class SourceTrouble(StrEnum):
    """Why a source gives no frames."""

    NO_CAMERA = "no camera"
    BUSY = "busy"
    NO_PERMISSION = "no permission"
    LOST = "lost"
    TIMED_OUT = "timed out"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class SourceProblem(Exception):  # noqa: N818 - the window calls it a problem, and so do we
    """A camera or a video file that gives no frames.

    Attributes:
        kind: what is wrong.
        source: the name of the camera, or the path of the file.
        detail: what the library below says about it; may be empty.
    """

    def __init__(self, kind: SourceTrouble, source: str, detail: str = "") -> None:
        super().__init__(f"{source}: {kind}" + (f" ({detail})" if detail else ""))
        self.kind = kind
        self.source = source
        self.detail = detail


class Newest(Generic[T]):
    """A mailbox with one place, from the one thread that offers to the main thread.

    What was not taken when the next value comes is dropped, so a slow window never piles up
    frames: at most one value and one posted call are on their way.
    """

    def __init__(self, post: Post, deliver: Callable[[T], None]) -> None:
        self._post = post
        self._deliver = deliver
        self._place: deque[T] = deque(maxlen=1)  # append and pop are atomic: no lock is needed
        self._posted = False
        self._open = True

    def offer(self, value: T) -> None:
        """Have `value` delivered on the main thread, unless a newer one comes before that."""
        self._place.append(value)
        if not self._posted:
            self._posted = True
            self._post(self._hand_over)

    def close(self) -> None:
        """Deliver nothing more; called on the main thread."""
        self._open = False
        self._place.clear()

    def _hand_over(self) -> None:
        # Before the value is taken: one offered from here on posts anew and cannot be forgotten.
        self._posted = False
        try:
            value = self._place.pop()
        except IndexError:
            return
        if self._open:
            self._deliver(value)
