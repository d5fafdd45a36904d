"""A whole window over a folder of real pictures, whose contents are known without a backbone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem
from fewshot_gui.core.images.identity import file_id
from fewshot_gui.engine import embedder
from fewshot_gui.engine.commands import AddCategory, LabelNoneOfThese, LabelPictures, new_category_id
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui import shell
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.theme import Appearance


def no_backbone(name: str) -> Any:
    raise BundleError(BundleProblem.MISSING, name, "there is none here")


def paint(path: Path, number: int) -> Path:
    """Write a small picture that no other one is like; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def tree(root: Path) -> dict[str, bytes]:
    """Return what lies below a folder: relative path to content."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@dataclass
class Evening:
    """A shell, its lanes, and a folder of pictures."""

    shell: shell.Shell
    lanes: Lanes
    bridge: MainThread
    qtbot: QtBot
    folder: Path
    closed: bool = False

    @property
    def window(self) -> MainWindow:
        assert self.shell.window is not None
        return self.shell.window

    def wait(self, done: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(done()), timeout=20_000)

    def open(self) -> None:
        """Open the folder, and know the content of every picture."""
        gallery = self.window.workspace.gallery
        gallery.open(str(self.folder))
        self.wait(lambda: gallery.count and not gallery.listing)
        self.know()

    def know(self) -> None:
        gallery = self.window.workspace.gallery
        rows = np.array([row for row, known in enumerate(gallery.ids) if known is None])
        ids = [file_id(gallery.files[row].path) for row in rows]
        gallery._rows.fill(rows, ids, np.zeros((len(rows), 4), np.float32))

    def decide(self, **names: list[int]) -> None:
        """Say of pictures, by their place in the list, which category they are; `none` is none of these."""
        session, gallery = self.window.workspace.session, self.window.workspace.gallery
        for name, rows in names.items():
            pictures = tuple(p for row in rows if (p := gallery.ids[row]) is not None)
            if name == "none":
                session.do(LabelNoneOfThese(pictures))
                continue
            category = new_category_id()
            session.do(AddCategory(category, name))
            session.do(LabelPictures(pictures, category))

    def dialog(self, kind: type[Any]) -> Any:
        """Return the dialog that is open."""
        found = [each for each in self.window.findChildren(kind) if each.isVisible()]
        assert len(found) == 1
        return found[0]

    def press(self, name: str) -> None:
        buttons = [b for b in self.window.findChildren(QPushButton, name) if b.isVisible()]
        assert len(buttons) == 1, name
        assert buttons[0].isEnabled(), name
        buttons[0].click()

    def ask(self, action: str) -> None:
        self.window.named_actions[action].trigger()

    def find(self, kind: type[QWidget], name: str) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None
        return found

    def close(self) -> None:
        """Close the window, where the test has not done so, and the lanes; a second time nothing."""
        if self.closed:
            return
        self.closed = True
        self.shell.close()
        assert self.shell.window is None
        self.shell.desk.close()
        assert all([lane.close(10) for lane in self.lanes.all()])  # noqa: C419 - every one
        self.bridge.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def start(
    appearance: Appearance, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Evening]]:
    """Starts the program, as often as wanted, one at a time, on the same data."""
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedder, "_load_bundle", no_backbone)
    monkeypatch.setattr(embedder, "_describe_bundle", no_backbone)
    monkeypatch.setattr(shell, "available_devices", list)
    monkeypatch.setattr(shell.Shell, "_warm_up", lambda *_: None)
    running: list[Evening] = []
    folder = tmp_path / "pictures"
    for number in range(6):
        paint(folder / f"{number}.png", number)

    def begin() -> Evening:
        bridge = MainThread()
        lanes = Lanes.start(bridge.post)
        evening = Evening(shell.Shell(lanes, bridge.post, appearance), lanes, bridge, qtbot, folder)
        running.append(evening)
        evening.shell.start(None)
        return evening

    yield begin
    for evening in running:
        evening.close()


@pytest.fixture
def evening(start: Callable[[], Evening]) -> Evening:
    """The program over six pictures: two cats, two dogs, one none of these, one undecided."""
    result = start()
    result.open()
    result.decide(Cats=[0, 1], Dogs=[2, 3], none=[4])
    return result
