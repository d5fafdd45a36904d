"""A server on the loopback that does what a test tells it, and a rung of the ladder that leads to it."""

from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fewshot_gui.core.backbones.ladder import LADDER, Rung

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = bytes(range(256)) * 4096  # a megabyte: several pieces
ETAG = '"first"'
MODEL = "shufflenet_v2_x0_5"  # the smallest of torchvision's: 5 MB


@dataclass
class Served:
    """What the server does, and what it was asked.

    Attributes:
        content: of the file.
        etag: of the file; none where empty.
        behave: takes the place of an honest answer, as often as it stands there; None is an honest one.
        headers: more headers of an honest answer.
        asked: path, and the headers, of each request.
        release: ends a stall.
    """

    content: bytes = CONTENT
    etag: str = ETAG
    ranges: bool = True
    behave: list[Callable[[http.server.BaseHTTPRequestHandler], None] | None] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as `served` says."""

    served: Served
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.served.asked.append((self.path, dict(self.headers)))
        behave = self.served.behave.pop(0) if self.served.behave else None
        (behave or honest)(self)
        self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def honest(handler: Any, *, length: int | None = None, most: int | None = None) -> None:
    """Send the file or the rest of it; announce `length` bytes instead, or send no more than `most`."""
    served: Served = handler.served
    content, offset = served.content, 0
    wanted, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
    if served.ranges and wanted and condition == served.etag:
        offset = int(wanted.removeprefix("bytes=").rstrip("-"))
        if offset >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
    handler.send_response(206 if offset else 200)
    if offset:
        handler.send_header("Content-Range", f"bytes {offset}-{len(content) - 1}/{len(content)}")
    if served.etag:
        handler.send_header("ETag", served.etag)
    for name, value in served.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content) - offset if length is None else length))
    handler.end_headers()
    end = None if most is None else offset + most
    handler.wfile.write(content[offset:end])


def cut(most: int) -> Callable[[Any], None]:
    """Return what sends so many bytes and hangs up."""
    return lambda handler: honest(handler, most=most)


def stall(most: int) -> Callable[[Any], None]:
    """Return what sends so many bytes and then nothing, until the test ends."""

    def behave(handler: Any) -> None:
        honest(handler, most=most)
        handler.wfile.flush()
        handler.served.release.wait(30)

    return behave


def status(code: int, **headers: str) -> Callable[[Any], None]:
    """Return what answers with that status alone."""

    def behave(handler: Any) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


def rung_at(url: str, content: bytes = CONTENT, **changes: Any) -> Rung:
    """Return a rung whose file lies at that address."""
    values = {
        "name": "tiny",
        "title": "Tiny",
        "architecture": {"kind": "conv4", "channels": 3, "width": 8},
        "url": url,
        "sha256": hashlib.sha256(content).hexdigest()[:8],
        "size_bytes": len(content),
        "side": 16,
        "dimension": 8,
    }
    row = {name: getattr(LADDER[0], name) for name in LADDER[0].__dataclass_fields__}
    return Rung(**{**row, **values, **changes})
