"""What became of the export of a model, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.gui.learner_words import learner_title

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.engine.exports.model_task import ModelReply

translate = QCoreApplication.translate


def reply_words(reply: ModelReply, out: Path) -> str:
    """Return what became of an export, and what to do."""
    if reply.trouble == "taken":
        return translate(
            "ModelDialog", "{0} is there already, and is no export of this program. Choose another name."
        ).format(reply.detail)
    if reply.trouble == "learner":
        words = translate("ModelDialog", "This learner on this backbone cannot be written as a model. {0}")
        return words.format(other_learners())
    if reply.trouble == "backbone":
        return translate("ModelDialog", "This backbone cannot be written as a model: {0}").format(
            reply.detail
        )
    if reply.trouble == "system":
        return system_words(out, reply.detail)
    program = out.with_suffix(".py").name
    words = translate("ModelDialog", "Written: {0} and {1}.").format(out.name, program) + "\n"
    try_it = translate("ModelDialog", "To try it there: {0} and the name of a picture.")
    words += try_it.format(f"python {_quoted(program)} {_quoted(out.name)}") + "\n"
    if reply.compared:
        agrees = translate("ModelDialog", "On your examples it says the same as this program for {0} of {1}.")
        words += agrees.format(reply.same, reply.compared)
    return words


def _quoted(name: str) -> str:
    """Return a file's name as it is typed in the shells of all systems."""
    return f'"{name}"' if " " in name else name


def other_learners() -> str:
    """Return which learners to choose in place of one that cannot be exported."""
    names = (learner_title(name) for name in ("ridge", "prototypical", "logistic"))
    return translate("ModelDialog", "Choose another one first, as {0}, {1} or {2}.").format(*names)


def system_words(out: Path, detail: str) -> str:
    """Return that a file could not be written, and what to do."""
    return translate("ModelDialog", "{0} could not be written: {1}. Choose another place.").format(
        out, detail.rstrip(".")
    )
