"""What `fewshot-gui models list` and `info` say of the backbones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, bar, say, say_json, warn
from fewshot_gui.cli.sort_words import size_words
from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem, describe_bundle
from fewshot_gui.core.backbones.catalogue import installed
from fewshot_gui.core.backbones.ladder import LADDER, rung_of
from fewshot_gui.core.backbones.own_bundles import is_users
from fewshot_gui.core.data_files import models_folder
from fewshot_gui.engine.downloads.fetch import arrived_bytes
from fewshot_gui.engine.folders import cache_folder
from fewshot_gui.engine.speeds import Speeds, keep_speeds, measure_speeds, read_speeds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.core.backbones.preprocessing import Preprocessing

COLUMNS = ("name", "title", "pixels", "size", "a picture", "published or validated", "licence")
OWN_LICENCE = "MIT; of its data see its card"


def listing(arguments: argparse.Namespace) -> int:
    """Return the exit code after listing: 1 where a bundle is damaged."""
    infos, damaged = installed()
    speeds = _measured(arguments, infos) if arguments.measure else read_speeds(cache_folder())
    rungs = [rung for rung in LADDER if rung.name not in {info.name for info in infos}]
    if arguments.json:
        here = [bundle_values(info, speeds) for info in infos]
        say_json([*here, *(rung_values(rung, speeds) for rung in rungs)])
    else:
        say(_table(infos, rungs, speeds))
    for error in damaged:
        warn(str(error))
    return SOME_FAILED if damaged else DONE


def info(arguments: argparse.Namespace) -> int:
    """Return the exit code after describing one backbone, here or not."""
    name, speeds = arguments.backbone, read_speeds(cache_folder())
    try:
        found = describe_bundle(name)
    except BundleError as error:
        rung = rung_of(name)
        if error.kind is not BundleProblem.MISSING or rung is None:
            raise UsageError(str(error)) from error
        say_json(rung_values(rung, speeds)) if arguments.json else say(_rung_words(rung, speeds))
        return DONE
    if arguments.json:
        say_json({**bundle_values(found, speeds), "card": found.card})
    else:
        told = _bundle_facts(found, speeds) | {"pictures prepared with": prepared_words(found.preprocessing)}
        known = {key: value for key, value in told.items() if value}
        facts = "\n".join(f"{key + ':':<24} {value}" for key, value in known.items())
        say(f"{facts}\n\n{found.card}".rstrip())
    return DONE


def prepared_words(seen: Preprocessing) -> str:
    """Return the mean and the deviation that the colours of a picture are brought to a network by."""
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (seen.mean, seen.std))
    return f"mean {mean} and deviation {std}"


def bundle_values(found: BundleInfo, speeds: Speeds) -> dict[str, Any]:
    """Return a backbone that is here as a JSON object."""
    rung = rung_of(found.name)
    own, shipped = is_users(found), _is_shipped(found)
    return {
        "name": found.name,
        "title": found.title,
        "origin": "user" if own else "shipped" if shipped else "file",
        "here": True,
        "path": str(found.path),
        "hash": found.hash,
        "network": found.architecture,
        "side": found.preprocessing.side,
        "mean": found.preprocessing.mean,
        "std": found.preprocessing.std,
        "dimension": found.dimension,
        "parameters": found.parameters,
        "size_bytes": found.size_bytes,
        "licence": _licence(found),
        "expected": dict(rung.expected) if rung and own else _validated(found),
        "milliseconds": speeds.of(found),
        "training": found.training,
    }


def rung_values(rung: Rung, speeds: Speeds) -> dict[str, Any]:
    """Return a backbone that can be downloaded as a JSON object; its milliseconds are an estimate."""
    return {
        "name": rung.name,
        "title": rung.title,
        "origin": "ladder",
        "here": False,
        "url": rung.url,
        "network": dict(rung.architecture),
        "side": rung.side,
        "dimension": rung.dimension,
        "size_bytes": rung.size_bytes,
        "arrived_bytes": arrived_bytes(rung),
        "licence": rung.licence,
        "expected": dict(rung.expected),
        "published": rung.published,
        "times_mobilenet_v2": rung.milliseconds_mobilenet_v2,
        "estimated_milliseconds": speeds.reckoned(rung),
    }


def _measured(arguments: argparse.Namespace, infos: Sequence[BundleInfo]) -> Speeds:
    with bar("Measuring", arguments) as progress:
        speeds = measure_speeds(infos, progress)
    try:
        keep_speeds(cache_folder(), speeds)
    except OSError as error:
        warn(f"the speeds cannot be kept for later in {cache_folder()}: {error.strerror or error}")
    return speeds


def _table(infos: Sequence[BundleInfo], rungs: Sequence[Rung], speeds: Speeds) -> str:
    """Return the two tables with columns of the same widths, and what to do next."""
    here = [tuple(_bundle_facts(each, speeds).values()) for each in infos]
    missing = [tuple(_rung_facts(each, speeds).values()) for each in rungs]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *here, *missing, strict=True)]
    head, *lines = (_row(row, widths) for row in (COLUMNS, *here, *missing))
    parts = [head, *lines[: len(here)]]
    if rungs:
        parts += ["", "to download, with: fewshot-gui models download NAME", *lines[len(here) :]]
    if speeds.mobilenet_v2_ms is None:
        parts += ["", "How long a picture takes on this machine: fewshot-gui models list --measure"]
    return "\n".join(parts)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _bundle_facts(found: BundleInfo, speeds: Speeds) -> dict[str, str]:
    """Return what the list says of a backbone that is here, by the column."""
    rung = rung_of(found.name) if is_users(found) else None
    side, taken = found.preprocessing.side, speeds.of(found)
    expected = _expected(rung.expected if rung else _validated(found))
    speed = f"{taken:.0f} ms" if taken is not None else _reckoned(rung, speeds) if rung else ""
    cells = (found.name, found.title, f"{side}x{side} px", size_words(found.size_bytes), speed, expected)
    return dict(zip(COLUMNS, (*cells, _licence(found)), strict=True))


def _rung_facts(rung: Rung, speeds: Speeds) -> dict[str, str]:
    """Return what the list says of a backbone that can be downloaded, by the column."""
    arrived = arrived_bytes(rung)
    size = size_words(rung.size_bytes)
    part = f"{size_words(arrived)} of {size}" if arrived else size
    cells = (rung.name, rung.title, f"{rung.side}x{rung.side} px", part, _reckoned(rung, speeds))
    return dict(zip(COLUMNS, (*cells, _expected(rung.expected), rung.licence), strict=True))


def _rung_words(rung: Rung, speeds: Speeds) -> str:
    facts = _rung_facts(rung, speeds) | {"published in": rung.published, "from": rung.url}
    lines = [f"{key + ':':<24} {value}" for key, value in facts.items()]
    return "\n".join([*lines, "", f"It is not here yet: fewshot-gui models download {rung.name}"])


def _reckoned(rung: Rung, speeds: Speeds) -> str:
    known = speeds.reckoned(rung)
    return (
        f"about {known:.0f} ms" if known is not None else f"{rung.milliseconds_mobilenet_v2:g} x MobileNetV2"
    )


def _expected(values: Mapping[str, float]) -> str:
    return ", ".join(f"{value:.1%} {measure}" for measure, value in values.items())


def _validated(found: BundleInfo) -> dict[str, float]:
    """Return the accuracy that a training of ours measured on its validation classes, where it kept it."""
    validated = found.training.get("validated") or {}
    return {"validation tasks": float(validated["accuracy"])} if "accuracy" in validated else {}


def _licence(found: BundleInfo) -> str:
    return OWN_LICENCE if _is_shipped(found) else str(found.training.get("licence") or "not stated")


def _is_shipped(found: BundleInfo) -> bool:
    return found.path.parent.resolve() == models_folder().resolve()
