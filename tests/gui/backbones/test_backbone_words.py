"""Backbones in words: sizes, costs, and a sentence for every way to fail."""

from __future__ import annotations

import pytest

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.fetching import Fetching, Phase
from fewshot_gui.gui.backbones.entries import Entry, Section
from fewshot_gui.gui.backbones.error_words import error_words
from fewshot_gui.gui.backbones.words import cost_words, fact_words, state_words


def test_costs_are_told_beside_a_network_that_people_know() -> None:
    assert cost_words(1.0) == "as fast as MobileNetV2"
    assert cost_words(11.6) == "12 × the time of MobileNetV2"


def test_facts_are_one_line() -> None:
    entry = Entry(
        "x", "X", Section.LADDER, 22_000_000, 224, "BSD", {"ImageNet top-1": 0.753}, 6.0, installed=False
    )
    assert fact_words(entry).split("  ·  ") == [
        "22.0 MB", "sees 224 × 224 px", "75.3 % ImageNet top-1", "6 × the time of MobileNetV2", "BSD",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in DownloadProblem if kind != DownloadProblem.CANCELLED])
def test_each_failed_download_has_a_sentence_that_is_no_code(kind: DownloadProblem) -> None:
    words = error_words(DownloadError(kind, "https://example.org/x"))
    assert words.endswith(".")
    assert "example.org" not in words


@pytest.mark.parametrize("kind", list(ForeignProblem))
def test_each_unusable_file_has_a_sentence(kind: ForeignProblem) -> None:
    words = error_words(ForeignWeightsError(kind, "/x", "the facts"))
    assert len(words) > 20
    assert words[0].isupper()


def test_other_errors_say_what_is_known() -> None:
    assert "pip install" in error_words(NetworkError("it needs timm", "timm"))
    assert "--upgrade timm" in error_words(DownloadError(DownloadProblem.NEEDS_TIMM, "https://example.org/x"))
    assert "read-only" in error_words(OSError(30, "read-only"))
    assert error_words(RuntimeError("odd")).endswith(": odd")


def test_states_say_how_far_it_is() -> None:
    assert state_words(Fetching(Phase.DOWNLOADING, 5_000_000)) == "5.0 MB"
    assert state_words(Fetching(Phase.WAITING)) == "Waits for the one before it"
    assert state_words(Fetching(Phase.PAUSED)) == ""
    assert state_words(Fetching(Phase.DONE)) == ""
