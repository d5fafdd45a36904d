"""Why weights of another program cannot be used."""

from __future__ import annotations

from enum import StrEnum


class ForeignProblem(StrEnum):
    """What is wrong with a file of foreign weights."""

    MISSING = "missing"
    EMPTY = "empty"
    WEB_PAGE = "web-page"
    """A page was saved in place of the file that it links to."""
    LFS_POINTER = "lfs-pointer"
    """Git LFS has left the address of the file in its place."""
    NOT_WEIGHTS = "not-weights"
    HOLDS_CODE = "holds-code"
    """A pickle that would run code when it is read, or TorchScript."""
    DAMAGED = "damaged"
    NO_TENSORS = "no-tensors"
    UNKNOWN_ARCHITECTURE = "unknown-architecture"
    """No model is known whose weights have these names and shapes."""
    CANNOT_BUILD = "cannot-build"
    """There is no such architecture."""
    NEEDS_PACKAGE = "needs-package"
    """The detail is the package that is to be installed."""
    DOES_NOT_FIT = "does-not-fit"
    INTEGER_WEIGHTS = "integer-weights"
    """Quantised: whole numbers where the network has fractions."""
    NOT_FINITE = "not-finite"
    DOES_NOT_RUN = "does-not-run"
    WRONG_INPUT = "wrong-input"
    """An ONNX model that does not take one float batch of square pictures of the size that is wanted."""
    WRONG_OUTPUT = "wrong-output"
    """It does not give a row of numbers for each picture."""


class ForeignWeightsError(Exception):
    """A file of foreign weights that cannot be used: what is wrong, where, and the facts."""

    def __init__(self, kind: ForeignProblem, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.kind = kind
        self.path = path
        self.detail = detail
