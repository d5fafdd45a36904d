"""The receipt of a run: of each file where it is now, or why it did not go; as a value, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting.plan import Way
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.spreadsheet import MARK, harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.engine.sorting.journal import Journal
    from fewshot_gui.engine.sorting.records import FileRecord

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What became of one file.

    Attributes:
        id: in the journal, for taking back this file alone.
        source: path where it was.
        target: path where it is, or was to be.
        state: what became of it.
        reason: why it did not go or come back, or None.
        detail: what the reason is about.
        size: in bytes.
        hash: SHA-256 of its content as hex, or "" where it never was read.
        category: name as the person wrote it.
        by: who decided.
        probability: of the category, or None.
        at: when it was decided, ISO 8601 with the zone, or "".
        learner: of the machine that gave the probability, or "".
        backbone: name of its bundle, or "".
        weights: hash of that bundle, or "".
        way: how it went, or "" in a receipt of before.
    """

    id: int
    source: str
    target: str
    state: FileState
    reason: Reason | None
    detail: str
    size: int
    hash: str
    category: str
    by: str
    probability: float | None
    at: str = ""
    learner: str = ""
    backbone: str = ""
    weights: str = ""
    way: str = ""

    @property
    def is_trashed(self) -> bool:
        """Whether it lies in the trash now."""
        return self.way == Way.TRASH and self.state is FileState.DONE


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a run.

    Attributes:
        run: its id.
        root: the folder of the category folders.
        way: how the files went.
        state: where the run stands.
        began_at: ISO 8601 with the zone.
        stopped_by: why it paused, or None.
        lines: one for each file, in the order of the plan.
    """

    run: str
    root: str
    way: str
    state: RunState
    began_at: str
    stopped_by: Reason | None
    lines: tuple[ReceiptLine, ...]

    @property
    def counts(self) -> Mapping[FileState, int]:
        """How many files stand in which state."""
        return Counter(line.state for line in self.lines)

    @property
    def reasons(self) -> Mapping[Reason, int]:
        """How many files did not go, or did not come back, for which reason."""
        return Counter(line.reason for line in self.lines if line.reason is not None)

    @property
    def trashed(self) -> int:
        """How many files lie in the trash now."""
        return sum(line.is_trashed for line in self.lines)

    def to_json(self) -> str:
        """Return the receipt as one JSON object; each file is a row under the names in "columns"."""
        return json.dumps(
            {
                "format": "fewshot-gui receipt",
                "version": VERSION,
                "run": self.run,
                "root": self.root,
                "way": self.way,
                "state": self.state,
                "began_at": self.began_at,
                "stopped_by": self.stopped_by,
                "counts": self.counts,
                "columns": [field.name for field in fields(ReceiptLine)],
                "files": [astuple(line) for line in self.lines],
            }
        )

    def to_csv(self) -> str:
        """Return the receipt as CSV for a spreadsheet: nothing in it is taken for a formula."""
        out = io.StringIO(newline="")
        out.write(MARK)
        writer = csv.writer(out)
        writer.writerow(field.name for field in fields(ReceiptLine))
        for line in self.lines:
            writer.writerow(_cell(value) for value in astuple(line))
        return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return harmless(text)
    return "" if value is None else value


def receipt_of(run: str, journal: Journal) -> Receipt:
    """The receipt of a run, as the journal has it now.

    Raises:
        JournalError: The journal knows no such run.
    """
    record = journal.run(run)
    lines = tuple(_line_of(file) for file in journal.files(run))
    return Receipt(
        run, record.root, record.way.value, record.state, record.began_at, record.stopped_by, lines
    )


def _line_of(file: FileRecord) -> ReceiptLine:
    return ReceiptLine(
        file.id,
        file.source,
        file.target,
        file.state,
        file.reason,
        file.detail,
        file.size,
        file.hash,
        file.category,
        file.by,
        file.probability,
        file.at,
        file.machine.learner,
        file.machine.backbone,
        file.machine.weights,
        file.way.value,
    )
