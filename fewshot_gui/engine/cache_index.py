"""The index of the embedding cache, in SQLite: which picture a file holds, and which row its embedding."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.write_ahead import keep_write_ahead_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from fewshot_gui.core.images.scan import PictureFile

T = TypeVar("T")
APPLICATION_ID = 0x46534C43  # "FSLC"
VERSION = 1
# One statement for many keys: 100,000 single look-ups take a second, these a quarter of it.
KEYS_AT_ONCE = 500
BUSY_SECONDS = 10.0
SCHEMA = """
CREATE TABLE memo (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, picture BLOB) WITHOUT ROWID;
CREATE TABLE store (
    key TEXT PRIMARY KEY, token BLOB, dimension INTEGER, rows INTEGER, used_at REAL
) WITHOUT ROWID;
CREATE TABLE place (key TEXT, picture BLOB, row INTEGER, PRIMARY KEY (key, picture)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Store:
    """One file of embeddings as the index knows it.

    Attributes:
        key: of the backbone and its preprocessing.
        token: 16 bytes that the file must begin with, or it is not the file that the index means.
        dimension: D.
        rows: how many are valid; the file may be longer.
    """

    key: str
    token: bytes
    dimension: int
    rows: int


class ForeignIndexError(Exception):
    """The file is a database, but not this program's, or of another version."""


class CacheIndex:
    """The index in an open SQLite file. Its owner sees to it that one thread at a time uses it.

    Raises:
        ForeignIndexError: the file belongs to another program or version.
        sqlite3.Error: it is no database, or cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def reading(self) -> AbstractContextManager[None]:
        """See one state of the index, whatever other processes write meanwhile."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[None]:
        """Hold the one right to write, across processes too; all or nothing is written at the end."""
        return self._transaction("BEGIN IMMEDIATE")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._database.execute(begin)
        try:
            yield
        except BaseException:
            # A full disk has rolled back already.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def known_ids(self, files: Sequence[PictureFile]) -> list[PictureId | None]:
        """Return the content id of each file that is as it was when it was read, None for the others."""
        found: list[PictureId | None] = []
        for some in _portions(files):
            rows = self._database.execute(
                f"SELECT path, size, mtime_ns, picture FROM memo WHERE path IN ({_marks(some)})",  # noqa: S608 - only question marks
                [_stored_path(file.path) for file in some],
            )
            memo = {(path, size, mtime): picture for path, size, mtime, picture in rows}
            pictures = (memo.get((_stored_path(file.path), file.size, file.mtime_ns)) for file in some)
            found.extend(None if picture is None else PictureId(picture.hex()) for picture in pictures)
        return found

    def remember_ids(self, pairs: Iterable[tuple[PictureFile, PictureId]]) -> None:
        """Store which content the files hold; within `writing`."""
        self._database.executemany(
            "INSERT OR REPLACE INTO memo VALUES (?, ?, ?, ?)",
            [
                (_stored_path(file.path), file.size, file.mtime_ns, bytes.fromhex(picture))
                for file, picture in pairs
            ],
        )

    def store(self, key: str) -> Store | None:
        """Return the store of a key, None where there is none yet."""
        row = self._database.execute(
            "SELECT key, token, dimension, rows FROM store WHERE key = ?", [key]
        ).fetchone()
        return None if row is None else Store(*row)

    def oldest_first(self) -> list[str]:
        """Return the keys of all stores, the longest unused first."""
        return [key for (key,) in self._database.execute("SELECT key FROM store ORDER BY used_at")]

    def put_store(self, store: Store) -> None:
        """Add a store, or set how many rows it has; within `writing`."""
        self._database.execute(
            "INSERT OR REPLACE INTO store VALUES (?, ?, ?, ?, ?)",
            [store.key, store.token, store.dimension, store.rows, time.time()],
        )

    def mark_used(self, keys: Iterable[str]) -> None:
        """Make the stores of these keys the most recently used; within `writing`."""
        self._database.executemany(
            "UPDATE store SET used_at = ? WHERE key = ?", [(time.time(), key) for key in keys]
        )

    def drop_store(self, key: str) -> None:
        """Forget a store and its rows; within `writing`."""
        self._database.execute("DELETE FROM place WHERE key = ?", [key])
        self._database.execute("DELETE FROM store WHERE key = ?", [key])

    def rows_of(self, key: str, pictures: Sequence[PictureId]) -> dict[PictureId, int]:
        """Return the rows of those pictures that have one."""
        found: dict[PictureId, int] = {}
        for some in _portions(pictures):
            rows = self._database.execute(
                f"SELECT picture, row FROM place WHERE key = ? AND picture IN ({_marks(some)})",  # noqa: S608 - only question marks
                [key, *(bytes.fromhex(picture) for picture in some)],
            )
            found.update((PictureId(picture.hex()), row) for picture, row in rows)
        return found

    def put_rows(self, key: str, first: int, pictures: Sequence[PictureId]) -> None:
        """Store that the pictures lie in consecutive rows from `first` on; within `writing`."""
        self._database.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?)",
            [(key, bytes.fromhex(picture), row) for row, picture in enumerate(pictures, first)],
        )

    def _prepare(self) -> None:
        keep_write_ahead_log(self._database, BUSY_SECONDS)
        # A cache may lose its last second in a power cut; the embeddings themselves are flushed before.
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self.writing():
            if self._number("application_id") == APPLICATION_ID and self._number("user_version") == VERSION:
                return
            if self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise ForeignIndexError
            for statement in filter(str.strip, SCHEMA.split(";")):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    def _number(self, pragma: str) -> int:
        return int(self._database.execute(f"PRAGMA {pragma}").fetchone()[0])


def _portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), KEYS_AT_ONCE):
        yield items[start : start + KEYS_AT_ONCE]


def _marks(items: Sequence[object]) -> str:
    return ",".join("?" * len(items))


def _stored_path(path: str) -> str:
    """Return a path that SQLite can store: a name that is no valid Unicode keeps its bytes, escaped."""
    return path.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")
