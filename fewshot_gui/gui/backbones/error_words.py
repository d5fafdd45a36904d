"""What kept a backbone from being fetched or loaded, in a calm sentence that says what to do."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem

translate = QCoreApplication.translate


def error_words(error: Exception) -> str:
    """Return what went wrong, and what to do about it."""
    if isinstance(error, DownloadError):
        return _download_words()[error.kind].format(_answer(error))
    if isinstance(error, ForeignWeightsError):
        return _file_words()[error.kind].format(error.detail)
    if isinstance(error, NetworkError) and error.package:
        return _file_words()[ForeignProblem.NEEDS_PACKAGE].format(error.package)
    if isinstance(error, OSError):
        words = translate(
            "BackboneWords", "It could not be written: {0}. Make room or change its permissions."
        )
        return words.format(error.strerror or error)
    return translate("BackboneWords", "Something unexpected kept it from being made ready: {0}").format(error)


def _answer(error: DownloadError) -> str:
    """Return who refused, and in which words."""
    status = "" if error.status is None else str(error.status)
    return " ".join(part for part in (error.host, status, error.detail.rstrip(".")) if part)


def _download_words() -> dict[DownloadProblem, str]:
    """Return the words for a download; {0} is the answer of the server."""
    tr, kind = translate, DownloadProblem
    return {
        kind.OFFLINE: tr(
            "BackboneWords",
            "There is no connection. What is here goes on working; try again when you are online.",
        ),
        kind.REFUSED: tr(
            "BackboneWords",
            "It is not handed out: {0}. Try again later; if it stays so, a proxy or a certificate may stand "
            "in the way.",
        ),
        kind.STALLED: tr(
            "BackboneWords", "The server went silent. What has arrived is kept; go on when you like."
        ),
        kind.TRUNCATED: tr(
            "BackboneWords", "The connection ended too early. What has arrived is kept; go on when you like."
        ),
        kind.WRONG_HASH: tr(
            "BackboneWords",
            "What arrived is not what was published, so it was thrown away. Try again; if it happens twice, "
            "something on the way changes downloads.",
        ),
        kind.DISK_FULL: tr(
            "BackboneWords", "The disk has no room for it, or may not be written. Make room, then try again."
        ),
        kind.BUSY: tr("BackboneWords", "Another window is downloading it already."),
        kind.CANCELLED: "",
        kind.NEEDS_TIMM: tr(
            "BackboneWords",
            "It needs the package timm, or a newer one. Install it with pip install --upgrade timm, then "
            "start the program again.",
        ),
    }


def _file_words() -> dict[ForeignProblem, str]:
    """Return the words for a file; {0} is the detail."""
    return _unreadable_words() | _unusable_words()


def _unreadable_words() -> dict[ForeignProblem, str]:
    tr, kind = translate, ForeignProblem
    return {
        kind.MISSING: tr("BackboneWords", "The file is not there any more."),
        kind.EMPTY: tr("BackboneWords", "The file is empty. Download it again from where it came."),
        kind.WEB_PAGE: tr(
            "BackboneWords",
            "This is a web page that was saved in place of the file. Download the file itself.",
        ),
        kind.LFS_POINTER: tr(
            "BackboneWords", "This is only a pointer of Git LFS. Get the file itself with: git lfs pull"
        ),
        kind.NOT_WEIGHTS: tr("BackboneWords", "This file holds no weights that this program can read."),
        kind.HOLDS_CODE: tr(
            "BackboneWords",
            "This file holds a program besides its weights, and is not opened: it could do anything. Save "
            "the weights alone, best as safetensors.",
        ),
        kind.DAMAGED: tr("BackboneWords", "The file is damaged or cut short. Download it again."),
        kind.NO_TENSORS: tr("BackboneWords", "There are no weights in this file."),
    }


def _unusable_words() -> dict[ForeignProblem, str]:
    tr, kind = translate, ForeignProblem
    return {
        kind.CANNOT_BUILD: tr(
            "BackboneWords", "There is no such network: {0}. Write torchvision:NAME or timm:NAME."
        ),
        kind.NEEDS_PACKAGE: tr(
            "BackboneWords",
            "It needs another package. Install it with pip install 'fewshot-gui[backbones]', then start the "
            "program again.",
        ),
        kind.DOES_NOT_FIT: tr("BackboneWords", "Its weights do not fit: {0}"),
        kind.INTEGER_WEIGHTS: tr(
            "BackboneWords",
            "Its weights are whole numbers, made for small devices. Take the version in floating point.",
        ),
        kind.NOT_FINITE: tr("BackboneWords", "Some of its weights are not numbers; its training has failed."),
        kind.DOES_NOT_RUN: tr("BackboneWords", "It gives no answer to a picture: {0}"),
        kind.WRONG_INPUT: tr(
            "BackboneWords", "It does not take pictures as this program hands them over: {0}"
        ),
        kind.WRONG_OUTPUT: tr("BackboneWords", "It does not give one row of numbers for each picture: {0}"),
    }
