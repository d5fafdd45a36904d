"""What the sorting engine says, in words that a person can act on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, Qt

from fewshot_gui.engine.sorting.journal import JournalError, JournalInUseError
from fewshot_gui.engine.sorting.plan import ConflictKind, Way
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.watch import WatchProblem

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.plan import Conflict
    from fewshot_gui.engine.sorting.watch import WatchError

translate = QCoreApplication.translate


def way_words() -> dict[Way, tuple[str, str]]:
    """Return each way as (name, what it does)."""
    return {
        Way.COPY: (
            translate("SortWords", "Copy"),
            translate("SortWords", "Each picture is copied. The originals stay as they are."),
        ),
        Way.MOVE: (
            translate("SortWords", "Move"),
            translate(
                "SortWords", "Each picture goes to its folder and is no longer where it was. "
                "To another disk it is copied, compared, and only then removed."
            ),
        ),
        Way.HARD_LINK: (
            translate("SortWords", "Hard link"),
            translate(
                "SortWords", "Each picture is in both folders but takes its room once. "
                "Only within one disk; editing one edits both."
            ),
        ),
        Way.SYMBOLIC_LINK: (
            translate("SortWords", "Symbolic link"),
            translate(
                "SortWords", "The folders hold pointers to the pictures, which stay where they are. "
                "If those are moved, the pointers lead nowhere."
            ),
        ),
        Way.SIDECAR: (
            translate("SortWords", "Only write sidecars"),
            translate(
                "SortWords", "No picture goes anywhere. The category is written as a keyword into an "
                "XMP file beside it; what is in that file already stays."
            ),
        ),
        Way.TRASH: (
            translate("SortWords", "To the trash"),
            translate("SortWords", "Each picture goes to the trash. Taking the run back brings it home."),
        ),
    }  # fmt: skip


def conflict_words(conflict: Conflict) -> str:
    """Return why a file stays or goes otherwise than plainly, and what to do."""
    words = {
        ConflictKind.SOURCE_MISSING: translate("SortWords", "It is not there any more. Press F5 in the gallery."),
        ConflictKind.SOURCE_UNREADABLE: translate("SortWords", "It may not be read. Change its permissions."),
        ConflictKind.SOURCE_CHANGED: translate("SortWords", "It was changed since it was looked at. Press F5 in the gallery."),
        ConflictKind.SOURCE_FIXED: translate("SortWords", "Nothing may be taken out of its folder. Choose Copy, or change the permissions."),
        ConflictKind.LINK: translate("SortWords", "It is a link; links stay. Sort what it points to."),
        ConflictKind.NOT_A_FILE: translate("SortWords", "It is not a file."),
        ConflictKind.SAME_NAME: translate("SortWords", "It stays: there is {0} already."),
        ConflictKind.SAME_TARGET: translate("SortWords", "It stays: {0} goes there under the same name."),
        ConflictKind.RENAMED: translate("SortWords", "Its name is taken; it goes as {0}."),
        ConflictKind.SAFE_NAME: translate("SortWords", "The disk does not take its name; it goes as {0}."),
        ConflictKind.SAFE_FOLDER: translate("SortWords", "The folder is called {0}, which every system takes."),
        ConflictKind.FOLDER_CASE: translate("SortWords", "The folder {0} is there already and is used."),
        ConflictKind.NAME_TOO_LONG: translate("SortWords", "Its name would be too long. Choose a folder nearer to the top."),
        ConflictKind.ALREADY_THERE: translate("SortWords", "It is there already; nothing is to be done."),
        ConflictKind.SORTED_ELSEWHERE: translate("SortWords", "It stays: it lies in the folder of a category already."),
        ConflictKind.COMPANION_CLAIMED: translate("SortWords", "It stays: it belongs to pictures of several categories."),
        ConflictKind.GROUP_SPLIT: translate("SortWords", "It goes elsewhere than {0}, which has the same name."),
        ConflictKind.GROUP_STAYS: translate("SortWords", "It stays with {0}, to which it belongs."),
        ConflictKind.NO_SPACE: translate("SortWords", "There is not enough room on the disk. Make some, or choose another folder."),
        ConflictKind.OTHER_DISK: translate("SortWords", "Hard links stay within one disk. Choose Copy, or a folder on its disk."),
        ConflictKind.NO_HARD_LINKS: translate("SortWords", "This disk knows no hard links. Choose Copy."),
        ConflictKind.NO_SYMBOLIC_LINKS: translate("SortWords", "This disk knows no symbolic links. Choose Copy."),
        ConflictKind.DESTINATION: translate("SortWords", "This folder cannot be used: {0}. Choose another one."),
    }  # fmt: skip
    detail = conflict.detail
    if conflict.kind is not ConflictKind.DESTINATION:
        detail = detail.rpartition(os.sep)[2]
    return words[conflict.kind].format(detail)


def reason_words(reason: Reason, detail: str = "") -> str:
    """Return why a file did not go, or did not come back, and what to do."""
    words = {
        Reason.SOURCE_VANISHED: translate("SortWords", "It was not there any more."),
        Reason.SOURCE_CHANGED: translate("SortWords", "It was changed meanwhile, so it was left alone. Sort it again."),
        Reason.SOURCE_TAKEN: translate("SortWords", "There is another file now where it came from. Move that one away first."),
        Reason.NOT_A_FILE: translate("SortWords", "It is not a file any more."),
        Reason.UNREADABLE: translate("SortWords", "It cannot be read. Check its permissions and the disk."),
        Reason.TARGET_TAKEN: translate("SortWords", "Its name was taken meanwhile; nothing was overwritten. Sort it again."),
        Reason.TARGET_CHANGED: translate("SortWords", "It was changed after it was sorted, so it was left where it is."),
        Reason.TARGET_VANISHED: translate("SortWords", "The folder was gone. Is its drive unplugged? Plug it in and go on."),
        Reason.FOLDER_VANISHED: translate("SortWords", "The folder where it belongs is gone. Sort it again."),
        Reason.ALREADY_THERE: translate("SortWords", "The same picture was there already."),
        Reason.TRASH_EMPTIED: translate("SortWords", "It is no longer in the trash: that was emptied, or somebody took it out."),
        Reason.ONLY_COPY: translate("SortWords", "The original is gone or changed: this is the last copy, so it stays."),
        Reason.NO_PERMISSION: translate("SortWords", "You may not write there. Change the permissions, or choose another folder."),
        Reason.READ_ONLY: translate("SortWords", "The disk is read-only. Choose another folder."),
        Reason.LOCKED: translate("SortWords", "Another program has it open. Close that one and sort it again."),
        Reason.DISK_FULL: translate("SortWords", "The disk is full. Make room, then go on."),
        Reason.NAME_NOT_ALLOWED: translate("SortWords", "The disk does not take its name. Rename it and sort it again."),
        Reason.NAME_TOO_LONG: translate("SortWords", "Its name is too long for the disk. Choose a folder nearer to the top."),
        Reason.TOO_LARGE: translate("SortWords", "It is too large for this kind of disk."),
        Reason.NOT_SUPPORTED: translate("SortWords", "This disk cannot do that. Choose Copy."),
        Reason.SIDECAR: translate("SortWords", "Its sidecar is damaged or no XMP, so it was left as it is."),
        Reason.VERIFY_FAILED: translate("SortWords", "The copy was not the same as the original, so the original stays. Check the disk."),
        Reason.GROUP: translate("SortWords", "It stayed with a file that it belongs to, which did not go."),
        Reason.CANCELLED: translate("SortWords", "You stopped before its turn."),
        Reason.OTHER: translate("SortWords", "The system says: {0}"),
    }  # fmt: skip
    return words[reason].format(detail)


def state_words(state: FileState) -> str:
    """Return where a file stands."""
    words = {
        FileState.PLANNED: translate("SortWords", "Not yet"),
        FileState.DONE: translate("SortWords", "Done"),
        FileState.FAILED: translate("SortWords", "Did not go"),
        FileState.SKIPPED: translate("SortWords", "Stayed"),
        FileState.TAKEN_BACK: translate("SortWords", "Taken back"),
    }
    return words.get(state) or translate("SortWords", "In doubt")


def doubt_words() -> str:
    """Return why nobody knows where a file is, and what to do."""
    return translate("SortWords", "Cut off on its way. Plug in its drive, then start the program again.")


def run_words(state: RunState, stopped_by: Reason | None) -> str:
    """Return where a run stands."""
    if state is RunState.TAKEN_BACK:
        return translate("SortWords", "Taken back")
    if state is RunState.FINISHED:
        return translate("SortWords", "Done")
    if stopped_by is Reason.CANCELLED or stopped_by is None:
        return translate("SortWords", "Stopped")
    return translate("SortWords", "Stopped: {0}").format(reason_words(stopped_by))


def journal_words(error: Exception) -> str:
    """Return why nothing can be sorted or taken back now, and what to do."""
    if isinstance(error, JournalInUseError):
        return translate(
            "SortWords", "Another window of this program is sorting. Wait until it has done, then try again."
        )
    if isinstance(error, JournalError | OSError):
        return translate(
            "SortWords",
            "The journal of sorting cannot be written, so nothing more is done: {0}. Make room, or allow "
            "writing there. A damaged journal can be moved away; its runs can then not be taken back.",
        ).format(error)
    return str(error)


def error_words(error: Exception) -> str:
    """Return what went wrong in the system's words, without its number."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def watch_words(error: WatchError) -> str:
    """Return why a folder cannot be watched, and what to do."""
    if error.problem is WatchProblem.MISSING:
        return translate("SortWords", "{0} is not there any more. Open another folder.").format(error.folder)
    return translate(
        "SortWords", "{0} cannot be watched: {1}. Press F5 in the gallery to see what is new."
    ).format(error.folder, error.detail)


