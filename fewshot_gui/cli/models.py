"""`fewshot-gui models`: the backbones that are here and those that can be; one in detail; come and go."""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot_gui.cli.models_change import add, download, remove
from fewshot_gui.cli.models_list import info, listing
from fewshot_gui.cli.options import add_action, add_common_arguments
from fewshot_gui.core.backbones.architectures import named_architecture

ACTIONS = {"list": listing, "info": info, "download": download, "add": add, "remove": remove}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    shown = add_action(actions, "list", "every backbone, a line each: those here, then what can be had")
    shown.add_argument("--measure", action="store_true", help="time those that are here: a few seconds")
    one = add_action(actions, "info", "one backbone and its card")
    one.add_argument("backbone", metavar="NAME|FILE", help="a name of `models list`, or a bundle")
    fetched = add_action(actions, "download", "bring backbones of the list here; goes on where it stopped")
    fetched.add_argument("names", nargs="+", metavar="NAME", help="of `models list`")
    _add_foreign_arguments(add_action(actions, "add", "make a backbone of weights of your own"))
    gone = add_action(actions, "remove", "remove a backbone that you downloaded or added")
    gone.add_argument("name", metavar="NAME", help="of `models list`")
    for action in actions.choices.values():
        add_common_arguments(action)


def _add_foreign_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="of safetensors, .pth, .pt or .onnx")
    parser.add_argument(
        "--architecture",
        type=_architecture,
        metavar="torchvision:NAME|timm:NAME",
        help="the network that the weights are of; by default it is told by their names and shapes",
    )
    parser.add_argument("--name", help="what to call it; by default as the file")
    parser.add_argument("--licence", default="", help="of the weights, to be shown in the list")
    parser.add_argument("--side", type=_side, help="of the pictures that it was trained with, in pixels")
    words = "of the colours of its training pictures, 0 to 1; one number for a model that takes grey ones"
    parser.add_argument("--mean", type=_colours, metavar="R,G,B", help=words)
    parser.add_argument("--std", type=_deviations, metavar="R,G,B", help=words)


def _architecture(text: str) -> dict[str, str]:
    named = named_architecture(text)
    if named is None:
        raise argparse.ArgumentTypeError(f"give torchvision:NAME or timm:NAME, not {text!r}")
    return named


def _side(text: str) -> int:
    if not text.isdecimal() or not 8 <= int(text) <= 2048:
        raise argparse.ArgumentTypeError(f"give a number of pixels from 8 to 2048, not {text!r}")
    return int(text)


def _colours(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in {1, 3} or not all(0 <= value <= 1 for value in values):
        raise argparse.ArgumentTypeError(f"give three numbers from 0 to 1 with commas, or one, not {text!r}")
    return values


def _deviations(text: str) -> tuple[float, ...]:
    values = _colours(text)
    if not all(values):
        raise argparse.ArgumentTypeError(f"pictures are divided by it: no number may be 0, as in {text!r}")
    return values


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after doing what was asked for."""
    return ACTIONS[arguments.action](arguments)
