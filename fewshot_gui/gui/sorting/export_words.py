"""The ways out for labels, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.exports.folders import FolderTakenError
from fewshot_gui.gui.sorting.words import error_words

if TYPE_CHECKING:
    from pathlib import Path

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class Format:
    """One way out: `suffix` of its file, empty for a folder."""

    key: str
    name: str
    what: str
    suffix: str = ""


def formats() -> tuple[Format, ...]:
    """Return the ways out, in the order in which they are shown."""
    return (
        Format("csv", translate("Export", "Table (CSV)"), translate("Export", "One line a picture, with who decided, and when. Opens in Excel."), ".csv"),
        Format("classify", translate("Export", "Table of all probabilities (CSV)"), translate("Export", "What the program says of each picture and category, whatever was decided."), ".csv"),
        Format("coco", translate("Export", "COCO"), translate("Export", "For detection tools: the box is the whole picture."), ".json"),
        Format("label-studio", translate("Export", "Label Studio"), translate("Export", "What you decided becomes an annotation, what the program says a prediction."), ".json"),
        Format("image-folder", translate("Export", "Class folders (ImageFolder)"), translate("Export", "Copies, one folder a category: PyTorch, Keras, fastai. With provenance.csv.")),
        Format("hugging-face", translate("Export", "Hugging Face"), translate("Export", "Class folders, and metadata.csv with who decided, and when.")),
        Format("yolo-cls", translate("Export", "YOLO classification"), translate("Export", "Class folders in train and val; a fifth is for validation. With provenance.csv.")),
    )  # fmt: skip


def export_words(error: Exception, place: Path) -> str:
    """Return why an export did not come to be, and what to do."""
    if isinstance(error, FileExistsError):
        return translate(
            "Export", "{0} is there already, and nothing is overwritten. Choose another name."
        ).format(place)
    if isinstance(error, FolderTakenError):
        return translate("Export", "{0} is not empty. Choose a new folder.").format(place)
    return translate("Export", "The labels could not be saved in {0}: {1}. Choose another place.").format(
        place, error_words(error)
    )
