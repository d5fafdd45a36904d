"""When each picture got what a person says of it, from the steps of a session."""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddExamples,
    LabelNoneOfThese,
    LabelPictures,
    Together,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.sorting.plan import DecidedBy

Moments: TypeAlias = "Mapping[DecidedBy, Mapping[PictureId, str]]"
"""When each picture was last taught, named or accepted, ISO 8601 to the second with the zone."""


def moments(steps: Iterable[tuple[str, Command]]) -> Moments:
    """Return when each picture was last said to be what it is, by the kind of what was said.

    Only the kind that the document has of a picture now means anything: what was last said in that kind made
    it so. A word of another kind would have taken its place; one that could not, as a suggestion cannot take
    that of a person's word, stands here under its own kind. Who renames or merges a category says nothing of
    its pictures: they keep their moments.

    Args:
        steps: what was done and not taken back, each with its moment.
    """
    found: dict[DecidedBy, dict[PictureId, str]] = {"example": {}, "human": {}, "accepted": {}}
    for at, step in steps:
        moment = _to_the_second(at)
        for command in _single(step):
            if isinstance(command, AddExamples):
                found["example"].update((example.picture, moment) for example in command.examples)
            elif isinstance(command, AcceptLabels):
                found["accepted"].update(_of_each(command, moment))
            elif isinstance(command, LabelPictures | LabelNoneOfThese):
                found["human"].update(_of_each(command, moment))
    return found


def _of_each(
    command: AcceptLabels | LabelPictures | LabelNoneOfThese, moment: str
) -> Iterator[tuple[PictureId, str]]:
    for picture, at in zip_longest(command.pictures, command.times[: len(command.pictures)]):
        yield picture, at or moment


def _single(command: Command) -> Iterator[Command]:
    if isinstance(command, Together):
        for part in command.commands:
            yield from _single(part)
    else:
        yield command


def _to_the_second(at: str) -> str:
    """Return a moment without fractions, which nobody can mean; what is no moment stays as it is."""
    try:
        return datetime.fromisoformat(at).isoformat(timespec="seconds")
    except ValueError:
        return at
