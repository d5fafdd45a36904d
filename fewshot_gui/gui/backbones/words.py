"""Backbones in plain words: their facts, how a download is doing, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.fetching import Phase
from fewshot_gui.gui.backbones.error_words import error_words
from fewshot_gui.gui.sorting.words import size_words

if TYPE_CHECKING:
    from fewshot_gui.engine.fetching import Fetching
    from fewshot_gui.gui.backbones.entries import Entry

translate = QCoreApplication.translate


def fact_words(entry: Entry) -> str:
    """Return size, what it sees, published accuracy, cost and licence of a backbone, in one line."""
    facts = [
        size_words(entry.size_bytes),
        translate("BackboneWords", "sees {0} × {0} px").format(entry.side),
        *(f"{100 * value:.1f} % {measure}" for measure, value in entry.expected.items()),
    ]
    if entry.cost is not None:
        facts.append(cost_words(entry.cost))
    facts.append(entry.licence or _origin_words(entry))
    return "  ·  ".join(facts)


def _origin_words(entry: Entry) -> str:
    """Return where one without a stated licence is from."""
    if entry.removable:
        return translate("BackboneWords", "brought here by you")
    return translate("BackboneWords", "comes with the program")


def cost_words(cost: float) -> str:
    """Return how long a backbone takes, in times of a small network that people know."""
    if cost < 1.5:
        return translate("BackboneWords", "as fast as MobileNetV2")
    return translate("BackboneWords", "{0:.0f} × the time of MobileNetV2").format(cost)


def slow_words(entry: Entry) -> str:
    """Return what to expect of a large backbone on a processor, before it is used."""
    words = translate(
        "BackboneWords",
        "Slow without a graphics card: about {0:.0f} × the time of MobileNetV2 for each picture. "
        "A camera will stutter, and a large folder takes a while.",
    )
    return words.format(entry.cost or 0)


def state_words(state: Fetching) -> str:
    """Return how a download is doing; empty where there is nothing to say."""
    if state.phase is Phase.WAITING:
        return translate("BackboneWords", "Waits for the one before it")
    if state.phase is Phase.PREPARING:
        return translate("BackboneWords", "All here. Checking it and making it ready…")
    if state.phase is Phase.FAILED and state.error is not None:
        return error_words(state.error)
    if state.phase is Phase.PAUSED and state.done:
        return translate("BackboneWords", "{0} are here already; it goes on from there.").format(
            size_words(state.done)
        )
    if state.phase is Phase.DOWNLOADING:
        return _progress_words(state)
    return ""


def _progress_words(state: Fetching) -> str:
    if not state.total:
        return size_words(state.done)
    return translate("BackboneWords", "{0} of {1}").format(size_words(state.done), size_words(state.total))
