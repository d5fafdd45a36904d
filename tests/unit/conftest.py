"""What the tests of the engine and of the commands share: a server on the loopback."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from tests.unit.loopback import Handler, Served, rung_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fewshot_gui.core.backbones.ladder import Rung


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that is honest until it is told otherwise; no proxy stands before it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    state = Served()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"served": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rung(served: Served) -> Rung:
    """A rung whose file the server has."""
    return rung_at(f"{served.url}/models/tiny.pth")
