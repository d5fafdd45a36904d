"""Errors and problems in words that a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.session_error import SessionError, SessionProblem

if TYPE_CHECKING:
    from fewshot_gui.engine.problems import Problem

translate = QCoreApplication.translate


def session_words(error: SessionError) -> str:
    """Return what is wrong with a session file, and what to do."""
    words = {
        SessionProblem.MISSING: translate("ErrorWords", "The session file is not there. Has it been moved or its disk unplugged?"),
        SessionProblem.GONE: translate("ErrorWords", "The session file was deleted or replaced while it was open. Save a copy (File menu): it will have everything."),
        SessionProblem.MISSING_FOLDER: translate("ErrorWords", "The folder of the session does not exist. Choose another place."),
        SessionProblem.IS_A_FOLDER: translate("ErrorWords", "This is a folder, not a session file."),
        SessionProblem.NO_PERMISSION: translate("ErrorWords", "You may not read or write this session file. Change its permissions or save a copy elsewhere."),
        SessionProblem.READ_ONLY: translate("ErrorWords", "The session file or its folder is read-only. Copy it to a place where you may write."),
        SessionProblem.DAMAGED: translate("ErrorWords", "The session file is damaged. It has been left as it is."),
        SessionProblem.FOREIGN: translate("ErrorWords", "This file was not made by Few-shot Labeler. It has been left as it is."),
        SessionProblem.NEWER: translate("ErrorWords", "A newer version of Few-shot Labeler made this session. Install that version to open it."),
        SessionProblem.IN_USE: translate("ErrorWords", "The session is open in another window. Close that one first."),
        SessionProblem.EXISTS: translate("ErrorWords", "There is a file of that name already. Choose another name."),
        SessionProblem.DISK_FULL: translate("ErrorWords", "The disk is full. Make room: your changes are kept here and will be written then."),
        SessionProblem.UNWRITABLE: translate("ErrorWords", "The session cannot be written at the moment. Your changes are kept here and will be tried again."),
        SessionProblem.CLOSED: translate("ErrorWords", "The session is closed."),
    }  # fmt: skip
    return words[error.kind]


def problem_words(problem: Problem) -> str:
    """Return why a file was left out, and what to do where something can be done."""
    words = {
        "missing": translate("ErrorWords", "The file is gone."),
        "no-permission": translate("ErrorWords", "You may not read this. Change its permissions, then open the folder again."),
        "empty": translate("ErrorWords", "The file is empty (0 bytes); copy it again from where it came."),
        "truncated": translate("ErrorWords", "The file is cut short; copy it again from where it came."),
        "not-a-picture": translate("ErrorWords", "This is not a picture, whatever its name says."),
        "too-large": translate("ErrorWords", "More than 200 megapixels; save a smaller copy of it."),
        "unsupported": translate("ErrorWords", "A format that this program cannot read; save it as JPEG or PNG."),
        "is-a-folder": translate("ErrorWords", "This is a folder."),
        "out-of-memory": translate("ErrorWords", "Not enough memory for it; close other programs and open the folder again."),
        "category-removed": translate("ErrorWords", "Its category was removed while it was being read."),
        "changed-on-disk": translate("ErrorWords", "The file holds another picture by now than the one that you taught; teach it again."),
        "no-pictures": translate("ErrorWords", "There is no picture in this folder."),
        "cache-rebuilt": translate("ErrorWords", "The cache was damaged and has been begun anew; nothing of yours is lost."),
        "cache-off": translate("ErrorWords", "The cache folder cannot be written, so pictures are computed anew each time."),
    }  # fmt: skip
    known = words.get(problem.kind.replace("_", "-").replace(" ", "-"))
    return known or translate("ErrorWords", "It cannot be read: {0}").format(problem.detail)
