"""Brings a rung of the ladder here: downloaded, made a bundle of the user's, and cleaned up after."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.own_bundles import own_path
from fewshot_gui.core.data_files import user_models_folder
from fewshot_gui.engine.downloads.connection import TIMEOUT_SECONDS
from fewshot_gui.engine.downloads.download import downloaded, part_path, raw_path
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.engine.downloads.download import Asked, Progress

UNFINISHED: Final = "downloads"
_LIES_WITH_US: Final = frozenset({
    ForeignProblem.NEEDS_PACKAGE, ForeignProblem.CANNOT_BUILD, ForeignProblem.DOES_NOT_RUN,
})  # fmt: skip
"""A package here is missing or too old: with another one the same file will do."""


def unfinished_folder() -> Path:
    """Return where downloads lie until they are bundles; they are none yet, so apart from those."""
    return user_models_folder() / UNFINISHED


def arrived_bytes(rung: Rung) -> int:
    """Return how many bytes of a download are here, all or to go on from; 0 where none was begun."""
    for place in (raw_path, part_path):
        with suppress(OSError):  # it may be made a bundle, or removed, this moment
            return place(rung, unfinished_folder()).stat().st_size
    return 0


def fetched(rung: Rung) -> BundleInfo | None:
    """Return the bundle that was made of a rung, None where it is not here or its weights are damaged."""
    with suppress(BundleError):
        info = describe_bundle(own_path(rung.name))
        from fewshot_gui.core.backbones.bundle import checked_tensors  # noqa: PLC0415 - torch takes seconds

        checked_tensors(info)
        return info
    return None


def fetch(
    rung: Rung, *, progress: Progress, cancelled: Asked, timeout_seconds: float = TIMEOUT_SECONDS
) -> BundleInfo:
    """Return the bundle of a rung, downloaded and converted unless it is here already.

    Args:
        rung: what to bring here.
        progress: told the bytes that are here and the bytes in all (None while unknown); both are the same
            before it is converted.
        cancelled: whether nobody wants it any more.
        timeout_seconds: how long to wait for a connection, an answer, and each next byte.

    Raises:
        DownloadError: it did not arrive; NEEDS_TIMM before anybody is asked for anything, or where the timm
            that is here does not know the network.
        ForeignWeightsError: it arrived, but its weights do not fit the network of the library that is here.
    """
    here = fetched(rung)
    if here is not None:
        return here
    if rung.source == "timm" and find_spec("timm") is None:
        raise DownloadError(DownloadProblem.NEEDS_TIMM, rung.url)
    with downloaded(
        rung, unfinished_folder(), progress=progress, cancelled=cancelled, timeout_seconds=timeout_seconds
    ) as raw:
        size = raw.stat().st_size
        progress(size, size)
        if cancelled():
            raise DownloadError(DownloadProblem.CANCELLED, rung.url)
        return _converted(rung, raw)


def _converted(rung: Rung, raw: Path) -> BundleInfo:
    from fewshot_gui.core.backbones.foreign import convert  # noqa: PLC0415 - torch takes seconds to import

    try:
        info = convert(
            raw,
            dict(rung.architecture),
            rung.preprocessing,
            title=rung.title,
            licence=rung.licence,
            out=own_path(rung.name),
        )
    except ForeignWeightsError as error:
        if error.kind not in _LIES_WITH_US:
            raw.unlink(missing_ok=True)  # nothing would be gained by trying again with the same file
        elif rung.source == "timm" and error.kind is not ForeignProblem.DOES_NOT_RUN:
            raise DownloadError(DownloadProblem.NEEDS_TIMM, rung.url, error.detail) from error
        raise
    except OSError as error:
        raise DownloadError(DownloadProblem.DISK_FULL, rung.url, str(error)) from error
    raw.unlink(missing_ok=True)
    return info
