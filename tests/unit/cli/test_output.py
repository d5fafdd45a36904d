"""What a command prints: JSON that every reader takes, whatever the numbers are."""

from __future__ import annotations

import errno
import io
import json
import math
from argparse import Namespace
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.cli import evaluate
from fewshot_gui.cli.output import UsageError, _valid, bar, counted, file_words, say, say_json, warn
from fewshot_gui.core.evaluation.episodic import Report

REPORT: dict[str, Any] = {
    "learner": "prototypical", "backbone": "photo", "ways": 5, "shots": 1, "episodes": 600, "accuracy": 0.5,
    "ci95": 0.0123, "ece": 0.02, "ms_per_task": 1.5, "classes": 20,
}  # fmt: skip


def test_numbers_agree_with_their_nouns() -> None:
    said = [counted(number, noun) for noun in ("picture", "class", "category") for number in (0, 1, 2)]
    assert said == [
        "0 pictures",
        "1 picture",
        "2 pictures",
        "0 classes",
        "1 class",
        "2 classes",
        "0 categories",
        "1 category",
        "2 categories",
    ]


def test_an_error_of_the_system_is_a_file_and_what_it_is() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "a.csv")
    assert file_words(full) == "a.csv: No space left on device"
    assert file_words(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"
    assert file_words(OSError("told in words")) == "told in words"
    assert file_words(ValueError("any other")) == "any other"


def test_where_both_outputs_are_closed_nothing_is_said_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    say("a result")
    warn("a problem")
    with bar("Reading", Namespace(json=False)) as progress:
        progress(1, 2)


def test_a_problem_never_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", None)
    warn("a problem")
    assert capsys.readouterr().out == ""


class Failing(io.StringIO):
    """An output that leads to a full disk, or that nobody reads."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def flush(self) -> None:
        raise self._error


def test_an_output_on_a_full_disk_is_one_line_and_one_that_nobody_reads_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", Failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(UsageError, match="the output cannot be written: No space left"):
        say("a result")
    monkeypatch.setattr("sys.stdout", Failing(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        say("a result")


def refuse(constant: str) -> None:
    pytest.fail(f"{constant} is no JSON")


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_null(number: float, capsys: pytest.CaptureFixture[str]) -> None:
    say_json({**REPORT, "ci95": number, "deep": [{"inner": (1, number)}]})
    printed = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert printed["ci95"] is None
    assert printed["deep"] == [{"inner": [1, None]}]
    assert printed["accuracy"] == 0.5


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_any_value_can_be_printed_and_only_the_impossible_is_lost(value: Any) -> None:
    read = json.loads(json.dumps(_valid(value), allow_nan=False))
    assert repr(read) == repr(_valid(value))


def test_a_report_of_one_episode_claims_no_interval() -> None:
    values = {key: value for key, value in REPORT.items() if key != "classes"}
    many = Report(**values, queries=15, seed=0)
    assert "50.00% ± 1.23% (5-way 1-shot" in evaluate._in_words(many, 20)
    assert "50.00% (5-way 1-shot" in evaluate._in_words(replace(many, ci95=math.inf), 20)
