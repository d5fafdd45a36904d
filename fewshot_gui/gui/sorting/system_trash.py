"""The system's trash, as the engine asks for it."""

from __future__ import annotations

from PySide6.QtCore import QFile


def to_system_trash(path: str) -> str | None:
    """Throw a file into the system's trash; return where it is now, None where the system does not take it.

    Any thread. On an instance, for that one tells the place where the file went.
    """
    file = QFile(path)
    return file.fileName() if file.moveToTrash() else None
