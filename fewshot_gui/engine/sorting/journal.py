"""The journal of all sorting runs: an SQLite file that knows of every file what has been done to it."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from fewshot_gui.engine.folders import data_folder
from fewshot_gui.engine.lease import Lease, LeaseTakenError
from fewshot_gui.engine.sorting.journal_schema import (
    APPLICATION_ID,
    FILE_COLUMNS,
    INSERT_FILE,
    MIGRATIONS,
    SCHEMA,
    UPDATE_FILE,
    VERSION,
    file_of,
    rows_of,
    run_of,
    update_of,
)
from fewshot_gui.engine.sorting.plan import SameName
from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState, Reason, RunState
from fewshot_gui.engine.write_ahead import keep_write_ahead_log

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from fewshot_gui.engine.sorting.plan import Plan
    from fewshot_gui.engine.sorting.records import FileRecord, RunRecord

NAME: Final = "sorting.sqlite"
_CACHE_KIB: Final = 8192
_BUSY_SECONDS: Final = 5.0


class JournalError(Exception):
    """The journal cannot be used; what has been done to files stays as it is, and can be recovered."""


class JournalInUseError(JournalError):
    """Another program sorts, or takes back, at this moment."""


def journal_path() -> Path:
    """Where the journal lies, unless somebody says otherwise."""
    return data_folder() / NAME


class Journal:
    """The journal, ours alone until it is closed; for one thread at a time.

    Each change is on the disk (WAL, synchronous=FULL) when its method returns.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the journal, or make an empty one.

        Raises:
            JournalInUseError: Another program has it.
            JournalError: It cannot be read or written, or is none of this version.
        """
        self.path = path if path is not None else journal_path()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lease = Lease(self.path)
        except LeaseTakenError as error:
            raise JournalInUseError(f"{self.path} is in use by another program") from error
        except OSError as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from error
        try:
            self._database = self._connect()
        except BaseException:
            self._lease.release()
            raise

    def _connect(self) -> sqlite3.Connection:
        with _in_words(self.path):
            database = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(database)
            except BaseException:
                database.close()
                raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (application,) = database.execute("PRAGMA application_id").fetchone()
        empty = not database.execute("SELECT 1 FROM sqlite_master").fetchone()
        readable = application == APPLICATION_ID and version in {*MIGRATIONS, VERSION}
        if not empty and not readable:
            raise JournalError(f"{self.path} is no journal that this version of the program can read")
        keep_write_ahead_log(database, _BUSY_SECONDS)
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if empty:
            marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
            database.executescript(f"BEGIN; {SCHEMA} {marks} COMMIT;")
        elif version != VERSION:
            steps = "".join(MIGRATIONS[former] for former in range(version, VERSION))
            database.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")

    def close(self) -> None:
        """The journal is closed, and others may have it."""
        self._database.close()
        self._lease.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # What it knows --------------------------------------------------------------------------------------

    def runs(self) -> list[RunRecord]:
        """All runs, the newest first."""
        with _in_words(self.path):
            rows = self._database.execute("SELECT * FROM runs ORDER BY rowid DESC").fetchall()
        return [run_of(row) for row in rows]

    def run(self, run: str) -> RunRecord:
        """The run of that id.

        Raises:
            JournalError: There is none.
        """
        with _in_words(self.path):
            row = self._database.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise JournalError(f"the journal knows no run {run}")
        return run_of(row)

    def files(self, run: str, states: Collection[FileState] = ()) -> list[FileRecord]:
        """The files of a run, in the order of the plan; only those in `states` where any is given."""
        wanted = [state.value for state in states]
        among = f" AND state IN ({', '.join('?' * len(wanted))})" if wanted else ""
        query = f"SELECT {FILE_COLUMNS} FROM files WHERE run = ?{among} ORDER BY id"  # noqa: S608 - marks alone
        with _in_words(self.path):
            return [file_of(row) for row in self._database.execute(query, (run, *wanted))]

    def in_doubt(self, run: str) -> list[FileRecord]:
        """The files that were on their way when the program ended."""
        return self.files(run, IN_DOUBT)

    def split_groups(self, run: str) -> list[FileRecord]:
        """The files that went although another one of their group did not."""
        query = (
            f"SELECT {FILE_COLUMNS} FROM files WHERE run = :run AND state = 'done' AND grp IN"  # noqa: S608
            " (SELECT grp FROM files WHERE run = :run GROUP BY grp"
            " HAVING sum(state = 'done') > 0 AND sum(state IN ('failed', 'planned')) > 0) ORDER BY id"
        )
        with _in_words(self.path):
            return [file_of(row) for row in self._database.execute(query, {"run": run})]

    def counts(self, run: str) -> Mapping[FileState, int]:
        """How many files of a run stand in which state."""
        query = "SELECT state, count(*) FROM files WHERE run = ? GROUP BY state"
        with _in_words(self.path):
            return Counter({FileState(state): n for state, n in self._database.execute(query, (run,))})

    def folders(self, run: str) -> list[str]:
        """The folders that a run made, the innermost first."""
        query = "SELECT path FROM folders WHERE run = ? ORDER BY length(path) DESC"
        with _in_words(self.path):
            return [os.fsdecode(path) for (path,) in self._database.execute(query, (run,))]

    # What is written down -------------------------------------------------------------------------------

    def begin(self, plan: Plan, same_name: SameName | None = None) -> RunRecord:
        """The run of a plan, all its files in it; one that is there already is opened again.

        What is said of names that are taken holds from now on; if nothing is said, as it was begun.

        Raises:
            JournalError: It cannot be written.
        """
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        with self._transaction() as database:
            opened = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL, ?) ON CONFLICT (id) DO NOTHING"
            state, name = RunState.OPEN.value, (same_name or SameName.RENAME).value
            values = (plan.id, os.fsencode(plan.root), plan.way.value, state, at, name)
            if database.execute(opened, values).rowcount:
                (last,) = database.execute("SELECT coalesce(max(id), 0) FROM files").fetchone()
                database.executemany(INSERT_FILE, rows_of(plan, last + 1))
            elif same_name is not None:
                database.execute("UPDATE runs SET same_name = ? WHERE id = ?", (name, plan.id))
        return self.run(plan.id)

    def write(self, records: Iterable[FileRecord], folders: Iterable[str] = (), run: str = "") -> None:
        """The files stand as these records say, and the run is about to make these folders: all or nothing.

        Raises:
            JournalError: It cannot be written; the journal is as it was.
        """
        changed, made = [update_of(each) for each in records], [(run, os.fsencode(each)) for each in folders]
        if not changed and not made:
            return
        with self._transaction() as database:
            database.executemany("INSERT OR IGNORE INTO folders VALUES (?, ?)", made)
            database.executemany(UPDATE_FILE, changed)

    def forget_folders(self, run: str, folders: Iterable[str]) -> None:
        """These folders are gone, or were not made by the run."""
        gone = [(run, os.fsencode(each)) for each in folders]
        if gone:
            with self._transaction() as database:
                database.executemany("DELETE FROM folders WHERE run = ? AND path = ?", gone)

    def set_state(self, run: RunRecord, state: RunState, stopped_by: Reason | None = None) -> RunRecord:
        """The run, in its new state."""
        with self._transaction() as database:
            values = (state.value, stopped_by.value if stopped_by else None, run.id)
            database.execute("UPDATE runs SET state = ?, stopped_by = ? WHERE id = ?", values)
        return replace(run, state=state, stopped_by=stopped_by)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _in_words(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}") from error
