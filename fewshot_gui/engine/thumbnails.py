"""Thumbnails: decoded once for all who ask, and kept within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.worker import Cancelled, CancelToken, Job, Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.worker import Worker

Pixels: TypeAlias = NDArray[np.uint8]
# 96 MiB is some 500 tiles of 256 pixels: five screens of a gallery at 4K.
DEFAULT_BYTES = 96 << 20
Key: TypeAlias = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """Somebody who waits for a thumbnail, with their own token: one may leave while another stays."""

    token: CancelToken
    then: Callable[[Pixels], None]
    failed: Callable[[Exception], None] | None


class Thumbnails:
    """Small pictures by file and side, the most recently used kept in memory.

    Belongs to the main thread; decoding happens on the lane.

    Args:
        lane: decodes.
        decode: returns the thumbnail uint8 (h, w, 3) of a file, h and w <= side; raises ImageProblem.
        limit_bytes: of decoded pixels kept.
    """

    def __init__(
        self, lane: Worker, decode: Callable[[PictureFile, int], Pixels], limit_bytes: int = DEFAULT_BYTES
    ) -> None:
        self._lane = lane
        self._decode = decode
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, Pixels] = OrderedDict()
        self._lock = threading.Lock()
        self._asked: dict[Key, list[_Request]] = {}

    @property
    def bytes_kept(self) -> int:
        """How many bytes of pixels are held, never above the limit."""
        return self._bytes

    def peek(self, file: PictureFile, side: int) -> Pixels | None:
        """Return the thumbnail uint8 (h, w, 3) if it is in memory, else None; starts nothing."""
        key = _key(file, side)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def request(
        self,
        file: PictureFile,
        side: int,
        then: Callable[[Pixels], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Job:
        """Return the job after which `then` gets the thumbnail; requests of the same one share a decode."""
        key, token = _key(file, side), CancelToken()
        pixels = self.peek(file, side)
        if pixels is not None:
            self._lane.tell(token, lambda: then(pixels))
            return Job(token)
        with self._lock:
            others = self._asked.setdefault(key, [])
            others.append(_Request(token, then, failed))
            if len(others) > 1:
                return Job(token)
        self._lane.submit(
            lambda _token: self._decode_wanted(key),
            then=lambda fresh: self._arrived(key, fresh),
            failed=lambda error: self._could_not(key, error),
            priority=Priority.VISIBLE,
        )
        return Job(token)

    def clear(self) -> None:
        """Forget the thumbnails in memory."""
        self._kept.clear()
        self._bytes = 0

    def _decode_wanted(self, key: Key) -> Pixels:
        with self._lock:
            if all(request.token.cancelled for request in self._asked.get(key, ())):
                self._asked.pop(key, None)
                raise Cancelled
        path, size, mtime_ns, side = key
        pixels = self._decode(PictureFile(path, size, mtime_ns), side)
        # It is shared by all who asked: nobody may draw on it.
        pixels.flags.writeable = False
        return pixels

    def _arrived(self, key: Key, pixels: Pixels) -> None:
        self._keep(key, pixels)
        for request in self._waiting(key):
            request.then(pixels)

    def _could_not(self, key: Key, error: Exception) -> None:
        for request in self._waiting(key):
            if request.failed is not None:
                request.failed(error)

    def _waiting(self, key: Key) -> list[_Request]:
        with self._lock:
            requests = self._asked.pop(key, [])
        return [request for request in requests if not request.token.cancelled]

    def _keep(self, key: Key, pixels: Pixels) -> None:
        former = self._kept.pop(key, None)
        self._bytes += pixels.nbytes - (0 if former is None else former.nbytes)
        self._kept[key] = pixels
        while self._bytes > self._limit_bytes:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes


def _key(file: PictureFile, side: int) -> Key:
    return file.path, file.size, file.mtime_ns, side
