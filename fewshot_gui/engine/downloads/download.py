"""Downloads one file: goes on where it stopped, checks what arrived, and lands it whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import shutil
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fewshot_gui.engine.downloads.connection import TIMEOUT_SECONDS, ask
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.downloads.part import Part
from fewshot_gui.engine.lease import Lease, LeaseTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse
    from pathlib import Path

    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.engine.downloads.connection import Answer

    Progress = Callable[[int, int | None], None]
    Asked = Callable[[], bool]

PIECE: Final = 1 << 18
MOST_TIMES_EXPECTED: Final = 2
"""A server that sends more than this times the size in the ladder sends something else."""


def raw_path(rung: Rung, folder: Path) -> Path:
    """Return where the download of a rung lands; another address of it is another file."""
    suffix = PurePosixPath(urlsplit(rung.url).path).suffix
    return folder / f"{rung.name}-{hashlib.sha256(rung.url.encode()).hexdigest()[:8]}{suffix}"


def part_path(rung: Rung, folder: Path) -> Path:
    """Return where the bytes are kept until all of them are here."""
    return raw_path(rung, folder).with_suffix(".part")


@contextmanager
def downloaded(
    rung: Rung,
    folder: Path,
    *,
    progress: Progress,
    cancelled: Asked,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Iterator[Path]:
    """Hold the downloaded weights, whole and of the right hash, for what is made of them by nobody else.

    Their SHA-256 is compared with that of the ladder; where the ladder has none, with the one that the server
    names in X-Linked-ETag or ETag, which shows damage on the way but not a server that lies.
    What arrives is kept in a `.part` file beside it, from which the next call goes on; where all of it is
    here already, nothing is asked.

    Args:
        rung: what to download.
        folder: made if missing.
        progress: told the bytes that are here and the bytes in all (None while unknown), after each piece.
        cancelled: asked before each piece; a silent server is left after `timeout_seconds` at the latest.
        timeout_seconds: how long to wait for a connection, an answer, and each next byte.

    Raises:
        DownloadError: it did not arrive, or is not what was asked for.
    """
    target, part_file = raw_path(rung, folder), part_path(rung, folder)
    with _alone(rung.url, part_file):
        if not target.is_file():
            with _writable(rung.url):
                part = Part(part_file)
                if not part.complete:
                    _fill(part, rung, progress, cancelled, timeout_seconds)
                _check(part, rung)
                part.become(target)
        yield target


@contextmanager
def _writable(url: str) -> Iterator[None]:
    """Say of an error of the file system that the disk is full or cannot be written."""
    try:
        yield
    except OSError as error:
        raise DownloadError(DownloadProblem.DISK_FULL, url, str(error)) from error


@contextmanager
def _alone(url: str, part_file: Path) -> Iterator[None]:
    """Hold the sole right to the part, and to what becomes of it."""
    try:
        with _writable(url):
            part_file.parent.mkdir(parents=True, exist_ok=True)
            lease = Lease(part_file)
    except LeaseTakenError as error:
        raise DownloadError(DownloadProblem.BUSY, url) from error
    try:
        yield
    finally:
        lease.release()


def drop(rung: Rung, folder: Path) -> bool:
    """Return whether there was something of an unfinished download, which is removed.

    Raises:
        DownloadError: BUSY, or DISK_FULL where it cannot be removed.
    """
    target, part_file = raw_path(rung, folder), part_path(rung, folder)
    found = target.is_file() or part_file.is_file()
    if found:
        with _alone(rung.url, part_file), _writable(rung.url):
            target.unlink(missing_ok=True)
            Part(part_file).clear()
    return found


def _fill(part: Part, rung: Rung, progress: Progress, cancelled: Asked, timeout_seconds: float) -> None:
    if cancelled():
        raise DownloadError(DownloadProblem.CANCELLED, rung.url)
    answer = ask(rung.url, part, timeout_seconds)
    if answer is None:  # it cannot be gone on from
        part.clear()
        answer = ask(rung.url, part, timeout_seconds)
    if answer is None:
        raise DownloadError(DownloadProblem.REFUSED, rung.url, "an answer without sense")
    with answer.body:
        _accept(answer, part, rung)
        _receive(answer, part, rung, progress, cancelled)


def _accept(answer: Answer, part: Part, rung: Rung) -> None:
    """Look at what is offered before a byte of it is taken."""
    if not (rung.sha256 or answer.checksum):
        raise DownloadError(DownloadProblem.REFUSED, rung.url, "it names no checksum")
    if answer.total is not None:
        if answer.total > MOST_TIMES_EXPECTED * rung.size_bytes:
            part.clear()
            raise DownloadError(DownloadProblem.WRONG_HASH, rung.url, f"{answer.total} bytes")
        if shutil.disk_usage(part.path.parent).free < answer.total - answer.offset:
            raise DownloadError(DownloadProblem.DISK_FULL, rung.url, f"{answer.total} bytes")
    if not answer.offset:
        part.clear()  # else the note of the new file could stand beside bytes of the old one
    part.note(answer.total, answer.validator, answer.checksum)


def _receive(answer: Answer, part: Part, rung: Rung, progress: Progress, cancelled: Asked) -> None:
    most = answer.total if answer.total is not None else MOST_TIMES_EXPECTED * rung.size_bytes
    done = answer.offset
    progress(done, answer.total)
    with part.appending(done) as write:
        while done < most:
            if cancelled():
                raise DownloadError(DownloadProblem.CANCELLED, rung.url)
            piece = _read(answer.body, min(PIECE, most - done), rung.url)
            if not piece:
                break
            _write(write, piece, part, rung.url)
            done += len(piece)
            progress(done, answer.total)
    if answer.total is not None and done < answer.total:
        raise DownloadError(DownloadProblem.TRUNCATED, rung.url, f"{done} of {answer.total} bytes")


def _read(body: HTTPResponse, most: int, url: str) -> bytes:
    """Return what has come, at least a byte; nothing at the end."""
    try:
        return body.read1(most)
    except TimeoutError as error:
        raise DownloadError(DownloadProblem.STALLED, url, str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(DownloadProblem.TRUNCATED, url, str(error)) from error


def _write(write: Callable[[bytes], None], piece: bytes, part: Part, url: str) -> None:
    try:
        write(piece)
    except OSError as error:
        part.clear()  # a disk that we filled is of no use to anybody
        raise DownloadError(DownloadProblem.DISK_FULL, url, str(error)) from error


def _check(part: Part, rung: Rung) -> None:
    with part.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith((rung.sha256 or part.checksum).lower()):
        part.clear()
        raise DownloadError(DownloadProblem.WRONG_HASH, rung.url, found)