def scope_words() -> tuple[tuple[str, str], ...]:
    """Return which labels may be asked for, of the fewest first: the words of each and its key in `PILES`."""
    return (
        (translate("SortWords", "Only what you decided"), "decided"),
        (translate("SortWords", "What you decided, and what is sure"), "sure"),
        (translate("SortWords", "Everything, as it is proposed"), "all"),
    )


def alone_words(count: int) -> str:
    """Return the words of the switch that leaves out all pictures but the selected ones."""
    if count == 1:
        return translate("SortWords", "Only the selected picture")
    return translate("SortWords", "Only the {0} selected pictures").format(f"{count:,}")


def pictures_words(count: int) -> str:
    """Return a number of pictures."""
    if count == 1:
        return translate("SortWords", "1 picture")
    return translate("SortWords", "{0:,} pictures").format(count)


def files_words(count: int) -> str:
    """Return a number of files."""
    return (
        translate("SortWords", "1 file")
        if count == 1
        else translate("SortWords", "{0:,} files").format(count)
    )


def folders_words(count: int) -> str:
    """Return a number of folders."""
    if count == 1:
        return translate("SortWords", "1 folder")
    return translate("SortWords", "{0:,} folders").format(count)


def size_words(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    return QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def time_words(iso: str) -> str:
    """Return a moment as this person writes it."""
    moment = QDateTime.fromString(iso, Qt.DateFormat.ISODate)
    return (
        QLocale().toString(moment.toLocalTime(), QLocale.FormatType.ShortFormat) if moment.isValid() else iso
    )


def duration_words(seconds: float) -> str:
    """Return about how long something still takes."""
    if seconds < 60:
        return translate("SortWords", "{0} s left").format(max(1, round(seconds)))
    if seconds < 3600:
        return translate("SortWords", "{0} min left").format(round(seconds / 60))
    return translate("SortWords", "{0:.1f} h left").format(seconds / 3600)
