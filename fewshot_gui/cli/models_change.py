"""What `fewshot-gui models download`, `add` and `remove` do to the user's backbones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.models_list import bundle_values, prepared_words
from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, bar, say, say_json, warn
from fewshot_gui.cli.sort_words import size_words
from fewshot_gui.core.backbones.architectures import architecture_name
from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignWeightsError
from fewshot_gui.core.backbones.ladder import LADDER, rung_of
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.core.backbones.own_bundles import is_name, is_taken, own_path, remove_own
from fewshot_gui.core.data_files import models_folder, user_models_folder
from fewshot_gui.engine.downloads.download import drop
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.downloads.fetch import fetch, fetched, unfinished_folder
from fewshot_gui.engine.speeds import Speeds

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung

TRY_AGAIN = "what has arrived is kept; the same command goes on from there"
WORDS = {
    DownloadProblem.OFFLINE: "there is no connection to {host}; the backbones that are here go on working",
    DownloadProblem.REFUSED: "{host} does not hand it out ({detail}); try again later",
    DownloadProblem.STALLED: f"{{host}} fell silent; {TRY_AGAIN}",
    DownloadProblem.TRUNCATED: f"the connection to {{host}} ended too early ({{detail}}); {TRY_AGAIN}",
    DownloadProblem.WRONG_HASH: "what arrived is not what was published, and was removed; try again, and if "
    "it happens twice, something between you and {host} changes downloads",
    DownloadProblem.DISK_FULL: "it cannot be written to {folder} ({detail}); make room or set FEWSHOT_MODELS",
    DownloadProblem.CANCELLED: f"cancelled; {TRY_AGAIN}",
    DownloadProblem.BUSY: "another program is downloading it already",
    DownloadProblem.NEEDS_TIMM: "it needs timm, or a newer one: pip install --upgrade timm",
}


def download(arguments: argparse.Namespace) -> int:
    """Return the exit code after bringing backbones here: 1 where one did not arrive."""
    arrived: list[BundleInfo] = []
    failed: list[dict[str, str]] = []
    for rung in _rungs(arguments.names):
        try:
            arrived.append(_fetched(rung, arguments))
        except (DownloadError, ForeignWeightsError, BundleError) as error:
            words = _words(error)
            told = error.kind is DownloadProblem.OFFLINE and words in (each["detail"] for each in failed)
            if not told:  # that a host is away is said once
                warn(f"{rung.name}: {words}")
            failed.append({"name": rung.name, "kind": str(error.kind), "detail": words})
    if arguments.json:
        say_json({"here": [bundle_values(each, Speeds()) for each in arrived], "failed": failed})
    return SOME_FAILED if failed else DONE


def add(arguments: argparse.Namespace) -> int:
    """Return the exit code after making a backbone of a person's own weights."""
    path: Path = arguments.file
    out = _new_path(arguments.name or path.stem)
    _refuse_own(path)
    try:
        info = _converted(arguments, path, out)
    except (ForeignWeightsError, BundleError, NetworkError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"it cannot be written to {out.parent} ({error.strerror or error})") from error
    if arguments.json:
        say_json(bundle_values(info, Speeds()))
    else:
        seen, network = info.preprocessing, architecture_name(info.architecture)
        say(
            f"{info.name} is here: {network}, {seen.side}x{seen.side} px, {prepared_words(seen)}, "
            f"{info.dimension} numbers a picture; use it with --backbone {info.name}"
        )
    return DONE


