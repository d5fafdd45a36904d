"""Thumbnails of pictures that were slow to read, kept between runs in one SQLite file of the cache folder."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.images.encode import encode_jpeg
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.engine.write_ahead import keep_write_ahead_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile

FILE_NAME: Final = "thumbnails.sqlite"
SLOW_SECONDS: Final = 0.1
"""What takes longer is kept: 12 megapixels take 40 ms from a local disk, and seconds from a slow one."""
LIMIT_BYTES: Final = 512 << 20
"""Some 20,000 thumbnails for tiles of 256 pixels."""
_PRUNE_EVERY: Final = 256
_BUSY_SECONDS: Final = (
    0.5  # another window writes for milliseconds; who waits longer reads the picture itself
)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS thumbnail (number INTEGER PRIMARY KEY, key BLOB UNIQUE, jpeg BLOB)"
)


class ThumbnailStore:
    """Reads thumbnails, from the store where they are there, and keeps those that took long.

    Any thread may ask. It is a convenience: where its file cannot be used, pictures are read as without it.
    A file that was written to since is another key, and the oldest entries go first.

    Args:
        folder: of the cache; made when something is kept first.
        read: returns the thumbnail uint8 (h, w, 3) of a path, no side longer than given; raises ImageProblem.
        limit_bytes: of the file, about.
        clock: seconds.
    """

    def __init__(
        self,
        folder: Path,
        read: Callable[[str, int], NDArray[np.uint8]],
        *,
        limit_bytes: int = LIMIT_BYTES,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._folder, self._read, self._limit_bytes, self._clock = folder, read, limit_bytes, clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._broken = False
        self._written = 0

    def __call__(self, file: PictureFile, side: int) -> NDArray[np.uint8]:
        """Return the thumbnail uint8 (h, w, 3) RGB, longest side <= `side`.

        Raises:
            ImageProblem: the picture cannot be read.
        """
        # A file of which size and time were not asked for could be any version of itself.
        key = _key(file, side) if file.mtime_ns else None
        kept = self._find(key) if key is not None else None
        if kept is not None:
            return kept
        begun = self._clock()
        pixels = self._read(file.path, side)
        if key is not None and self._clock() - begun >= SLOW_SECONDS:
            self._keep(key, encode_jpeg(pixels))
        return pixels

    def close(self) -> None:
        """Close the file; pictures are read without it from now on."""
        with self._lock:
            self._broken = True
            if self._database is not None:
                self._database.close()
                self._database = None

    def _find(self, key: bytes) -> NDArray[np.uint8] | None:
        try:
            with self._lock:
                database = self._opened(make=False)
                row = (
                    database
                    and database.execute("SELECT jpeg FROM thumbnail WHERE key = ?", (key,)).fetchone()
                )
            return decode_image(row[0]) if row else None
        except (sqlite3.Error, OSError, ImageProblem):
            return None

    def _keep(self, key: bytes, jpeg: bytes) -> None:
        try:
            with self._lock:
                database = self._opened(make=True)
                if database is not None:
                    database.execute(
                        "INSERT OR REPLACE INTO thumbnail (key, jpeg) VALUES (?, ?)", (key, jpeg)
                    )
                    self._written += 1
                    if self._written % _PRUNE_EVERY == 1:
                        self._prune(database)
        except (sqlite3.Error, OSError):
            return  # a full disk, or another window that writes: it is read again next time

    def _prune(self, database: sqlite3.Connection) -> None:
        """Let the oldest third go where the file has grown too large; its room is used again."""
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._limit_bytes:
            database.execute(
                "DELETE FROM thumbnail WHERE number < (SELECT number FROM thumbnail ORDER BY number "
                "LIMIT 1 OFFSET (SELECT COUNT(*) / 3 FROM thumbnail))"
            )

    def _opened(self, *, make: bool) -> sqlite3.Connection | None:
        """Return the open file, None where it is not there or cannot be used; under the lock."""
        path = self._folder / FILE_NAME
        if self._database is not None or self._broken or not (make or path.exists()):
            return self._database
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._database = _open(path)
        except sqlite3.OperationalError:
            return None  # busy, or no room: perhaps the next time
        except (sqlite3.Error, OSError):
            self._broken = True
        return self._database


def _open(path: Path) -> sqlite3.Connection:
    """Return the open file; what is no database of ours any more is made anew.

    Raises:
        sqlite3.Error: it cannot be opened.
        OSError: it is damaged and cannot be removed.
    """
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.unlink()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        keep_write_ahead_log(database, _BUSY_SECONDS)
        database.execute("PRAGMA synchronous = OFF")  # what a power cut takes is read again
        database.execute(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _key(file: PictureFile, side: int) -> bytes:
    """Return 16 bytes that stand for this version of the file at this size; no path is kept."""
    words = f"\0{file.size}\0{file.mtime_ns}\0{side}".encode()
    return hashlib.blake2b(os.fsencode(file.path) + words, digest_size=16).digest()
