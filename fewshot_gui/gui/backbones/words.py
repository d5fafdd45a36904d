"""Backbones in plain words: their facts, how a download is doing, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.fetching import Phase
from fewshot_gui.gui.backbones.error_words import error_words
from fewshot_gui.gui.sorting.words import size_words

if TYPE_CHECKING:
    from fewshot_gui.engine.fetching import Fetching
    from fewshot_gui.gui.backbones.entries import Entry

translate = QCoreApplication.translate
BETWEEN_FACTS: Final = "  ·  "
_MS_A_SECOND: Final = 1000
_AS_FAST: Final = 1.5


def fact_words(entry: Entry) -> str:
    """Return size, what it sees, published accuracy, speed and licence of a backbone, in one line."""
    facts = [
        size_words(entry.size_bytes),
        translate("BackboneWords", "sees {0} × {0} px").format(entry.side),
        *(f"{100 * value:.1f} % {measure}" for measure, value in entry.expected.items()),
    ]
    facts += [time_words(entry), entry.licence or _origin_words(entry)]
    return BETWEEN_FACTS.join(fact for fact in facts if fact)


def wrapping(facts: str) -> str:
    """Return the facts so that a line ends only between two of them."""
    whole = facts.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")
    return whole.replace("·\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}", "·  ")


def _origin_words(entry: Entry) -> str:
    """Return where one without a stated licence is from."""
    if entry.removable:
        return translate("BackboneWords", "brought here by you")
    return translate("BackboneWords", "comes with the program")


def time_words(entry: Entry) -> str:
    """Return how long a picture takes here, else beside the backbone to begin with; empty where unknown."""
    if entry.milliseconds is not None:
        if entry.milliseconds < _MS_A_SECOND:
            return translate("BackboneWords", "about {0:.0f} ms for a picture here").format(
                max(1.0, entry.milliseconds)
            )
        return translate("BackboneWords", "about {0:.1f} s for a picture here").format(
            entry.milliseconds / _MS_A_SECOND
        )
    if entry.times_photo is None:
        return ""
    if entry.times_photo < _AS_FAST:
        return translate("BackboneWords", "as fast as Photos")
    # Two digits: the ratios are rough.
    return translate("BackboneWords", "about {0:.0f} times slower than Photos").format(
        float(f"{entry.times_photo:.2g}")
    )


def slow_words(entry: Entry) -> str:
    """Return what to expect of a large backbone on a processor, before it is used."""
    words = translate(
        "BackboneWords",
        "Slow without a graphics card: {0}. A camera will stutter, and a large folder takes a while.",
    )
    return words.format(time_words(entry))


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