def remove(arguments: argparse.Namespace) -> int:
    """Return the exit code after removing a backbone of the user's, or what has arrived of one."""
    name, rung = arguments.name, rung_of(arguments.name)
    try:
        removed = remove_own(name)
        unfinished = rung is not None and drop(rung, unfinished_folder())
    except OSError as error:
        raise UsageError(f"{name} cannot be removed ({error.strerror or error})") from error
    except DownloadError as error:
        raise UsageError(f"{name}: {_words(error)}") from error
    if not (removed or unfinished):
        shipped = (models_folder() / f"{name}.safetensors").is_file()
        raise UsageError(
            f"{name} comes with the program and stays" if shipped else f"there is no backbone {name} of yours"
        )
    if arguments.json:
        say_json({"removed": name, "was_unfinished": not removed})
    else:
        say(f"{name} is removed" if removed else f"what had arrived of {name} is removed")
    return DONE


def _rungs(names: list[str]) -> list[Rung]:
    found = {name: rung_of(name) for name in names}
    unknown = [name for name, rung in found.items() if rung is None]
    if unknown:
        known = ", ".join(rung.name for rung in LADDER)
        raise UsageError(f"there is no {', '.join(unknown)} to download; there are {known}")
    return [rung for rung in found.values() if rung is not None]


def _fetched(rung: Rung, arguments: argparse.Namespace) -> BundleInfo:
    here = fetched(rung)
    if here is not None:
        _tell(arguments, f"{rung.name} is here already")
        return here
    with bar(f"{rung.title}, MB", arguments) as show:

        def progress(done: int, total: int | None) -> None:
            show(done // 1_000_000, (total or rung.size_bytes) // 1_000_000)

        info = fetch(rung, progress=progress, cancelled=lambda: False)
    _tell(
        arguments,
        f"{rung.name} is here, {size_words(info.size_bytes)}, licence: {rung.licence}; "
        f"use it with --backbone {rung.name}",
    )
    return info


def _tell(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.json:
        say(text)


def _words(error: DownloadError | ForeignWeightsError | BundleError) -> str:
    if isinstance(error, DownloadError):
        status = f"answer {error.status}" if error.status is not None else ""
        detail = " ".join(part for part in (status, error.detail) if part)
        return WORDS[error.kind].format(host=error.host, detail=detail, folder=user_models_folder())
    return error.detail


def _new_path(name: str) -> Path:
    """Return where a new bundle of that name goes.

    Raises:
        UsageError: the name is none, or taken.
    """
    if not is_name(name):
        raise UsageError(f"{name!r} is no name for a backbone; choose another with --name")
    if is_taken(name):
        raise UsageError(f"the name {name} is taken; choose another with --name")
    return own_path(name)


def _refuse_own(path: Path) -> None:
    """Check that a file is no bundle of this program, which needs no adding."""
    try:
        describe_bundle(path)
    except BundleError:
        return
    raise UsageError(f"{path} is a bundle of this program already; use it with --backbone {path}")


def _converted(arguments: argparse.Namespace, path: Path, out: Path) -> BundleInfo:
    from fewshot_gui.core.backbones import foreign  # noqa: PLC0415 - torch takes seconds to import

    about = {"title": out.stem, "licence": arguments.licence}
    if path.suffix.lower() == ".onnx":
        return foreign.convert_onnx(path, _told(arguments), **about, out=out)
    tensors = foreign.read_weights(path)
    named = arguments.architecture
    architecture = (
        foreign.sized_architecture(named, tensors)
        if named
        else foreign.guess_architecture(tensors, path.name)
    )
    if architecture is None:
        raise UsageError(
            f"{path}: no network of torchvision or timm is known whose weights have these names and shapes; "
            "say which it is with --architecture torchvision:NAME or timm:NAME"
        )
    preprocessing = replace(foreign.preprocessing_of(architecture), **_told(arguments))
    if {len(preprocessing.mean), len(preprocessing.std)} != {preprocessing.channels}:
        raise UsageError(f"its pictures have {preprocessing.channels} colours: give --mean and --std as many")
    return foreign.convert(path, architecture, preprocessing, **about, out=out, tensors=tensors)


def _told(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what was said of the pictures of the training."""
    told = {key: getattr(arguments, key) for key in ("side", "mean", "std")}
    return {key: value for key, value in told.items() if value}
