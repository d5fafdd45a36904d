"""The arguments that every command has."""

from __future__ import annotations

import argparse
from typing import Any

from fewshot_gui.cli.output import warn
from fewshot_gui.engine.devices import ACCELERATORS, choose_device


def add_common_arguments(parser: argparse.ArgumentParser, *, default: Any = argparse.SUPPRESS) -> None:
    """Add what every command has; its actions add them too, so that they may stand behind the action."""
    parser.add_argument(
        "--json", action="store_true", default=default, help="print one JSON object, for machines"
    )
    parser.add_argument(
        "--debug", action="store_true", default=default, help="show the traceback of an error"
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
