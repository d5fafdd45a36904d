"""`fewshot-gui models`: list the backbones that are here, or describe one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.options import add_common_arguments
from fewshot_gui.cli.output import UsageError, say, say_json
from fewshot_gui.core.backbones.bundle import BundleError, BundleInfo, describe_bundle
from fewshot_gui.core.backbones.catalogue import shipped

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|info")
    listing = actions.add_parser("list", help="every shipped backbone, a line each")
    info = actions.add_parser("info", help="one backbone and its card")
    info.add_argument("backbone", metavar="NAME|FILE")
    for action in (listing, info):
        add_common_arguments(action)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after printing."""
    try:
        if arguments.action == "list":
            infos = shipped()
            if arguments.json:
                say_json([_values(info) for info in infos])
            else:
                say("\n".join(map(_line, infos)))
        else:
            info = describe_bundle(arguments.backbone)
            if arguments.json:
                say_json({**_values(info), "card": info.card})
            else:
                say(f"{_line(info)}\n\n{info.card}")
    except BundleError as error:
        raise UsageError(str(error)) from error
    return 0


def _values(info: BundleInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "title": info.title,
        "path": str(info.path),
        "hash": info.hash,
        "network": info.architecture,
        "side": info.preprocessing.side,
        "dimension": info.dimension,
        "parameters": info.parameters,
        "size_bytes": info.size_bytes,
        "training": info.training,
    }


def _line(info: BundleInfo) -> str:
    side = info.preprocessing.side
    return (
        f"{info.name:<18} {info.title:<42} {side}x{side} px  {info.dimension:>4} numbers a picture  "
        f"{info.parameters / 1e6:.2f} M weights  {info.size_bytes / 1e6:.1f} MB"
    )
