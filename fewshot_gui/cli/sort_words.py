"""What the sorting engine says, in the words of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fewshot_gui.cli.output import counted
from fewshot_gui.engine.sorting.plan import ConflictKind, Way
from fewshot_gui.engine.sorting.states import Reason

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.plan import Conflict, PlannedFile
    from fewshot_gui.engine.sorting.receipt import ReceiptLine

CONFLICTS: Final = {
    ConflictKind.SOURCE_MISSING: "is not there any more",
    ConflictKind.SOURCE_UNREADABLE: "cannot be read",
    ConflictKind.SOURCE_CHANGED: "was changed since it was judged",
    ConflictKind.SOURCE_FIXED: "lies in a folder that may not be changed",
    ConflictKind.LINK: "is a link; links stay",
    ConflictKind.NOT_A_FILE: "is not a file",
    ConflictKind.SAME_NAME: "stays, as its name is taken",
    ConflictKind.SAME_TARGET: "stays, as another file goes to the same name",
    ConflictKind.RENAMED: "goes under another name, as its own is taken",
    ConflictKind.SAFE_NAME: "goes under a name that the disk takes",
    ConflictKind.SAFE_FOLDER: "gets a folder whose name every system takes",
    ConflictKind.FOLDER_CASE: "goes to the folder that is there already",
    ConflictKind.NAME_TOO_LONG: "stays, as its name would be too long",
    ConflictKind.ALREADY_THERE: "is there already",
    ConflictKind.SORTED_ELSEWHERE: "stays, as it lies in a category's folder already",
    ConflictKind.COMPANION_CLAIMED: "stays, as it belongs to several",
    ConflictKind.GROUP_SPLIT: "goes elsewhere than the file of the same name",
    ConflictKind.GROUP_STAYS: "stays with the file that it belongs to",
    ConflictKind.NO_SPACE: "stays, as there is not enough room on the disk",
    ConflictKind.OTHER_DISK: "stays, as no hard link leads to another disk",
    ConflictKind.NO_HARD_LINKS: "stays, as the disk knows no hard links",
    ConflictKind.NO_SYMBOLIC_LINKS: "stays, as the disk knows no symbolic links",
    ConflictKind.DESTINATION: "cannot be used",
}

REASONS: Final = {
    Reason.SOURCE_VANISHED: "was not there any more",
    Reason.SOURCE_CHANGED: "was changed meanwhile",
    Reason.SOURCE_TAKEN: "there is another file now where it came from",
    Reason.NOT_A_FILE: "is not a file any more",
    Reason.UNREADABLE: "cannot be read",
    Reason.TARGET_TAKEN: "its name was taken meanwhile; nothing was overwritten",
    Reason.TARGET_CHANGED: "was changed after it was sorted, so it stays",
    Reason.TARGET_VANISHED: "the folder is gone; is its drive unplugged?",
    Reason.FOLDER_VANISHED: "the folder where it belongs is gone",
    Reason.ALREADY_THERE: "is there already",
    Reason.TRASH_EMPTIED: "is no longer in the trash",
    Reason.ONLY_COPY: "is the last copy, so it stays",
    Reason.NO_PERMISSION: "you may not write there",
    Reason.READ_ONLY: "the disk is read-only",
    Reason.LOCKED: "another program has it open",
    Reason.DISK_FULL: "the disk is full",
    Reason.NAME_NOT_ALLOWED: "the disk does not take its name",
    Reason.NAME_TOO_LONG: "its name is too long for the disk",
    Reason.TOO_LARGE: "is too large for this kind of disk",
    Reason.NOT_SUPPORTED: "this disk cannot do that",
    Reason.SIDECAR: "its sidecar is damaged or no XMP, and was left as it is",
    Reason.VERIFY_FAILED: "the copy was not the same as the original, which stays",
    Reason.GROUP: "stayed with a file that it belongs to",
    Reason.CANCELLED: "you stopped before its turn",
    Reason.OTHER: "the system says",
}
_OF: Final = {
    ConflictKind.SAFE_FOLDER: "category",
    ConflictKind.FOLDER_CASE: "category",
    ConflictKind.DESTINATION: "folder",
}
"""What a conflict is about where that is no file."""
_UNITS: Final = ("KB", "MB", "GB", "TB")


def conflict_words(conflict: Conflict) -> str:
    """Return why a file stays or goes otherwise than plainly."""
    detail = conflict.detail
    if conflict.kind is ConflictKind.NO_SPACE and detail.isdecimal():
        detail = f"{size_words(int(detail))} missing"
    return _with_detail(CONFLICTS[conflict.kind], detail)


def count_words(kind: ConflictKind, number: int) -> str:
    """Return how often a conflict of a kind there is."""
    return f"{CONFLICTS[kind]}: {counted(number, _OF.get(kind, 'file'))}"


def place_words(file: PlannedFile) -> str:
    """Return where a file would go."""
    return "the trash" if file.way is Way.TRASH else file.target


def line_words(line: ReceiptLine) -> str:
    """Return what became of a file: its state, where it was, where it is, and why where it did not go."""
    reason = "" if line.reason is None else f"  ({_with_detail(REASONS[line.reason], line.detail)})"
    state = f"{line.state}, in the trash" if line.is_trashed else line.state
    return f"{state}: {line.source} -> {line.target}{reason}"


def _with_detail(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words


def size_words(number: int) -> str:
    """Return a number of bytes as a person reads it."""
    size, unit = float(number), "bytes"
    for larger in _UNITS:
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
