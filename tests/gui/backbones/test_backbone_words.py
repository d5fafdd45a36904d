"""Backbones in words: sizes, costs, and a sentence for every way to fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.fetching import Fetching, Phase
from fewshot_gui.gui.backbones.entries import PHOTO_COST, Entry, Section
from fewshot_gui.gui.backbones.error_words import error_words
from fewshot_gui.gui.backbones.words import fact_words, slow_words, state_words, time_words, wrapping

LARGE = Entry(
    "x", "X", Section.LADDER, 22_000_000, 224, "BSD-3", {"ImageNet top-1": 0.753}, 6.0, installed=False
)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (PHOTO_COST, "as fast as Photos"),
        (3 * PHOTO_COST, "about 3 times slower than Photos"),
        (36.0, "about 100 times slower than Photos"),
        (None, ""),
    ],
)
def test_where_nobody_has_measured_the_time_is_told_beside_the_usual_backbone(
    cost: float | None, words: str
) -> None:
    assert time_words(replace(LARGE, cost=cost)) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0.4, "about 1 ms for a picture here"),
        (87.3, "about 87 ms for a picture here"),
        (1234.0, "about 1.2 s for a picture here"),
    ],
)
def test_what_was_measured_here_is_told_in_its_place(milliseconds: float, words: str) -> None:
    assert time_words(replace(LARGE, milliseconds=milliseconds)) == words
    assert words in slow_words(replace(LARGE, milliseconds=milliseconds))


def test_facts_wrap_only_between_two_of_them() -> None:
    lines = wrapping(fact_words(LARGE)).split(" ")
    assert [line.strip().rstrip("·").strip() for line in lines if line.strip()] == [
        "22.0\u00a0MB", "sees\u00a0224\u00a0×\u00a0224\u00a0px", "75.3\u00a0%\u00a0ImageNet\u00a0top\u20111",
        "about\u00a017\u00a0times\u00a0slower\u00a0than\u00a0Photos", "BSD\u20113",
    ]  # fmt: skip


def test_facts_are_one_line() -> None:
    assert fact_words(LARGE).split("  ·  ") == [
        "22.0 MB", "sees 224 × 224 px", "75.3 % ImageNet top-1", "about 17 times slower than Photos", "BSD-3",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in DownloadProblem if kind != DownloadProblem.CANCELLED])
def test_each_failed_download_has_a_sentence_that_is_no_code(kind: DownloadProblem) -> None:
    words = error_words(DownloadError(kind, "https://example.org/x"))
    assert words.endswith(".")
    assert ("example.org" in words) == (kind == DownloadProblem.REFUSED)


def test_a_refusal_says_who_refused_and_how() -> None:
    """Only then can somebody tell a proxy that wants a password from a server that rests."""
    error = DownloadError(
        DownloadProblem.REFUSED, "https://example.org/x", "Proxy wants a password", status=407
    )
    assert "example.org 407 Proxy wants a password" in error_words(error)


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
