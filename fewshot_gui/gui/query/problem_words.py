"""Why a picture cannot be shown, in two or three words that fit on its tile."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate


def problem_words(kind: str) -> str:
    """Return the words for a kind of problem; a kind that is not known here is 'Cannot be read'."""
    words = {
        "missing": translate("ProblemWords", "File is gone"),
        "no-permission": translate("ProblemWords", "No permission"),
        "empty": translate("ProblemWords", "File is empty"),
        "truncated": translate("ProblemWords", "File is cut short"),
        "not-a-picture": translate("ProblemWords", "Not a picture"),
        "too-large": translate("ProblemWords", "Too large"),
        "unsupported": translate("ProblemWords", "Unknown format"),
        "is-a-folder": translate("ProblemWords", "A folder"),
        "out-of-memory": translate("ProblemWords", "Out of memory"),
    }
    return words.get(kind.replace("_", "-"), translate("ProblemWords", "Cannot be read"))
