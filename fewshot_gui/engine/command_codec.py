"""Commands as JSON, so that a session file can keep them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import (
    COMMANDS,
    AcceptLabels,
    AddCategory,
    AddExamples,
    Command,
    LabelNoneOfThese,
    LabelPictures,
    Together,
)
from fewshot_gui.engine.state import CategoryId, Example

_TYPES: Final = {command.__name__: command for command in COMMANDS}
_PLAIN_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "colour": (int,),
    "index": (int,),
    "value": (float, int, type(None)),
}


_LATER: Final[dict[type[Command], tuple[str, ...]]] = {
    AddCategory: ("key",),
    AcceptLabels: ("times",),
    LabelPictures: ("times",),
    LabelNoneOfThese: ("times",),
}


class CodecError(ValueError):
    """A text is no command that this version knows."""


def kind_of(command: Command) -> str:
    """The name by which a session file knows this kind of command."""
    return type(command).__name__


def encode(command: Command) -> str:
    """The fields of a command as one line of ASCII JSON (ASCII, for names can hold stray surrogates)."""
    return json.dumps(_to_fields(command), separators=(",", ":"))


def decode(kind: str, payload: str) -> Command:
    """The command that `kind_of` and `encode` described.

    Raises:
        CodecError: The kind is unknown or the payload does not fit it.
    """
    try:
        return _from_fields(kind, json.loads(payload))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CodecError(f"{kind}: {error!r}") from error


def _to_fields(command: Command) -> dict[str, Any]:
    if isinstance(command, Together):
        return {"commands": [[kind_of(part), _to_fields(part)] for part in command.commands]}
    if isinstance(command, AddExamples):
        examples = [[example.picture, example.origin] for example in command.examples]
        return {"category": command.category, "examples": examples}
    values = {field.name: getattr(command, field.name) for field in fields(command)}
    # Left out where they say nothing: they came later, and are empty in almost every step.
    later = _LATER.get(type(command), ())
    return {name: value for name, value in values.items() if value or name not in later}


def _from_fields(kind: str, values: Any) -> Command:
    type_ = _TYPES[kind]
    if not isinstance(values, dict):
        raise TypeError(f"not an object: {values!r}")
    if type_ is AddExamples:
        examples = tuple(
            Example(PictureId(_text(picture)), _text(origin)) for picture, origin in values["examples"]
        )
        return AddExamples(CategoryId(_text(values["category"])), examples)
    if type_ is Together:
        return Together(tuple(_from_fields(part, inner) for part, inner in values["commands"]))
    return type_(**{name: _checked(type_, name, value) for name, value in values.items()})


def _checked(type_: type[Command], name: str, value: Any) -> Any:
    if name == "pictures" and isinstance(value, list):
        return tuple(PictureId(_text(picture)) for picture in value)
    if name == "times" and isinstance(value, list):
        return tuple(_text(time) for time in value)
    allowed = _PLAIN_TYPES.get(name, (str,))
    # To accept that pictures are none of these is to accept no category.
    nothing = value is None and name == "category" and type_ is AcceptLabels
    if name in {"pictures", "times"} or not (isinstance(value, allowed) or nothing):
        raise TypeError(f"{name} is {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
