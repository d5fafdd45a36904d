"""The layout of the journal file, and how its rows become records."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from fewshot_gui.engine.sorting.plan import Machine, SameName, Way
from fewshot_gui.engine.sorting.records import FileRecord, RunRecord
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fewshot_gui.engine.sorting.plan import Plan

APPLICATION_ID: Final = 0x4653_4A4E  # "FSJN"
VERSION: Final = 3

# Paths are bytes: names on Linux need not be text.
SCHEMA: Final = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, root BLOB NOT NULL, way TEXT NOT NULL, state TEXT NOT NULL, began_at TEXT NOT NULL,
    stopped_by TEXT, same_name TEXT NOT NULL DEFAULT 'rename'
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), source BLOB NOT NULL,
    target BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode BLOB NOT NULL,
    device BLOB NOT NULL, grp INTEGER NOT NULL, way TEXT NOT NULL, state TEXT NOT NULL,
    back INTEGER NOT NULL, temporary BLOB NOT NULL, hash TEXT NOT NULL, made_inode BLOB NOT NULL,
    made_mtime_ns INTEGER NOT NULL, reason TEXT, detail BLOB NOT NULL, category TEXT NOT NULL,
    decided_by TEXT NOT NULL, probability REAL, alike TEXT NOT NULL, decided_at TEXT NOT NULL DEFAULT '',
    learner TEXT NOT NULL DEFAULT '', backbone TEXT NOT NULL DEFAULT '', weights TEXT NOT NULL DEFAULT ''
);
CREATE INDEX files_of_run ON files (run, grp);
-- Folders that did not exist when their run set out; written down before they are made.
CREATE TABLE folders (run TEXT NOT NULL REFERENCES runs (id), path BLOB NOT NULL, PRIMARY KEY (run, path));
"""
MIGRATIONS: Final = {
    1: "".join(
        f"ALTER TABLE files ADD COLUMN {name} TEXT NOT NULL DEFAULT '';"
        for name in ("decided_at", "learner", "backbone", "weights")
    ),
    2: "ALTER TABLE runs ADD COLUMN same_name TEXT NOT NULL DEFAULT 'rename';",
}
"""From each former version, what makes the next one of it."""
FILE_COLUMNS: Final = (
    "id, run, source, target, size, mtime_ns, inode, device, grp, way, state, back, temporary, hash,"
    " made_inode, made_mtime_ns, reason, detail, category, decided_by, probability, alike,"
    " decided_at, learner, backbone, weights"
)
INSERT_FILE: Final = f"INSERT INTO files ({FILE_COLUMNS}) VALUES ({', '.join('?' * 26)})"  # noqa: S608 - constants
UPDATE_FILE: Final = (
    "UPDATE files SET target = ?, state = ?, back = ?, temporary = ?, hash = ?, made_inode = ?,"
    " made_mtime_ns = ?, reason = ?, detail = ? WHERE id = ?"
)


def file_of(row: Any) -> FileRecord:
    """The record of a row of `FILE_COLUMNS`; words are bytes where they are no Unicode, see `_words`."""
    return FileRecord(
        row[0],
        row[1],
        os.fsdecode(row[2]),
        os.fsdecode(row[3]),
        row[4],
        row[5],
        int(row[6]),
        int(row[7]),
        row[8],
        Way(row[9]),
        FileState(row[10]),
        bool(row[11]),
        os.fsdecode(row[12]),
        row[13],
        int(row[14]),
        row[15],
        Reason(row[16]) if row[16] else None,
        os.fsdecode(row[17]),
        os.fsdecode(row[18]),
        row[19],
        row[20],
        tuple(json.loads(row[21])),
        os.fsdecode(row[22]),
        Machine(*map(os.fsdecode, row[23:26])),
    )


def run_of(row: Any) -> RunRecord:
    """The record of a row of the table of runs."""
    return RunRecord(
        row[0],
        os.fsdecode(row[1]),
        Way(row[2]),
        RunState(row[3]),
        row[4],
        Reason(row[5]) if row[5] else None,
        SameName(row[6]),
    )


def rows_of(plan: Plan, first: int) -> Iterable[tuple[Any, ...]]:
    """The rows of a plan's files, numbered from `first`."""
    for number, file in enumerate(plan.files, first):
        # SQLite's integers end at 2**63: inodes of ReFS and device numbers of Windows go beyond.
        yield (
            number,
            plan.id,
            os.fsencode(file.source),
            os.fsencode(file.target),
            file.size,
            file.mtime_ns,
            str(file.inode),
            str(file.device),
            file.group,
            file.way.value,
            FileState.PLANNED.value,
            0,
            b"",
            "",
            "0",
            0,
            None,
            b"",
            _words(file.category),
            file.by,
            file.probability,
            json.dumps(file.alike),
            *map(_words, (file.at, file.machine.learner, file.machine.backbone, file.machine.weights)),
        )


def _words(text: str) -> str | bytes:
    """A category that is named after a folder need not be Unicode, and SQLite's text must be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def update_of(record: FileRecord) -> tuple[Any, ...]:
    """The values of `UPDATE_FILE`."""
    return (
        os.fsencode(record.target),
        record.state.value,
        int(record.back),
        os.fsencode(record.temporary),
        record.hash,
        str(record.made_inode),
        record.made_mtime_ns,
        record.reason.value if record.reason else None,
        record.detail.encode("utf-8", "surrogateescape"),
        record.id,
    )
