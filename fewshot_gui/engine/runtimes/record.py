"""What a comparison of the runtimes found, and the exported model beside it, as files of the cache."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fewshot_gui.engine.runtimes.conditions import Conditions, size_of

if TYPE_CHECKING:
    from pathlib import Path

RUNTIMES = "runtimes"
"""The folder of models and records, in that of the cache."""
WORTH = 0.95
"""ONNX Runtime is taken where it needs at most this share of torch's time: its copy of the weights costs."""


@dataclass(frozen=True, slots=True)
class Case:
    """How fast both runtimes embed so many pictures at once.

    Attributes:
        pictures: at once.
        threads: that each of them may use.
        torch_ms: milliseconds a picture.
        onnx_ms: milliseconds a picture.
    """

    pictures: int
    threads: int
    torch_ms: float
    onnx_ms: float

    @property
    def onnx_is_faster(self) -> bool:
        """True where ONNX Runtime is the one to take."""
        return self.onnx_ms <= WORTH * self.torch_ms


@dataclass(frozen=True, slots=True)
class Record:
    """What a comparison found.

    Attributes:
        conditions: it holds for these alone.
        problem: why ONNX Runtime cannot be used; empty where it can.
        model: the SHA-256 of the exported model; empty where there is none.
        difference: the largest between two embeddings of one picture, in any of their D numbers.
        cases: one for each size; none where there is a problem.
    """

    conditions: Conditions
    problem: str = ""
    model: str = ""
    difference: float = 0.0
    cases: tuple[Case, ...] = ()

    @property
    def onnx_wins(self) -> bool:
        """True where ONNX Runtime is the one to take for at least one size."""
        return any(case.onnx_is_faster for case in self.cases)

    def case(self, pictures: int) -> Case | None:
        """Return what was measured for about so many pictures at once; None where nothing was."""
        return next((case for case in self.cases if case.pictures == size_of(pictures)), None)


def model_path(folder: Path, conditions: Conditions) -> Path:
    """Return where the exported model lies, if it does."""
    return folder / f"{conditions.stem}.onnx"


def read_record(folder: Path, conditions: Conditions) -> Record | None:
    """Return what was found under these conditions; None where nothing was, or the file is damaged."""
    try:
        values = json.loads(_record_path(folder, conditions).read_text(encoding="utf-8"))
        record = _record(values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return record if record.conditions == conditions else None


def write_record(folder: Path, record: Record) -> None:
    """Keep what was found, in place of what was found before.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(asdict(record), indent=1)
    _write(_record_path(folder, record.conditions), text.encode())


def read_model(folder: Path, record: Record) -> bytes | None:
    """Return the exported model that the record is of; None where it is gone or damaged."""
    try:
        data = model_path(folder, record.conditions).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == record.model else None


def write_model(folder: Path, conditions: Conditions, model: bytes) -> str:
    """Keep an exported model, and return its SHA-256.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(model_path(folder, conditions), model)
    return hashlib.sha256(model).hexdigest()


def _record_path(folder: Path, conditions: Conditions) -> Path:
    return folder / f"{conditions.stem}.json"


def _write(path: Path, data: bytes) -> None:
    """Write all of the file or nothing: two windows may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _record(values: dict[str, Any]) -> Record:
    conditions = values.pop("conditions")
    for name in ("versions", "threads"):
        conditions[name] = tuple(conditions[name])
    cases = tuple(Case(**case) for case in values.pop("cases"))
    return Record(Conditions(**conditions), cases=cases, **values)
