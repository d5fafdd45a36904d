"""The words for what the support panel counts, says and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QFileInfo

from fewshot_gui.engine.commands import CommandError, CommandProblem

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Category, Document


def count_words(count: int) -> str:
    """Return the number of examples in words: "No examples yet", "1 example", "5 examples"."""
    if count == 0:
        return QCoreApplication.translate("support", "No examples yet")
    if count == 1:
        return QCoreApplication.translate("support", "1 example")
    return QCoreApplication.translate("support", "{count} examples").format(count=count)


def hint_words(count: int) -> str:
    """Return what would help a category of `count` examples; empty where it has enough to work with."""
    if count == 0:
        return QCoreApplication.translate("support", "Drop pictures of one kind here")
    if count == 1:
        return QCoreApplication.translate("support", "Add one more for a better guess")
    return ""


def card_words(category: Category) -> str:
    """Return how a screen reader names the card of `category`."""
    parts = [category.name, count_words(len(category.examples))]
    if category.shortcut:
        parts.append(QCoreApplication.translate("support", "key {key}").format(key=category.shortcut))
    return ", ".join(parts)


def origin_words(origin: str) -> str:
    """Return where an example came from: a file's name, or the source in words."""
    sources = {
        "camera": QCoreApplication.translate("support", "From the camera"),
        "video": QCoreApplication.translate("support", "From a video"),
        "canvas": QCoreApplication.translate("support", "Drawn"),
        "clipboard": QCoreApplication.translate("support", "From the clipboard"),
        "web": QCoreApplication.translate("support", "From a browser"),
    }
    return sources.get(origin) or QFileInfo(origin).fileName() or origin


def problem_words(error: CommandError, document: Document) -> str:
    """Return why a command was refused, and what to do instead."""
    owner = document.category(error.owner).name if error.owner in document and error.owner else ""
    templates = {
        CommandProblem.EMPTY_NAME: QCoreApplication.translate("support", "A category needs a name."),
        CommandProblem.TAKEN_NAME: QCoreApplication.translate(
            "support", "“{subject}” exists already. Choose another name."
        ),
        CommandProblem.TAKEN_SHORTCUT: QCoreApplication.translate(
            "support", "Key {subject} belongs to “{owner}”. Choose another key."
        ),
        CommandProblem.BAD_SHORTCUT: QCoreApplication.translate("support", "A key is one letter or digit."),
        CommandProblem.UNKNOWN_CATEGORY: QCoreApplication.translate(
            "support", "This category has been removed in the meantime."
        ),
        CommandProblem.SAME_CATEGORY: QCoreApplication.translate(
            "support", "A category cannot be merged into itself."
        ),
    }
    other = QCoreApplication.translate("support", "This is not possible here.")
    return templates.get(error.kind, other).format(subject=error.subject, owner=owner)
