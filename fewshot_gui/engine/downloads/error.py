"""Why a download did not arrive."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit


class DownloadProblem(StrEnum):
    """Why a download did not arrive, and what becomes of the part that did.

    The part is kept, to go on from, unless it says otherwise.
    """

    OFFLINE = "offline"
    """The host cannot be reached."""
    REFUSED = "refused"
    """The server, or a proxy before it, says no; or it names no checksum, or leads to an unsafe address."""
    STALLED = "stalled"
    """Nothing came for as long as we wait."""
    TRUNCATED = "truncated"
    """The connection ended before the file did."""
    WRONG_HASH = "wrong-hash"
    """What arrived is not the file that was asked for; it is removed."""
    DISK_FULL = "disk-full"
    """The disk has no room for it, or cannot be written; a part that filled it is removed."""
    CANCELLED = "cancelled"
    """Nobody wants it any more."""
    BUSY = "busy"
    """Another program, or another window, is downloading it already."""
    NEEDS_TIMM = "needs-timm"
    """The library that builds the network, timm, is not installed, or does not know the network yet."""


class DownloadError(Exception):
    """A download that did not arrive.

    Args:
        kind: why.
        url: what was asked for.
        detail: what the system or the server said; may be empty.
        status: of an HTTP answer; None where there was none.
    """

    def __init__(
        self, kind: DownloadProblem, url: str, detail: str = "", *, status: int | None = None
    ) -> None:
        super().__init__(f"{url}: {kind}{f' ({detail})' if detail else ''}")
        self.kind = kind
        self.url = url
        self.detail = detail
        self.status = status

    @property
    def host(self) -> str:
        """Return the host that was asked."""
        return urlsplit(self.url).hostname or ""
