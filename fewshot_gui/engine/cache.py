"""The embedding cache: what a backbone made of a picture, on disk, found again by content."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine.cache_index import CacheIndex, ForeignIndexError, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile

DEFAULT_LIMIT = 4 << 30
# Rows kept in memory before they are written: one flush costs some 10 ms on a disk.
ROWS_AT_ONCE = 512
# float32, as the backbone gives them: with half of the bits, opening again could change a prediction.
DTYPE = np.dtype("<f4")
HEADER = 16


class EmbeddingCache:
    """Embeddings by content id and backbone, in one append-only file a backbone and one index.

    Any thread may use it, and several processes may share the folder: who appends holds SQLite's write
    lock, and a row enters the index only once its embedding is flushed. What is damaged, truncated or of
    another program is set aside and built anew; where the folder cannot be used at all the cache is off,
    which is reported once, and nothing else changes.

    Args:
        folder: made if missing.
        report: told path, kind ("cache-off" or "cache-rebuilt") and detail; from any thread.
        limit_bytes: of all files; the embeddings of the backbone unused for longest go first.
    """

    def __init__(
        self, folder: Path, report: Callable[[str, str, str], None], *, limit_bytes: int = DEFAULT_LIMIT
    ) -> None:
        self._folder = folder
        self._report = report
        self._limit_bytes = limit_bytes
        self._lock = threading.RLock()
        self._new_ids: dict[PictureFile, PictureId] = {}
        self._new_rows: dict[str, dict[PictureId, NDArray[np.float32]]] = {}
        self._used: set[str] = set()
        self._index: CacheIndex | None = None
        self._open()

    @property
    def on(self) -> bool:
        """False once the folder has turned out to be unusable."""
        return self._index is not None

    def known_ids(self, files: Sequence[PictureFile]) -> list[PictureId | None]:
        """Return the content id of each file that has not changed since it was read, None for the others."""
        with self._lock:
            stored: list[PictureId | None] = [None] * len(files)
            if self._index is not None:
                try:
                    stored = self._index.known_ids(files)
                except sqlite3.Error as error:
                    self._turn_off(error)
            return [self._new_ids.get(file, known) for file, known in zip(files, stored, strict=True)]

    def remember_id(self, file: PictureFile, picture: PictureId) -> None:
        """Keep which content a file holds, to be written with the next embeddings."""
        with self._lock:
            if self._index is not None:
                self._new_ids[file] = picture

    def find(self, key: str, pictures: Sequence[PictureId]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the positions (h,) of the pictures that are there, ascending, and embeddings (h, D)."""
        with self._lock:
            fresh = self._new_rows.get(key, {})
            rows: dict[PictureId, int] = {}
            matrix: NDArray[np.float32] | None = None
            if self._index is not None:
                try:
                    with self._index.reading():
                        rows = self._index.rows_of(key, pictures)
                        store = self._index.store(key) if rows else None
                    matrix = None if store is None else self._matrix(store)
                    self._used |= {key} if rows else set()
                except sqlite3.Error as error:
                    self._turn_off(error)
        return _gather(pictures, fresh, {} if matrix is None else rows, matrix)

    def add(self, key: str, pictures: Sequence[PictureId], embeddings: NDArray[np.float32]) -> None:
        """Keep the embeddings (b, D) of b pictures; they are written some hundred at a time."""
        with self._lock:
            if self._index is None:
                return
            # A new dictionary: `find` reads the former one without the lock.
            self._new_rows[key] = self._new_rows.get(key, {}) | dict(zip(pictures, embeddings, strict=True))
            due = sum(map(len, self._new_rows.values())) >= ROWS_AT_ONCE
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what is kept in memory."""
        with self._lock:
            if self._index is None or not (self._new_rows or self._new_ids or self._used):
                return
            try:
                with self._index.writing():
                    for key, rows in self._new_rows.items():
                        self._append(self._index, key, rows)
                    self._index.remember_ids(self._new_ids.items())
                    self._index.mark_used(self._used)
                    self._make_room(self._index, set(self._new_rows))
            except (OSError, sqlite3.Error) as error:
                self._turn_off(error)
            self._new_rows, self._new_ids, self._used = {}, {}, set()

    def close(self) -> None:
        """Write what is kept in memory and close the files; the cache is off afterwards."""
        with self._lock:
            self.flush()
            if self._index is not None:
                self._index.close()
                self._index = None

    def _open(self) -> None:
        path = self._folder / "index.sqlite"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._index = CacheIndex(path)
            except sqlite3.OperationalError:
                raise  # read-only, full or locked: the file itself may be sound
            except (sqlite3.DatabaseError, ForeignIndexError) as error:
                self._set_aside(path)
                self._report(str(path), "cache-rebuilt", str(error))
                self._index = CacheIndex(path)
        except (OSError, sqlite3.Error) as error:
            self._turn_off(error)

    def _set_aside(self, path: Path) -> None:
        """Rename the index, as it may be somebody's, and drop the journals that belong to it."""
        path.replace(path.with_suffix(".damaged"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def _turn_off(self, error: Exception) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if damaged:
            # The next start finds none and builds a new one.
            with suppress(OSError):
                self._set_aside(self._folder / "index.sqlite")
        self._report(str(self._folder), "cache-off", str(error))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.f32"

    def _matrix(self, store: Store) -> NDArray[np.float32] | None:
        """Return a memory map (rows, D) of a store's file, or None where it is gone, short or another."""
        if not store.rows:
            return None
        path = self._path(store.key)
        try:
            with path.open("rb") as file:
                if file.read(HEADER) != store.token:
                    return None
            shape = (store.rows, store.dimension)
            return np.memmap(path, DTYPE, "r", HEADER, shape)
        except (OSError, ValueError):
            # ValueError: the file is shorter than the index says.
            return None

    def _append(self, index: CacheIndex, key: str, rows: dict[PictureId, NDArray[np.float32]]) -> None:
        """Append new rows behind the valid ones, flush them, and only then enter them; within `writing`."""
        path = self._path(key)
        store = index.store(key)
        dimension = len(next(iter(rows.values())))
        if store is None or store.dimension != dimension or not self._is_whole(path, store):
            store = Store(key, os.urandom(HEADER), dimension, 0)
            index.drop_store(key)
            # Another process may have the former file mapped: a new file, never the same one cut short.
            path.unlink(missing_ok=True)
            path.write_bytes(store.token)
        present = index.rows_of(key, list(rows))
        new = {picture: row for picture, row in rows.items() if picture not in present}
        if new and path.stat().st_size + len(new) * dimension * DTYPE.itemsize <= self._limit_bytes:
            with path.open("r+b") as file:
                file.seek(HEADER + store.rows * dimension * DTYPE.itemsize)
                file.write(np.stack(list(new.values())).astype(DTYPE).tobytes())
                file.flush()
                os.fsync(file.fileno())
            index.put_rows(key, store.rows, list(new))
            store = replace(store, rows=store.rows + len(new))
        index.put_store(store)

    def _is_whole(self, path: Path, store: Store) -> bool:
        size = HEADER + store.rows * store.dimension * DTYPE.itemsize
        if not path.is_file() or path.stat().st_size < size:
            return False
        with path.open("rb") as file:
            return file.read(HEADER) == store.token

    def _make_room(self, index: CacheIndex, in_use: set[str]) -> None:
        """Drop the stores unused for longest while all files together exceed the limit; within `writing`."""
        sizes = {path.stem: path.stat().st_size for path in self._folder.glob("*.f32")}
        known = index.oldest_first()
        # A file that the index does not know was left by a crash, or by an index that was set aside.
        orphans = [key for key in sizes if key not in known]
        excess = sum(sizes.values()) - self._limit_bytes
        for key in orphans + [key for key in known if key not in in_use]:
            if excess <= 0 and key not in orphans:
                break
            index.drop_store(key)
            # Windows keeps a file that another process has open; the next flush finds it as an orphan.
            with suppress(PermissionError):
                self._path(key).unlink(missing_ok=True)
            excess -= sizes.get(key, 0)


def _gather(
    pictures: Sequence[PictureId],
    fresh: dict[PictureId, NDArray[np.float32]],
    rows: dict[PictureId, int],
    matrix: NDArray[np.float32] | None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return positions (h,) and embeddings (h, D) from memory and from the file; the result is a copy."""
    positions = [at for at, picture in enumerate(pictures) if picture in fresh or picture in rows]
    if not positions:
        return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    if matrix is not None and not fresh:
        # A copy, so that the map is closed again and its pages do not count as this program's memory.
        return np.array(positions), np.array(matrix[[rows[pictures[at]] for at in positions]], np.float32)
    found = [
        fresh[picture] if picture in fresh else np.asarray(matrix[rows[picture]])  # type: ignore[index]
        for picture in (pictures[at] for at in positions)
    ]
    return np.array(positions), np.stack(found).astype(np.float32, copy=False)
