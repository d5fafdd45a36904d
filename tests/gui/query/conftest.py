"""A folder, its predictions and a library for the gallery tests: small, with answers that are known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, AddExamples, new_category_id
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.predictor_status import PredictorStatus
from fewshot_gui.engine.scores import RawScores, Said, Scores, unknown, with_rows
from fewshot_gui.engine.state import Example
from fewshot_gui.engine.taught import RowIndex
from fewshot_gui.gui.query.folder_page import FolderPage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.deciding.shots import ShotsCurve
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Decision, Document
    from fewshot_gui.gui.theme import Appearance


class FakeGallery:
    """Rows that a test lists as it likes."""

    def __init__(self) -> None:
        self.listed: Event[[]] = Event()
        self.progressed: Event[[int, int]] = Event()
        self.folder = ""
        self.files: list[PictureFile] = []
        self.ids: list[str | None] = []
        self.embedded = 0
        self.listing = False
        self.preferred: list[int] = []
        self.opened: list[str] = []
        self.rescans = 0
        self.vectors: np.ndarray[Any, np.dtype[np.float32]] | None = None

    @property
    def embeddings(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.zeros((0, 2), np.float32) if self.vectors is None else self.vectors

    @property
    def known(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.ones(self.count, np.bool_)

    @property
    def missing(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.zeros(self.count, np.bool_)

    @property
    def count(self) -> int:
        return len(self.files)

    def show(self, folder: str, count: int) -> None:
        """Be this folder with so many pictures; adds rows where it is that folder already."""
        if folder != self.folder:
            self.folder, self.files, self.ids = folder, [], []
        for number in range(len(self.files), count):
            self.files.append(PictureFile(f"{folder}/img{number}.jpg", 10, number))
            self.ids.append(f"{number:032x}")
        self.embedded = count
        self.listed.emit()

    def open(self, folder: str) -> None:
        self.opened.append(folder)

    def rescan(self) -> None:
        self.rescans += 1

    def prefer(self, rows: Sequence[int]) -> None:
        self.preferred = list(rows)

    def row_of(self, path: str) -> int | None:
        return next((row for row, file in enumerate(self.files) if file.path == path), None)


class FakePredictor:
    """Says what the test says."""

    def __init__(self) -> None:
        self.updated: Event[[Scores]] = Event()
        self.examined: Event[[LooReport]] = Event()
        self.status_changed: Event[[PredictorStatus]] = Event()
        self.adapting: Event[[int, int, float]] = Event()
        self.scores: Scores | None = None
        self.report: LooReport | None = None
        self.status = PredictorStatus()
        self.inner_loop = None
        self.examiner = self
        self.shots_wanted: list[Callable[[ShotsCurve], None]] = []
        self.examining = False

    def say(self, scores: Scores) -> None:
        self.scores = scores
        self.updated.emit(scores)

    def examine(self, report: LooReport) -> None:
        """Say how well the examples explain each other."""
        self.report = report
        self.examined.emit(report)

    def ask_shots(self, then: Callable[[ShotsCurve], None]) -> None:
        """What the examiner is asked for."""
        self.shots_wanted.append(then)

    def cancel_fit(self) -> None:
        """What the inner loop's button asks for."""

    def refresh(self) -> None:
        """What the inner loop's other button asks for."""


