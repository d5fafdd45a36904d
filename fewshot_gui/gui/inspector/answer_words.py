"""The answer to one picture in words, and whose answer it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.scores import Said
from fewshot_gui.gui.bidi import isolated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.inspector.reading import Reading

translate = QCoreApplication.translate


def answer_words(reading: Reading | None, categories: Mapping[CategoryId, Category]) -> str:
    """Return the answer, such as "Mug, 93 %" or "Mug, accepted by you"."""
    if reading is None:
        return translate("InspectorPanel", "Not seen yet")
    if reading.taught is not None or reading.said is not Said.MACHINE:
        return _person_words(reading, categories)
    if reading.best < 0:
        return translate("InspectorPanel", "Not seen yet")
    if reading.rejected:
        return translate("InspectorPanel", "None of these")
    category = categories.get(reading.classes[reading.best])
    if category is None:
        return translate("InspectorPanel", "Not seen yet")
    percent = round(100 * float(reading.probabilities[reading.best]))
    return translate("InspectorPanel", "{category}, {percent} %").format(
        category=isolated(category.name), percent=percent
    )


def _person_words(reading: Reading, categories: Mapping[CategoryId, Category]) -> str:
    """Return what a person said of the picture; it stands before anything the machine says."""
    if reading.taught is None:
        if reading.said is Said.ACCEPTED:
            return translate("InspectorPanel", "None of these, accepted by you")
        return translate("InspectorPanel", "You said: none of these")
    templates = {
        Said.ACCEPTED: translate("InspectorPanel", "{category}, accepted by you"),
        Said.HUMAN: translate("InspectorPanel", "{category}, said by you"),
    }
    words = templates.get(reading.said, translate("InspectorPanel", "{category}, taught by you"))
    owner = categories.get(reading.taught)
    if owner is None:
        return translate("InspectorPanel", "Not seen yet")
    return words.format(category=isolated(owner.name))
