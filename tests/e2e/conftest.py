"""The whole program in this process, on the offscreen platform, and pictures that nobody can mistake."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableWidget, QWidget

from fewshot_gui.core.data_files import models_folder
from fewshot_gui.engine.session_places import recent_sessions
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui.app import build_application
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Category, Document
    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.query.gallery_view import GalleryView
    from fewshot_gui.gui.query.tile import Tile
    from fewshot_gui.gui.support.card import CategoryCard

COLOURS = {"red": (205, 25, 25), "green": (25, 165, 35), "blue": (30, 45, 215)}
# The first test of a process pays for importing torch, on cores that others use too.
PATIENCE_MS = 60_000
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def paint(path: Path, colour: str, seed: int) -> Path:
    """Write a noisy picture of one colour; return its path."""
    generator = np.random.default_rng(seed)
    pixels = np.array(COLOURS[colour]) + generator.integers(-20, 21, (96, 96, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return path


def paint_support(root: Path, each: int = 5, colours: tuple[str, ...] = ("red", "green", "blue")) -> Path:
    """Write a folder of class folders, so many pictures in each; return it."""
    for colour in colours:
        for number in range(each):
            paint(root / colour / f"{colour} {number}.png", colour, 1000 + number)
    return root


def paint_query(root: Path, each: int = 4, colours: tuple[str, ...] = ("red", "green", "blue")) -> Path:
    """Write a folder of loose pictures, so many of each colour; return it."""
    for colour in colours:
        for number in range(each):
            paint(root / f"{colour} {number}.png", colour, 2000 + number)
    return root


@dataclass
class Program:
    """The running program as a person has it before them."""

    shell: Shell
    qtbot: QtBot
    offered: list[QMimeData] = field(default_factory=list)

    @property
    def window(self) -> MainWindow:
        assert self.shell.window is not None
        return self.shell.window

    @property
    def session(self) -> Session:
        return self.window.workspace.session

    @property
    def document(self) -> Document:
        return self.session.document

    @property
    def scores(self) -> Scores:
        scores = self.window.workspace.predictor.scores
        assert scores is not None
        return scores

    @property
    def view(self) -> GalleryView:
        return self.window.query.folder.view

    # What can be seen -----------------------------------------------------------------------------------

    def wait(self, done: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(done()), timeout=PATIENCE_MS)

    def names(self) -> list[str]:
        return [category.name for category in self.document.categories]

    def counts(self) -> dict[str, int]:
        return {category.name: len(category.examples) for category in self.document.categories}

    def category(self, name: str) -> Category:
        return next(each for each in self.document.categories if each.name == name)

    def card(self, name: str) -> CategoryCard:
        card = self.window.support.cards.card(self.category(name).id)
        assert card is not None
        return card

    def tiles(self) -> dict[str, Tile]:
        model = self.window.query.folder.model
        tiles = [model.tile(position) for position in range(model.rowCount())]
        return {tile.name: tile for tile in tiles}

    def labels(self) -> dict[str, str]:
        return {name: tile.category for name, tile in self.tiles().items()}

    def settle(self) -> None:
        """Wait until every picture of the gallery has its answer from the present examples."""
        gallery, predictor = self.window.workspace.gallery, self.window.workspace.predictor

        def settled() -> bool:
            seen = gallery.count > 0 and not gallery.listing and gallery.embedded == gallery.count
            return bool(seen and not predictor.status.busy and self.scores.known.all())

        self.wait(settled)

    # What a person does ---------------------------------------------------------------------------------

    def find(self, kind: type[QWidget], name: str) -> QWidget:
        found = self.window.findChild(kind, name)
        assert isinstance(found, QWidget), f"there is no {name}"
        return found

    def find_dialog(self, table: str) -> QTableWidget:
        """Return the table of the dialog that is open."""
        found = self.window.findChild(QTableWidget, table)
        assert found is not None
        assert found.window().isVisible()
        return found

    def click(
        self, widget: QWidget, at: QPoint | None = None, keys: Qt.KeyboardModifier = _NO_MODIFIER
    ) -> None:
        place = at if at is not None else widget.rect().center()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, keys, place)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = _NO_MODIFIER) -> None:
        """Press a key where the focus is."""
        if QApplication.activeWindow() is None:  # the offscreen platform forgets it when a menu closes
            self.window.activateWindow()
            self.wait(self.window.isActiveWindow)
        QTest.keyClick(QApplication.focusWidget() or self.window, key, keys)

    def control(self, key: Qt.Key) -> None:
        self.key(key, Qt.KeyboardModifier.ControlModifier)

    def type(self, text: str) -> None:
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClicks(focused, text)

    def new_category(self, name: str) -> None:
        self.control(Qt.Key.Key_N)
        self.type(name)
        self.key(Qt.Key.Key_Return)

    def click_tile(self, name: str, keys: Qt.KeyboardModifier = _NO_MODIFIER) -> None:
        model = self.window.query.folder.model
        position = next(p for p in range(model.rowCount()) if model.tile(p).name == name)
        self.view.scrollTo(model.index(position))
        self.click(self.view.viewport(), self.view.visualRect(model.index(position)).center(), keys)

    def drop(self, target: QWidget, data: QMimeData, at: QPoint | None = None) -> None:
        """Drag `data` over the window to a widget and let it go there, as the system would tell Qt."""
        place = target.mapTo(self.window, at if at is not None else target.rect().center())
        receiver: QWidget | None = self.window.childAt(place)
        while receiver is not None and not receiver.acceptDrops():
            receiver = receiver.parentWidget()
        assert receiver is not None, "nothing takes drops here"
        self.offered.append(data)  # an event does not own what it carries
        local = QPointF(receiver.mapFrom(self.window, place))
        how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, _NO_MODIFIER
        enter = QDragEnterEvent(local.toPoint(), *how)
        QApplication.sendEvent(receiver, enter)
        assert enter.isAccepted(), f"{receiver.objectName()} refuses the drop"
        QApplication.sendEvent(receiver, QDragMoveEvent(local.toPoint(), *how))
        QApplication.sendEvent(receiver, QDropEvent(local, *how))

    def drop_files(self, target: QWidget, *paths: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        self.drop(target, data)

    def open_folder(self, folder: Path) -> None:
        self.drop_files(self.window.query.folder, folder)

    def teach_all(self, support: Path) -> None:
        """Drop a folder of class folders on the panel."""
        self.drop_files(self.window.support, support)
        wanted = sum(1 for path in support.rglob("*") if path.is_file())
        self.wait(lambda: sum(self.counts().values()) == wanted)


@dataclass
class Stage:
    """Starts the program, as often as wanted, one at a time."""

    qtbot: QtBot
    qapp: QApplication
    programs: list[tuple[Program, Lanes, MainThread]] = field(default_factory=list)
    unexpected: list[Exception] = field(default_factory=list)

    def start(self, session: Path | str | None = None, *, sample: bool = False) -> Program:
        bridge = MainThread()
        lanes = Lanes.start(bridge.post)
        shell = Shell(lanes, bridge.post, self.qapp.property("appearance"))
        for lane in lanes.all():
            lane.on_error.connect(self.unexpected.append)
        program = Program(shell, self.qtbot)
        self.programs.append((program, lanes, bridge))
        shell.start(str(session) if session else None, sample=sample)
        program.window.resize(1366, 768)
        program.window.activateWindow()
        self.qtbot.waitUntil(program.window.isActiveWindow)
        return program

    def close(self, program: Program) -> None:
        """Close the window by its key, and end the threads as `main` does."""
        if program.shell.window is not None:
            program.window.activateWindow()
            QTest.keyClick(program.window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
        assert program.shell.window is None, "the window did not close"
        self._end(program)

    def _end(self, program: Program) -> None:
        ended = next(each for each in self.programs if each[0] is program)
        self.programs.remove(ended)
        _program, lanes, bridge = ended
        assert all([lane.close(20) for lane in lanes.all()]), "a lane does not end"  # noqa: C419 - close all
        bridge.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def close_all(self) -> None:
        for program, _lanes, _bridge in tuple(self.programs):
            program.shell.close()
            self._end(program)


def _need_weights(name: str) -> None:
    if not (models_folder() / f"{name}.safetensors").is_file():
        pytest.skip(
            f"{models_folder()} holds no weights of {name}: train them, or fetch them with the repository"
        )


@pytest.fixture
def photo_weights() -> None:
    """Skip where the backbone for photos is not there."""
    _need_weights("photo")


@pytest.fixture
def drawing_weights() -> None:
    """Skip where the backbone for drawings is not there."""
    _need_weights("omniglot-conv4")


@pytest.fixture
def support(tmp_path: Path) -> Path:
    """A folder of three class folders, five pictures in each."""
    return paint_support(tmp_path / "support")


@pytest.fixture
def query(tmp_path: Path) -> Path:
    """A folder of twelve loose pictures, four of each colour."""
    return paint_query(tmp_path / "query")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return tmp_path, in which the program keeps its sessions and its cache."""
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    assert recent_sessions() == []
    return tmp_path


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, places: Path) -> Iterator[Stage]:
    """The place where the program runs; nothing of it may be left when the test is over."""
    before = set(threading.enumerate())
    build_application("light")
    result = Stage(qtbot, qapp)
    yield result
    result.close_all()
    assert not result.unexpected
    qapp.setStyleSheet("")
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not left, f"threads are left: {left}"
    windows = [each for each in QApplication.topLevelWidgets() if each.parent() is None and each.isVisible()]
    assert not windows, f"windows are left: {windows}"


@pytest.fixture
def app(stage: Stage) -> Program:
    """The program with a new, empty session."""
    return stage.start()
