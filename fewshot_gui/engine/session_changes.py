"""The changes that a session file takes, each as a value that writes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlite3

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.pictures import StoredPicture


class Change(Protocol):
    """Something that is written within a transaction."""

    def write(self, connection: sqlite3.Connection) -> None:
        """The change is made in the open transaction."""


@dataclass(frozen=True, slots=True)
class PutStep:
    """A command is step `seq` and the last one; what stood there or later is gone."""

    seq: int
    at: str  # UTC, ISO 8601
    kind: str
    payload: str

    def write(self, connection: sqlite3.Connection) -> None:
        """The step is in the history, and the position is behind it."""
        connection.execute("DELETE FROM history WHERE seq >= ?", (self.seq,))
        row = (self.seq, self.at, self.kind, self.payload)
        connection.execute("INSERT INTO history (seq, at, kind, payload) VALUES (?, ?, ?, ?)", row)
        Seek(self.seq).write(connection)


@dataclass(frozen=True, slots=True)
class Seek:
    """Undo or redo: so many steps are done."""

    position: int

    def write(self, connection: sqlite3.Connection) -> None:
        """The position is stored."""
        connection.execute("UPDATE position SET seq = ?", (self.position,))


@dataclass(frozen=True, slots=True)
class PutPictures:
    """Pictures are kept, in place of what was known of them."""

    pictures: tuple[StoredPicture, ...]

    def write(self, connection: sqlite3.Connection) -> None:
        """The pictures are stored; an original that is already there is not lost."""
        connection.executemany(
            "INSERT INTO pictures (id, path, size, mtime_ns, thumbnail, original) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET path = excluded.path, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, thumbnail = excluded.thumbnail,"
            " original = coalesce(excluded.original, original)",
            (
                (each.id, path_to_bytes(each.path), each.size, each.mtime_ns, each.thumbnail, each.original)
                for each in self.pictures
            ),
        )


@dataclass(frozen=True, slots=True)
class Relocate:
    """A picture's file is somewhere else."""

    picture: PictureId
    path: str

    def write(self, connection: sqlite3.Connection) -> None:
        """The new path is stored."""
        row = (path_to_bytes(self.path), self.picture)
        connection.execute("UPDATE pictures SET path = ? WHERE id = ?", row)


@dataclass(frozen=True, slots=True)
class PutSetting:
    """Something to remember beside the document, as JSON."""

    key: str
    value: str

    def write(self, connection: sqlite3.Connection) -> None:
        """The value is stored in place of the former one."""
        connection.execute(
            "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (self.key, self.value)
        )


def path_to_bytes(path: str) -> bytes:
    """A path as the file keeps it: UTF-8 in which even stray surrogates survive."""
    return path.encode("utf-8", "surrogatepass")


def path_from_bytes(stored: bytes) -> str:
    """The path that `path_to_bytes` was given.

    Raises:
        UnicodeDecodeError: The bytes come from elsewhere.
    """
    return stored.decode("utf-8", "surrogatepass")
