"""Asks a server for a file or the rest of one, through the proxies that the environment names."""

from __future__ import annotations

import http.client
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem

if TYPE_CHECKING:
    from http.client import HTTPMessage, HTTPResponse

    from fewshot_gui.engine.downloads.part import Part

TIMEOUT_SECONDS: Final = 15.0
"""How long we wait for a connection, for an answer, and for each next byte."""

_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sends.

    Attributes:
        body: to be read; it holds the bytes from `offset` on.
        offset: of the first byte, in the file.
        total: bytes in the whole file; None where the server does not say.
        checksum: the SHA-256 of the whole file as 64 hex digits; empty where the server does not say.
        validator: an ETag or a date that changes when the file does; empty where the server gives none.
    """

    body: HTTPResponse
    offset: int
    total: int | None
    checksum: str
    validator: str


class _Redirects(HTTPRedirectHandler):
    """Follows the server elsewhere, never from an encrypted address to an open one.

    The host of timm's weights names their SHA-256 in the header X-Linked-ETag of the answer that leads to
    where the bytes lie, not in that of the bytes.
    """

    def __init__(self) -> None:
        self.checksum = ""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request for where the server leads.

        Raises:
            HTTPError: it leads to an unsafe address.
        """
        scheme = newurl.partition(":")[0].lower()
        if scheme != "https" and (req.type == "https" or scheme != "http"):
            raise HTTPError(newurl, code, "it leads to an unsafe address", headers, fp)
        self.checksum = self.checksum or _checksum(headers, "X-Linked-ETag")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def ask(url: str, part: Part, timeout_seconds: float) -> Answer | None:
    """Return what the server sends of a file, from where `part` ends; None where one must begin anew.

    A part whose server gave no validator is never gone on from: the file may have changed since.

    Raises:
        DownloadError: OFFLINE, REFUSED or STALLED.
    """
    headers = {"User-Agent": "fewshot-labeler", "Accept-Encoding": "identity"}
    if part.size and part.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    redirects = _Redirects()
    request = Request(url, headers=headers)  # noqa: S310 - the address is a row of the ladder, not a person's
    try:
        body = build_opener(redirects).open(request, timeout=timeout_seconds)
    except HTTPError as error:
        error.close()
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
            return None
        raise DownloadError(DownloadProblem.REFUSED, url, str(error.reason), status=error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_problem(error), url, _detail(error)) from error
    answer = _answer(body, redirects.checksum)
    if answer is None or answer.offset not in {0, part.size}:
        body.close()
        return None
    return answer


def _answer(body: HTTPResponse, checksum: str) -> Answer | None:
    """Return what the headers say; None where they make no sense."""
    length = body.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    offset = 0
    if body.status == HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", body.headers.get("Content-Range", ""))
        if found is None:
            return None
        offset, total = int(found[1]), int(found[2])
    etag = body.headers.get("ETag", "")
    # A weak ETag promises the same meaning, not the same bytes.
    validator = etag if etag.startswith('"') else body.headers.get("Last-Modified", "")
    checksum = checksum or _checksum(body.headers, "X-Linked-ETag") or _checksum(body.headers, "ETag")
    return Answer(body, offset, total, checksum, validator)


def _checksum(headers: HTTPMessage, name: str) -> str:
    value = headers.get(name, "").strip('"')
    return value.lower() if _SHA256.fullmatch(value) else ""


def _problem(error: Exception) -> DownloadProblem:
    """Return why there is no answer; urllib wraps what happens before the request is sent in a URLError."""
    if isinstance(error, URLError):
        reason = error.reason
        unsafe = isinstance(reason, ssl.SSLError)
        proxy = isinstance(reason, OSError) and "Tunnel connection failed" in str(reason)
        return DownloadProblem.REFUSED if unsafe or proxy else DownloadProblem.OFFLINE
    if isinstance(error, TimeoutError):
        return DownloadProblem.STALLED
    return (
        DownloadProblem.REFUSED if isinstance(error, http.client.HTTPException) else DownloadProblem.OFFLINE
    )


def _detail(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return str(reason)
