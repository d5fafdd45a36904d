"""What a command does, in the few words that stand behind Undo and Redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine import commands

if TYPE_CHECKING:
    from fewshot_gui.engine.commands import Command

translate = QCoreApplication.translate


def undo_words(command: Command) -> str:
    """Return a few words for a command; a group of commands is called after what it does last."""
    while isinstance(command, commands.Together) and command.commands:
        command = command.commands[-1]
    words = {
        commands.AddCategory: translate("UndoWords", "add category"),
        commands.RenameCategory: translate("UndoWords", "rename category"),
        commands.RecolourCategory: translate("UndoWords", "change colour"),
        commands.SetShortcut: translate("UndoWords", "change key"),
        commands.MoveCategory: translate("UndoWords", "move category"),
        commands.MergeCategories: translate("UndoWords", "merge categories"),
        commands.RemoveCategory: translate("UndoWords", "remove category"),
        commands.AddExamples: translate("UndoWords", "add examples"),
        commands.RemoveExamples: translate("UndoWords", "remove examples"),
        commands.AcceptLabels: translate("UndoWords", "accept suggestions"),
        commands.LabelPictures: translate("UndoWords", "label pictures"),
        commands.LabelNoneOfThese: translate("UndoWords", "label as none of these"),
        commands.WithdrawLabels: translate("UndoWords", "take back labels"),
        commands.ChooseLearner: translate("UndoWords", "choose learner"),
        commands.ChooseBackbone: translate("UndoWords", "choose backbone"),
        commands.ChooseDevice: translate("UndoWords", "choose device"),
        commands.SetThreshold: translate("UndoWords", "change boldness"),
    }
    return words.get(type(command), translate("UndoWords", "last change"))
