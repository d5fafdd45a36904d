"""Why weights of another program cannot be used."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot_gui.core.backbones.foreign_fit import FitReport


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
    CANNOT_BUILD = "cannot-build"
    """There is no such architecture."""
    NEEDS_PACKAGE = "needs-package"
    """A package is to be installed first; the detail says which."""
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
    """A file of foreign weights that cannot be used: what is wrong, where, and the facts.

    Attributes:
        report: what does not fit, part by part, where that is what is wrong.
    """

    def __init__(self, kind: ForeignProblem, path: str, detail: str, report: FitReport | None = None) -> None:
        super().__init__(f"{path}: {detail}")
        self.kind = kind
        self.path = path
        self.detail = detail
        self.report = report
