"""Problems are values with a kind, a path and a reason."""

from __future__ import annotations

import copy
import pickle

import pytest

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind, problem_from_os_error


def test_a_problem_says_what_is_wrong_with_which_file() -> None:
    assert (
        str(ImageProblem(ProblemKind.EMPTY, "a/b.jpg", "the file is empty")) == "a/b.jpg: the file is empty"
    )
    assert str(ImageProblem(ProblemKind.EMPTY, "", "the file is empty")) == "the file is empty"


@pytest.mark.parametrize("clone", [copy.copy, lambda problem: pickle.loads(pickle.dumps(problem))])
def test_a_problem_travels_whole(clone: object) -> None:
    assert callable(clone)
    problem = clone(ImageProblem(ProblemKind.TRUNCATED, "a.jpg", "it ends early"))
    assert (problem.kind, problem.path, problem.detail) == (ProblemKind.TRUNCATED, "a.jpg", "it ends early")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(2, "No such file"), ProblemKind.MISSING),
        (NotADirectoryError(20, "Not a directory"), ProblemKind.MISSING),
        (PermissionError(1, "Operation not permitted"), ProblemKind.NO_PERMISSION),
        (IsADirectoryError(21, "Is a directory"), ProblemKind.IS_A_FOLDER),
        (OSError(40, "Too many levels of symbolic links"), ProblemKind.UNREADABLE),
        (TimeoutError("the network drive sleeps"), ProblemKind.UNREADABLE),
    ],
)
def test_errors_of_the_system_have_kinds(error: OSError, kind: ProblemKind) -> None:
    problem = problem_from_os_error(error, "x.jpg")
    assert (problem.kind, problem.path) == (kind, "x.jpg")
    assert problem.detail in str(error)
