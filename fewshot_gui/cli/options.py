"""The arguments that every command has."""

from __future__ import annotations

import argparse
from typing import Any


def add_common_arguments(parser: argparse.ArgumentParser, *, default: Any = argparse.SUPPRESS) -> None:
    """Add what every command has; its actions add them too, so that they may stand behind the action."""
    parser.add_argument(
        "--json", action="store_true", default=default, help="print one JSON object, for machines"
    )
    parser.add_argument(
        "--debug", action="store_true", default=default, help="show the traceback of an error"
    )
