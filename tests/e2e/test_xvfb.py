"""The program as a process of its own in a real X server, driven by a real pointer and real keys."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_content import read_content
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.engine.state import Document

PATIENCE = 60.0
LOOK_EVERY = 0.05
SIZE = 1366, 768

pytestmark = [
    pytest.mark.skipif(not shutil.which("Xvfb"), reason="no Xvfb here: install the package xvfb"),
    pytest.mark.skipif(not shutil.which("xdotool"), reason="no xdotool here: install the package xdotool"),
    pytest.mark.usefixtures("photo_weights"),
]


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """Return the first true answer of `look`, asked until the deadline: another process sends no events."""
    deadline = time.monotonic() + PATIENCE
    between = threading.Event()  # nobody sets it: it lets the other process have the core
    while time.monotonic() < deadline:
        answer = look()
        if answer:
            return answer
        between.wait(LOOK_EVERY)
    pytest.fail(f"{PATIENCE:.0f} s have passed without {what}")


@pytest.fixture
def display() -> Iterator[str]:
    """A real X server on a display that nobody uses; it chooses the number itself."""
    read, write = os.pipe()
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            server.kill()
            pytest.skip("Xvfb does not start here")
        yield f":{number}"
        server.terminate()


class Person:
    """Somebody in front of the screen: only pointer, keys, and what lies in the session file."""

    def __init__(self, display: str, session: Path) -> None:
        self._environment = dict(os.environ, DISPLAY=display, QT_QPA_PLATFORM="xcb", QT_SCALE_FACTOR="1")
        self.session = session

    def do(self, *words: object) -> str:
        """Run xdotool; return what it prints."""
        command = ["xdotool", *(str(word) for word in words)]
        ended = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        return ended.stdout.strip()

    @contextmanager
    def program(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the program, full screen as there is no window manager; it must end by itself."""
        command = [sys.executable, "-m", "fewshot_gui", str(self.session), "--colours", "light"]
        with subprocess.Popen(command, env=self._environment) as process:
            try:
                window = wait_for(
                    lambda: self.do("search", "--onlyvisible", "--name", "Few-shot Labeler"), "a window"
                ).split()[0]
                self.do("windowmove", "--sync", window, 0, 0, "windowsize", "--sync", window, *SIZE)
                # Without a window manager the keys go where the pointer was clicked: on a calm place.
                self.do("windowfocus", "--sync", window)
                yield process
                wait_for(lambda: process.poll() is not None, "the end of the program")
                assert process.returncode == 0
            finally:
                process.kill()

    def document(self) -> Document:
        """Return what lies in the session file now, whoever has it open."""
        return read_content(self.session).timeline.document

    def wait_for_counts(self, **wanted: int) -> None:
        def counts() -> dict[str, int]:
            return {each.name: len(each.examples) for each in self.document().categories}

        wait_for(lambda: counts() == wanted, f"the examples {wanted}; there are {counts()}")

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press, move in steps as a hand does, and let go."""
        self.do("mousemove", "--sync", *start, "mousedown", 1)
        steps = 12
        for step in range(1, steps + 1):
            place = [round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True)]
            self.do("mousemove", "--sync", *place)
        self.do("mousemove", "--sync", end[0] + 1, end[1] + 1, "mouseup", 1)


@pytest.fixture
def prepared(places: Path, support: Path, query: Path) -> Path:
    """A session with two categories and an open folder, as the program itself writes it."""
    from fewshot_gui.engine.commands import AddCategory
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.workspace import FOLDER_KEY

    path = places / "person.fewshot"
    disk = Worker("disk", lambda call: call())
    session = Session.create(path, disk)
    for name in ("warm", "cold"):
        session.do(AddCategory(CategoryId(name), name))
    session.remember(FOLDER_KEY, str(query))
    assert session.close()
    assert disk.close(20)
    return path


# Where things lie in a window of 1366 x 768: the layout is fixed by the tests of the panels.
TILE = 420, 330
SECOND_TILE = 580, 330
FIRST_CARD = 150, 150


def test_a_tile_is_dragged_to_a_card_taken_back_and_taught_by_key(display: str, prepared: Path) -> None:
    person = Person(display, prepared)
    with person.program():
        person.wait_for_counts(warm=0, cold=0)
        person.drag(TILE, FIRST_CARD)
        person.wait_for_counts(warm=1, cold=0)
        person.do("key", "ctrl+z")
        person.wait_for_counts(warm=0, cold=0)
        person.do("mousemove", "--sync", *SECOND_TILE, "click", 1, "key", "2")
        person.wait_for_counts(warm=0, cold=1)
        person.do("key", "ctrl+q")
    taught = person.document()
    with person.program():
        person.do("key", "ctrl+z")
        person.wait_for_counts(warm=0, cold=0)
        person.do("key", "ctrl+shift+z")
        person.wait_for_counts(warm=0, cold=1)
        person.do("key", "ctrl+q")
    assert person.document() == taught
