"""Every error that the engine can raise has words, and every problem that it can list."""

from __future__ import annotations

import pytest

from fewshot_gui.core.images.problems import ProblemKind
from fewshot_gui.engine.drop import NO_PICTURES
from fewshot_gui.engine.intake import CATEGORY_REMOVED, CHANGED_ON_DISK
from fewshot_gui.engine.problems import Problem
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.gui.error_words import problem_words, session_words

LISTED = [
    *(kind for kind in ProblemKind if kind is not ProblemKind.UNREADABLE),
    *(NO_PICTURES, CATEGORY_REMOVED, CHANGED_ON_DISK, "cache-off", "cache-rebuilt"),
]


@pytest.mark.parametrize("kind", list(SessionProblem))
def test_what_is_wrong_with_a_session_has_words(kind: SessionProblem) -> None:
    words = session_words(SessionError(kind, "/a.fewshot", "detail of sqlite"))
    assert words.endswith((".", "?"))
    assert "sqlite" not in words


@pytest.mark.parametrize("kind", LISTED)
def test_what_is_wrong_with_a_file_has_words_of_its_own(kind: str) -> None:
    words = problem_words(Problem("/a.jpg", str(kind), "raw detail"))
    assert "raw detail" not in words
    assert words.endswith(".")


def test_what_nobody_foresaw_is_told_with_its_detail() -> None:
    assert "raw detail" in problem_words(Problem("/a.jpg", "unreadable", "raw detail"))
