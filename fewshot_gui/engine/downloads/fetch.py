"""Brings a rung of the ladder here: downloaded, made a bundle of the user's, and cleaned up after."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.data_files import user_models_folder
from fewshot_gui.engine.downloads.connection import TIMEOUT_SECONDS
from fewshot_gui.engine.downloads.download import download, part_path
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.engine.downloads.download import Asked, Progress

UNFINISHED: Final = "downloads"


def unfinished_folder() -> Path:
    """Return where downloads lie until they are bundles; they are none yet, so apart from those."""
    return user_models_folder() / UNFINISHED


def arrived_bytes(rung: Rung) -> int:
    """Return how many bytes of a download are here, to go on from; 0 where none was begun."""
    part = part_path(rung, unfinished_folder())
    return part.stat().st_size if part.is_file() else 0


def remove(name: str) -> bool:
    """Return whether the user has a bundle of that name, which is removed with its card, sound or not.

    Raises:
        OSError: it cannot be removed.
    """
    path = next((path for path in user_models_folder().glob("*.safetensors") if path.stem == name), None)
    if path is None:
        return False
    path.unlink()
    path.with_suffix(".md").unlink(missing_ok=True)
    return True


def fetched(rung: Rung) -> BundleInfo | None:
    """Return the bundle that was made of a rung, None where it is not here or not sound."""
    with suppress(BundleError):
        return describe_bundle(user_models_folder() / f"{rung.name}.safetensors")
    return None


def fetch(
    rung: Rung, *, progress: Progress, cancelled: Asked, timeout_seconds: float = TIMEOUT_SECONDS
) -> BundleInfo:
    """Return the bundle of a rung, downloaded and converted unless it is here already.

    Args:
        rung: what to bring here.
        progress: told the bytes that are here and the bytes in all (None while unknown).
        cancelled: whether nobody wants it any more.
        timeout_seconds: how long to wait for a connection, an answer, and each next byte.

    Raises:
        DownloadError: it did not arrive; NEEDS_TIMM before anybody is asked for anything.
        ForeignWeightsError: it arrived, but its weights do not fit the network of the library that is here.
    """
    here = fetched(rung)
    if here is not None:
        return here
    if rung.source == "timm" and find_spec("timm") is None:
        raise DownloadError(DownloadProblem.NEEDS_TIMM, rung.url)
    raw = download(
        rung, unfinished_folder(), progress=progress, cancelled=cancelled, timeout_seconds=timeout_seconds
    )
    if cancelled():
        raise DownloadError(DownloadProblem.CANCELLED, rung.url)
    return _converted(rung, raw)


def _converted(rung: Rung, raw: Path) -> BundleInfo:
    from fewshot_gui.core.backbones.foreign import (  # noqa: PLC0415 - torch takes seconds to import
        ForeignWeightsError,
        convert,
    )

    try:
        info = convert(
            raw,
            dict(rung.architecture),
            rung.preprocessing,
            title=rung.title,
            licence=rung.licence,
            out=user_models_folder() / f"{rung.name}.safetensors",
        )
    except ForeignWeightsError:
        raw.unlink()  # nothing would be gained by trying again with the same file
        raise
    except OSError as error:
        raise DownloadError(DownloadProblem.DISK_FULL, rung.url, str(error)) from error
    raw.unlink()
    return info
