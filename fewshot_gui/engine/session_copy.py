"""Copies of a session file: on request, and dated generations beside it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.publish import publish
from fewshot_gui.engine.session_content import read_content
from fewshot_gui.engine.session_error import SessionError, SessionProblem, from_sqlite, from_system
from fewshot_gui.engine.session_places import is_taken
from fewshot_gui.engine.session_schema import SUFFIX, connect, make_empty, temporary_beside

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from fewshot_gui.engine.session_changes import Change
    from fewshot_gui.engine.worker import Steps

GENERATIONS: Final = 5
_ROWS_A_STEP: Final = 64
_COLUMNS: Final = {
    "history": "seq, at, kind, payload",
    "pictures": "id, path, size, mtime_ns, thumbnail, original",
    "settings": "key, value",
}


def copy_session(source: Path, target: Path, unsaved: Iterable[Change] = ()) -> Steps[None]:
    """A copy of the session as it is now bears the name `target`; yields often, so that commits go first.

    Args:
        source: The session file.
        target: The copy.
        unsaved: What the source does not have yet, in order.

    Raises:
        SessionError: There is something of that name, or it cannot be written.
    """
    with _new_session(target) as writer, closing(connect(source, "mode=ro")) as reader:
        yield from _copy_rows(reader, writer, unsaved)


def copy_open_session(source: sqlite3.Connection, target: Path, unsaved: Iterable[Change]) -> None:
    """A copy of a session whose file is gone, but still open, bears the name `target`.

    Raises:
        SessionError: There is something of that name, or it cannot be written.
    """
    with _new_session(target) as writer:
        try:
            for _ in _copy_rows(source, writer, unsaved):
                pass  # nobody may commit meanwhile: the transaction is that of the session's own connection
        finally:
            source.execute("ROLLBACK")


@contextmanager
def _new_session(target: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty session to write, which appears at `target` whole or not at all."""
    if is_taken(target):
        raise SessionError(SessionProblem.EXISTS, str(target))
    temporary = temporary_beside(target)
    try:
        make_empty(temporary)
        with closing(connect(temporary, "mode=rw")) as writer:
            yield writer
        publish(temporary, target)
    except sqlite3.Error as error:
        raise from_sqlite(error, str(target), SessionProblem.UNWRITABLE) from error
    except OSError as error:
        raise from_system(error, str(target)) from error
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}-journal").unlink(missing_ok=True)


def _copy_rows(
    reader: sqlite3.Connection, writer: sqlite3.Connection, unsaved: Iterable[Change]
) -> Generator[None, None, None]:
    reader.execute("BEGIN")  # one view of the file, whatever is written to it meanwhile
    writer.execute("BEGIN")
    writer.execute("UPDATE position SET seq = ?", reader.execute("SELECT seq FROM position").fetchone())
    for table, columns in _COLUMNS.items():
        marks = ", ".join("?" * len(columns.split(", ")))
        rows = reader.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own names
        while some := rows.fetchmany(_ROWS_A_STEP):
            writer.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", some)  # noqa: S608
            yield
    for change in unsaved:
        change.write(writer)
    writer.execute("COMMIT")


def backup_folder(path: Path) -> Path:
    """Where the generations of a session lie."""
    return path.with_name(f"{path.stem}.backups")


def generations(path: Path) -> list[Path]:
    """The copies that `back_up` made of a session, the newest first."""
    ours = re.compile(re.escape(path.stem) + r" \d{4}-\d\d-\d\d" + re.escape(SUFFIX))
    folder = backup_folder(path)
    found = [file for file in folder.glob("*") if ours.fullmatch(file.name)] if folder.is_dir() else []
    return sorted(found, key=lambda file: file.name, reverse=True)


def back_up(path: Path, today: date) -> Steps[None]:
    """The session has a copy of that day unless it is empty, and at most five copies in all.

    Raises:
        SessionError: The copy cannot be written.
    """
    target = backup_folder(path) / f"{path.stem} {today.isoformat()}{SUFFIX}"
    if target.exists() or _is_empty(path):
        return
    try:
        target.parent.mkdir(exist_ok=True)
        yield from copy_session(path, target)
        for old in generations(path)[GENERATIONS:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise from_system(error, str(target)) from error


def recover(path: Path, backup: Path) -> Path:
    """Return where a copy of `backup` lies now, beside the damaged session `path`: the backup stays as it is.

    Raises:
        OSError: It cannot be written.
    """
    number = 1
    while is_taken(free := path.with_stem(f"{path.stem} (recovered{f' {number}' if number > 1 else ''})")):
        number += 1
    temporary = temporary_beside(free)
    try:
        shutil.copyfile(backup, temporary)
        publish(temporary, free)
    finally:
        temporary.unlink(missing_ok=True)
    return free


def _is_empty(path: Path) -> bool:
    with closing(connect(path, "mode=ro")) as connection:
        return connection.execute("SELECT 1 FROM history LIMIT 1").fetchone() is None


def newest_sound_copy(path: Path) -> str | None:
    """The path of the newest generation that opens, or None."""
    for copy in generations(path):
        try:
            read_content(copy)
        except (SessionError, OSError):
            continue
        return str(copy)
    return None