class FakeJob:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLibrary:
    """Keeps every wish until the test answers it."""

    def __init__(self) -> None:
        self.wishes: list[tuple[PictureFile, int, Callable[..., None], Callable[..., None], FakeJob]] = []
        self.large: list[tuple[str, Callable[..., None], Callable[..., None]]] = []

    def thumbnail(self, file: PictureFile, side: int, then: Any, failed: Any = None) -> FakeJob:
        job = FakeJob()
        self.wishes.append((file, side, then, failed, job))
        return job

    def pixels(self, path: str, then: Any, failed: Any = None, **_options: Any) -> FakeJob:
        self.large.append((path, then, failed))
        return FakeJob()

    @property
    def open_wishes(self) -> list[PictureFile]:
        return [file for file, _, _, _, job in self.wishes if not job.cancelled]

    def answer(self, colour: tuple[int, int, int] = (200, 30, 30)) -> None:
        """Answer every wish that was not cancelled with a picture of one colour."""
        wishes, self.wishes = self.wishes, []
        for _, side, then, _, job in wishes:
            if not job.cancelled:
                then(np.full((side * 3 // 4, side, 3), colour, np.uint8))

    def refuse(self, error: Exception) -> None:
        wishes, self.wishes = self.wishes, []
        for _, _, _, failed, job in wishes:
            if not job.cancelled:
                failed(error)


class FakeIntake:
    def __init__(self) -> None:
        self.taught: list[tuple[list[str], CategoryId]] = []

    def teach_all(self, pictures: Sequence[tuple[PictureFile, str | None]], category: CategoryId) -> None:
        self.taught.append(([file.path for file, _ in pictures], category))


def make_scores(
    classes: Sequence[CategoryId],
    probabilities: Sequence[Sequence[float]],
    *,
    rejected: Sequence[int] = (),
    taught: dict[int, int] | None = None,
    unseen: Sequence[int] = (),
    support: Sequence[str] = (),
    version: int = 1,
) -> Scores:
    """Scores of as many rows as `probabilities` has; distances are 1 less the probability."""
    table = np.array(probabilities, np.float32).reshape(-1, len(classes))
    count, near = len(table), min(2, len(support))
    raw = RawScores(
        table,
        1 - table,
        np.isin(np.arange(count), rejected).astype(np.float32),
        np.tile(np.arange(near, dtype=np.int32), (count, 1)),
        np.tile(np.linspace(0.25, 0.5, near, dtype=np.float32), (count, 1)),
    )
    known = np.flatnonzero(~np.isin(np.arange(count), unseen))
    parts = {name: getattr(raw, name)[known] for name in RawScores.__slots__}
    blank = unknown(count, tuple(classes), tuple(support), cutoff=0.5, version=version)
    scores = with_rows(blank, known, RawScores(**parts))
    labels, said = scores.taught.copy(), scores.said.copy()
    for row, index in (taught or {}).items():
        labels[row], said[row] = index, Said.TAUGHT
    return replace(scores, taught=labels, said=said)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A session with Mug (key 1) and Pen (key 2), and an empty gallery."""
    ids = []
    for name in ("Mug", "Pen"):
        ids.append(new_category_id())
        session.do(AddCategory(ids[-1], name))
    return SimpleNamespace(
        session=session,
        gallery=FakeGallery(),
        predictor=FakePredictor(),
        library=FakeLibrary(),
        intake=FakeIntake(),
        ids=ids,
        scores=lambda *args, **more: make_scores(ids, *args, **more),
    )


class Desk:
    """The page over twelve pictures, and a predictor that follows what a person says as the real one does.

    Rows 0 to 3 are surely mugs, 4 to 6 surely pens, 7 to 10 are asked about, and 11 is none of these.
    """

    rows = 12
    sure = ((0.999, 0.001),) * 4 + ((0.001, 0.999),) * 3
    doubt = ((0.6, 0.4), (0.45, 0.55), (0.55, 0.45), (0.3, 0.7))

    def __init__(self, page: FolderPage, world: SimpleNamespace) -> None:
        self.page, self.world, self.session = page, world, world.session
        self.mug, self.pen = world.ids
        self._index = RowIndex()
        world.intake.teach_all = self._teach
        self.session.changed.connect(self._follow)

    def open(self, scores: Scores) -> None:
        gallery = self.world.gallery
        for category, number in ((self.mug, 900), (self.pen, 901)):
            self.session.do(AddExamples(category, (Example(f"{number:032x}", "elsewhere"),)))  # type: ignore[arg-type]
        gallery.show("/pictures", scores.count)
        self._index.note(range(gallery.count), gallery.ids)
        self.say(scores)

    def say(self, scores: Scores) -> None:
        owners = self._index.owners(self.session.document, scores.classes, scores.count)
        self.world.predictor.say(replace(scores, taught=owners.taught, said=owners.said))

    def _follow(self, _before: Document, after: Document) -> None:
        scores = self.world.predictor.scores
        if scores is not None and scores.classes == tuple(each.id for each in after.categories):
            self.say(scores)

    def _teach(self, pictures: list[tuple[Any, Any]], category: CategoryId) -> None:
        self.session.do(
            AddExamples(category, tuple(Example(picture, file.path) for file, picture in pictures))
        )

    def usual(self, **more: Any) -> Scores:
        table = [*self.sure, *self.doubt, [0.5, 0.5]]
        scores: Scores = self.world.scores(table, rejected=[11], **more)
        return scores

    # What the person does and sees -----------------------------------------------------------------

    def press(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        for key in keys:
            QTest.keyClick(self.page.view, key, modifier)

    def go_to(self, row: int) -> None:
        position = self.page.model.position_of(row)
        assert position is not None
        self.page.view.go_to(position)
        self.page.view.setFocus()
        self.page.view.grab()

    @property
    def cursor(self) -> int:
        return int(self.page.model.order[self.page.view.currentIndex().row()])

    def said(self, row: int) -> Decision | None:
        return self.session.document.labels.get(self.world.gallery.ids[row])

    def taught(self, row: int) -> CategoryId | None:
        return self.session.document.owner(self.world.gallery.ids[row])

    def counts(self) -> dict[Pile, int]:
        piles = self.page.model.piles
        assert piles is not None
        return {pile: piles.count(pile) for pile in Pile}


@pytest.fixture
def desk(
    qtbot: QtBot, world: SimpleNamespace, appearance: Appearance, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    # Where the pointer happens to lie would decide what may move.
    monkeypatch.setattr(QWidget, "underMouse", lambda _self: False)
    page = FolderPage(world.session, world.gallery, world.predictor, world.library, world.intake, appearance)
    qtbot.addWidget(page)
    page.resize(800, 700)
    page.show()
    result = Desk(page, world)
    result.open(result.usual())
    return result
