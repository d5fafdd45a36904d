"""A folder, its predictions and a library for the gallery tests: small, with answers that are known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, new_category_id
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.scores import RawScores, Scores, unknown, with_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId


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

    def prefer(self, rows: Sequence[int]) -> None:
        self.preferred = list(rows)

    def row_of(self, path: str) -> int | None:
        return next((row for row, file in enumerate(self.files) if file.path == path), None)


class FakePredictor:
    """Says what the test says."""

    def __init__(self) -> None:
        self.updated: Event[[Scores]] = Event()
        self.scores: Scores | None = None

    def say(self, scores: Scores) -> None:
        self.scores = scores
        self.updated.emit(scores)


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
    labels = scores.taught.copy()
    for row, index in (taught or {}).items():
        labels[row] = index
    return replace(scores, taught=labels)


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
