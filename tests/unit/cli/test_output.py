"""What a command prints: JSON that every reader takes, whatever the numbers are."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.cli import evaluate
from fewshot_gui.cli.output import _valid, counted, say_json
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
