"""Why a picture cannot be used, as a value that a list of problems can show."""

from __future__ import annotations

from enum import StrEnum


class ProblemKind(StrEnum):
    """What is wrong with a file or a folder; the views word it for the person."""

    MISSING = "missing"
    NO_PERMISSION = "no-permission"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_A_PICTURE = "not-a-picture"
    TOO_LARGE = "too-large"
    UNSUPPORTED = "unsupported"
    IS_A_FOLDER = "is-a-folder"
    OUT_OF_MEMORY = "out-of-memory"
    UNREADABLE = "unreadable"


class ImageProblem(Exception):  # noqa: N818 - a problem is what the person sees in the list of problems
    """A picture that cannot be read, or a folder that cannot be listed.

    Attributes:
        kind: of the problem.
        path: of the file, or the name given to bytes without a file.
        detail: one clause with the facts, in English, for logs and reports.
    """

    def __init__(self, kind: ProblemKind, path: str, detail: str) -> None:
        super().__init__(kind, path, detail)
        self.kind = kind
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail


def problem_from_os_error(error: OSError, path: str) -> ImageProblem:
    """Return the problem that an error of the operating system means for `path`."""
    kinds: tuple[tuple[type[OSError], ProblemKind], ...] = (
        (FileNotFoundError, ProblemKind.MISSING),
        (NotADirectoryError, ProblemKind.MISSING),
        (PermissionError, ProblemKind.NO_PERMISSION),
        (IsADirectoryError, ProblemKind.IS_A_FOLDER),
    )
    kind = next((kind for type_, kind in kinds if isinstance(error, type_)), ProblemKind.UNREADABLE)
    return ImageProblem(kind, path, error.strerror or str(error))
