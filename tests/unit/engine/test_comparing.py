"""Several learners on the same examples: what each says, what it cost, and where they disagree."""

from __future__ import annotations

import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.core.images.identity import PictureId, file_id
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine import comparing
from fewshot_gui.engine.comparing import Comparer, Comparison, Contender, disagreement
from fewshot_gui.engine.examples import Source, SupportVectors
from fewshot_gui.engine.scores import unknown
from fewshot_gui.engine.state import Category, CategoryId, Document, Example

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.engine.recipe import Recipe
    from fewshot_gui.engine.worker import Worker

RED, BLUE = CategoryId("red"), CategoryId("blue")
R, B = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)
# Nearest to a stray example of red, but nearer to the middle of blue: the two methods part here.
STRAY = B * 0.4
EXAMPLES = {"r1": R, "r2": R * 0.9, "stray": B * 0.1, "b1": B, "b2": B * 0.9}


class Info:
    hash = "0"
    dimension = 3
    preprocessing = Preprocessing(side=4, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3)


class Shelf:
    """A library in which every bundle but "torn" embeds a picture as its mean colour."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, PictureId], Any] = {}
        self.embedded = 0

    def info(self, backbone: str) -> Info:
        if backbone == "torn":
            raise BundleError(BundleProblem.DAMAGED, "/torn", "bad")
        return Info()

    def embed_pixels(
        self, pixels: NDArray[np.uint8], backbone: str, _device: str, *, keep_as: PictureId
    ) -> NDArray[np.float32]:
        self.embedded += 1
        self.kept[backbone, keep_as] = (pixels.mean(axis=(0, 1)) / 255).astype(np.float32)
        return self.kept[backbone, keep_as]

    def known_embeddings(self, pictures: Sequence[PictureId], backbone: str) -> dict[PictureId, Any]:
        return {name: self.kept[backbone, name] for name in pictures if (backbone, name) in self.kept}


class Sources:
    def __init__(self) -> None:
        self.vectors = SupportVectors()

    def of(self, recipe: Recipe) -> list[Source]:
        return [Source(picture, EXAMPLES[picture], None, None) for picture in recipe.pictures]


class Table:
    """Everything that a comparison needs, held still."""

    def __init__(self, folder: Path, main: Any, model: Worker) -> None:
        self.main, self.model, self.library = main, model, Shelf()
        rows = np.stack([R, B, STRAY, B * 0.95])
        files, ids = [], []
        for number, row in enumerate(rows):
            path = folder / f"{number}.png"
            path.write_bytes(encode_png(np.tile((row * 255).astype(np.uint8), (8, 8, 1))))
            files.append(PictureFile(str(path), 1, 1))
            ids.append(file_id(str(path)))
        self.gallery = types.SimpleNamespace(
            known=np.ones(4, np.bool_), ids=ids, files=files, backbone="photo", embeddings=rows
        )
        names = {RED: ("r1", "r2", "stray"), BLUE: ("b1", "b2")}
        self.session = types.SimpleNamespace(document=Document(tuple(
            Category(category, str(category), 0, str(category), tuple(Example(PictureId(n), "") for n in of))
            for category, of in names.items()
        )))  # fmt: skip
        self.predictor = types.SimpleNamespace(sources=Sources(), scores=unknown(4, (RED, BLUE)))
        self.shares: list[float] = []
        self.errors: list[Exception] = []

    def compare(self, *contenders: Contender) -> Comparison:
        found: list[Comparison] = []
        held: Any = (self.session, self.library, self.gallery, self.predictor, self.model)
        Comparer(*held).start(
            contenders, found.append, progress=self.shares.append, failed=self.errors.append
        )
        self.main.finish(self.model)
        assert not self.errors
        return found[0]


@pytest.fixture
def table(tmp_path: Path, main: Any, lane: Callable[..., Worker]) -> Table:
    return Table(tmp_path, main, lane("model"))


def test_learners_are_compared_on_the_same_examples_and_rows(table: Table) -> None:
    found = table.compare(Contender("prototypical"), Contender("nearest"))
    assert found.classes == (RED, BLUE)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert [answer.contender.learner for answer in found.answers] == ["prototypical", "nearest"]
    one, other = (answer.best.tolist() for answer in found.answers)
    assert one[:2] == other[:2] == [0, 1]
    assert found.rows[found.disputed()].tolist() == [2]
    for answer in found.answers:
        assert answer.bundle == "photo"
        assert answer.examined == 5
        assert answer.accuracy is not None
        assert answer.milliseconds > 0
        assert answer.probabilities.sum(axis=1) == pytest.approx(1)
    assert table.shares == sorted(table.shares)
    assert (table.shares[0], table.shares[-1]) == (0.0, 1.0)
    assert not table.library.embedded


def test_another_bundle_looks_at_the_files_again_and_keeps_what_it_saw(table: Table) -> None:
    found = table.compare(Contender("nearest"), Contender("nearest", "other"))
    assert not len(found.disputed())
    assert [answer.bundle for answer in found.answers] == ["photo", "other"]
    assert table.library.embedded == 4
    table.compare(Contender("nearest", "other"))
    assert table.library.embedded == 4


def test_a_file_that_was_written_to_since_is_not_kept_under_its_former_content(table: Table) -> None:
    """Its embedding would stand in for every copy of the former picture, in all sessions."""
    Path(table.gallery.files[0].path).write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    found = table.compare(Contender("nearest"), Contender("nearest", "other"))
    assert ("other", table.gallery.ids[0]) not in table.library.kept
    assert found.answers[1].best.tolist()[0] == -1


def test_a_file_that_is_gone_is_not_disputed(table: Table, tmp_path: Path) -> None:
    (tmp_path / "2.png").unlink()
    found = table.compare(Contender("prototypical"), Contender("nearest", "other"))
    assert found.answers[1].best.tolist() == [0, 1, -1, 1]
    assert not found.answers[1].probabilities[2].any()
    assert not len(found.disputed())


@pytest.mark.parametrize(
    ("contender", "problem"),
    [
        (Contender("oracle"), "learner"),
        (Contender("relation"), "learner"),
        (Contender("nearest", "torn"), "damaged"),
    ],
)
def test_who_cannot_answer_says_why_and_the_others_go_on(
    table: Table, contender: Contender, problem: str
) -> None:
    found = table.compare(contender, Contender("prototypical"), Contender("nearest"))
    assert found.answers[0].problem == problem
    assert found.answers[0].detail
    assert found.answers[0].accuracy is None
    assert found.answers[1].problem is None
    assert found.rows[found.disputed()].tolist() == [2]


def test_what_a_person_has_taught_is_not_compared(table: Table) -> None:
    taught = np.array([0, -1, -1, 1], np.int32)
    table.predictor.scores = types.SimpleNamespace(count=4, taught=taught)
    assert table.compare(Contender("nearest")).rows.tolist() == [1, 2]
    table.predictor.scores = None
    assert table.compare(Contender("nearest")).rows.tolist() == [0, 1, 2, 3]


def test_of_very_many_rows_some_spread_over_all_are_compared(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_ROWS", 2)
    assert table.compare(Contender("nearest")).rows.tolist() == [0, 3]


def test_nothing_embedded_and_nothing_taught_are_no_trouble(table: Table) -> None:
    table.gallery.known = np.zeros(4, np.bool_)
    found = table.compare(Contender("nearest"), Contender("nearest", "other"))
    assert len(found.rows) == len(found.disputed()) == 0
    assert found.answers[0].accuracy is not None
    table.session.document = Document()
    assert table.compare(Contender("nearest")).answers[0].problem == "support"


def test_the_most_disputed_come_first() -> None:
    best = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 2, 1]], np.int32)
    probabilities = np.eye(3, dtype=np.float32)[best]
    found = disagreement(best, probabilities)
    assert found[0] == 0
    assert found[2] > found[1] == pytest.approx(1 + 4 / 6)
    comparison = Comparison((RED, BLUE), (), np.arange(4), found)
    assert comparison.disputed().tolist() == [2, 1, 3]


def test_among_equal_votes_the_surer_dispute_comes_first() -> None:
    best = np.array([[0, 0], [1, 1]], np.int32)
    probabilities = np.array([[[0.55, 0.45], [1, 0]], [[0.45, 0.55], [0, 1]]], np.float32)
    assert disagreement(best, probabilities).tolist() == pytest.approx([1.1, 2.0])


@settings(max_examples=50, deadline=None)
@given(arrays.arrays(np.float32, (3, 4, 3), elements=st.floats(0, 1, width=32)))
def test_the_order_of_the_answers_does_not_matter(values: NDArray[np.float32]) -> None:
    values = values + 1e-3
    probabilities = values / values.sum(axis=2, keepdims=True)
    best = probabilities.argmax(axis=2).astype(np.int32)
    there, back = disagreement(best, probabilities), disagreement(best[::-1], probabilities[::-1])
    assert there == pytest.approx(back, abs=1e-5)
    assert (there >= 0).all()
    assert (there <= 3).all()
    assert not disagreement(best[:1], probabilities[:1]).any()
