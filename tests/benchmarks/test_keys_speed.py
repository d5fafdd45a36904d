"""Answering from the keyboard over 100,000 pictures: no key is lost, and the next picture is soon there."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from fewshot_gui.core.images.identity import picture_id
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, AddExamples
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.scores import RawScores, unknown, with_rows
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.engine.taught import RowIndex
from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.query.folder_page import FolderPage
from fewshot_gui.gui.theme import Appearance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)

ROWS, CLASSES, DIMENSION = 100_000, 6, 128
NAMES = tuple(CategoryId(f"{index:032x}") for index in range(CLASSES))
KEYS_A_SECOND = 20
SECONDS = 5
NEXT_PICTURE_MS = 50.0
UNDO_MS = 100.0


class Rows:
    """An embedded folder of 100,000 pictures."""

    def __init__(self) -> None:
        self.listed: Event[[]] = Event()
        self.progressed: Event[[int, int]] = Event()
        self.folder, self.listing = "/p", False
        self.files = [PictureFile(f"/p/{row}.jpg", 10, row) for row in range(ROWS)]
        self.ids = [picture_id(row.to_bytes(4, "big")) for row in range(ROWS)]
        self.count = self.embedded = ROWS
        self.embeddings = np.random.default_rng(0).standard_normal((ROWS, DIMENSION), np.float32)
        self.known = np.ones(ROWS, np.bool_)
        self.missing = np.zeros(ROWS, np.bool_)

    def prefer(self, rows: object) -> None:
        pass


class Says:
    """Follows what a person says, as the predictor does."""

    def __init__(self, session: Session, gallery: Rows) -> None:
        self.updated: Event[[Any]] = Event()
        random = np.random.default_rng(1)
        table = random.dirichlet(np.full(CLASSES, 0.3), ROWS).astype(np.float32)
        raw = RawScores(
            table, 1 - table, random.random(ROWS, np.float32), np.zeros((ROWS, 1), np.int32),
            np.zeros((ROWS, 1), np.float32),
        )  # fmt: skip
        self.scores = with_rows(unknown(ROWS, NAMES, cutoff=0.9), np.arange(ROWS), raw)
        self._index = RowIndex()
        self._index.note(range(ROWS), gallery.ids)
        self._index.owners(session.document, NAMES, ROWS)
        session.changed.connect(lambda _before, after: self._follow(after))

    def _follow(self, document: Any) -> None:
        owners = self._index.owners(document, NAMES, ROWS)
        self.scores = replace(self.scores, taught=owners.taught, said=owners.said)
        self.updated.emit(self.scores)


@pytest.fixture
def page(qapp: QApplication, tmp_path: Path) -> Iterator[FolderPage]:
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    lanes = [Worker("disk", posted.put), Worker("order", posted.put)]
    session = Session.create(tmp_path / "speed.fewshot", lanes[0])
    for number, name in enumerate(NAMES):
        session.do(AddCategory(name, f"Category {number}"))
        session.do(AddExamples(name, (Example(f"{number:032x}", "x"),)))  # type: ignore[arg-type]
    gallery = Rows()
    library: Any = SimpleNamespace(thumbnail=lambda *_a, **_k: SimpleNamespace(cancel=lambda: None))
    result = FolderPage(
        session, gallery, Says(session, gallery), library, SimpleNamespace(),  # type: ignore[arg-type]
        Appearance(), lane=lanes[1],
    )  # fmt: skip
    result.posted = posted  # type: ignore[attr-defined]
    result.resize(730, 660)
    result.show()
    result.piles.teaching.click()
    yield result
    result.close()
    result.deleteLater()
    session.close(discard=True)
    assert all([lane.close(10) for lane in lanes])  # noqa: C419 - every one


def turn(page: FolderPage) -> None:
    """Let Qt paint and the lanes deliver, as between two keys."""
    posted: SimpleQueue[Callable[[], None]] = page.posted  # type: ignore[attr-defined]
    try:
        while True:
            posted.get_nowait()()
    except Empty:
        pass
    QApplication.processEvents()


@pytest.mark.parametrize("pile", [None, Pile.ASK])
def test_twenty_keys_a_second_drop_none_and_label_what_is_at_the_cursor(
    page: FolderPage, pile: Pile | None
) -> None:
    page.piles.choose(pile)
    page.view.setFocus()
    page.view.go_to(0)
    turn(page)
    labels = page._session
    keys = [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_N, Qt.Key.Key_Return]
    took: list[float] = []
    busy: list[float] = []
    wrong = 0
    begun = time.perf_counter()
    for number in range(KEYS_A_SECOND * SECONDS):
        while time.perf_counter() < begun + number / KEYS_A_SECOND:
            turn(page)  # the hand rests until the next key is due
        row = int(page.model.order[page.view.currentIndex().row()])
        before = time.perf_counter()
        key = keys[number % len(keys)]
        busy.append(hold(lambda key=key: answer(page, key)))  # type: ignore[misc]
        took.append(1000 * (time.perf_counter() - before))
        wrong += page._gallery.ids[row] not in labels.document.labels
    assert wrong == 0
    assert len(labels.document.labels) == KEYS_A_SECOND * SECONDS
    middle, worst, own = float(np.median(took)), max(took), float(np.median(busy))
    print(f"\n{pile}: next picture after {middle:.1f} ms (median), {worst:.1f} ms (worst), {own:.1f} ms of")
    print(f"its own; {middle / NEXT_PICTURE_MS:.2f} of the {NEXT_PICTURE_MS:.0f} ms allowed")
    assert own < NEXT_PICTURE_MS, "its own time, for another program may hold the processor"


def test_accepting_most_of_all_never_holds_the_window_for_long(page: FolderPage) -> None:
    page.piles.set_boldness(0.95)
    page.model.set_boldness(0.95)
    page.piles.choose(Pile.SURE)
    count = len(page.deciding.answers.acceptable())
    done: list[bool] = []
    page.deciding.answers.finished.connect(lambda: done.append(True))
    holds = [hold(page.piles.accept.click)]
    while not done:
        holds.append(hold(lambda: turn(page)))
    undo = hold(page._session.undo)
    assert not page._session.document.labels
    print(f"\naccepting {count:,}: the window is held for {max(holds):.0f} ms at most, "
          f"{sum(holds):.0f} ms in all; taking it back {undo:.0f} ms")  # fmt: skip
    assert max(holds) < sum(holds) / 3
    assert undo < UNDO_MS


def answer(page: FolderPage, key: Qt.Key) -> None:
    """Press a key, and let the next picture be painted at the cursor."""
    QTest.keyClick(page.view, key)
    turn(page)


def hold(work: Callable[[], object]) -> float:
    """Return how long the main thread is busy with something, in milliseconds of its own time."""
    begun = time.thread_time()
    work()
    return 1000 * (time.thread_time() - begun)
