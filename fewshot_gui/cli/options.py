"""The arguments that every command has."""

from __future__ import annotations

import argparse
from typing import Any

from fewshot_gui.cli.output import warn
from fewshot_gui.core.learners.facts import LEARNERS
from fewshot_gui.engine.devices import ACCELERATORS, choose_device


def add_common_arguments(parser: argparse.ArgumentParser, *, default: Any = argparse.SUPPRESS) -> None:
    """Add what every command has; its actions add them too, so that they may stand behind the action."""
    parser.add_argument("--json", action="store_true", default=default, help="print JSON, for machines")
    parser.add_argument(
        "--debug", action="store_true", default=default, help="show the traceback of an error"
    )


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    """Return the parser of one action of a command; what it does stands in both helps."""
    return actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")


def add_classifier_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who classifies and how boldly, for the commands that label pictures."""
    add_learner_argument(parser, "auto")
    add_backbone_argument(parser)
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="none of these: 0 careful (rejects much) to 1 (rejects nothing); automatic by default",
    )
    add_device_argument(parser)


def add_learner_argument(
    parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup, default: str
) -> None:
    """Add --learner, for the commands that take every learner; its help lists them."""
    parser.add_argument(
        "--learner",
        default=default,
        metavar="L",
        help=f"the method, {default} by default: {', '.join(LEARNERS)}; auto chooses",
    )


def add_backbone_argument(parser: argparse.ArgumentParser) -> None:
    """Add --backbone, for the commands that know which one fits."""
    parser.add_argument(
        "--backbone", metavar="B|FILE", help="default: the shipped one that fits the learner and the pictures"
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add --device, for the commands that compute."""
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", *ACCELERATORS),
        help="where to compute; auto takes the fastest that works",
    )


def told_device(wanted: str) -> str:
    """Return the device to compute on; where the wanted one is not there, say so and take the CPU."""
    chosen = choose_device(wanted)
    if wanted not in {"auto", chosen}:
        warn(f"there is no {wanted} device here, or torch cannot use it; computing on the {chosen.upper()}")
    return chosen
