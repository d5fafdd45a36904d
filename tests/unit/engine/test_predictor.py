"""The predictor: what is recomputed, what is dropped, and what is shown meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine import fitting
from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddCategory,
    AddExamples,
    ChooseBackbone,
    ChooseLearner,
    Command,
    LabelNoneOfThese,
    LabelPictures,
    MoveCategory,
    RemoveCategory,
    RemoveExamples,
    RenameCategory,
    SetThreshold,
    Together,
    WithdrawLabels,
)
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.examples import SupportVectors
from fewshot_gui.engine.gallery import Gallery
from fewshot_gui.engine.library import Library
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.predictor import Predictor
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.recipe import recipe_of
from fewshot_gui.engine.scores import Said
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.engine.state import Category, CategoryId, Document, Example, Settings
from fewshot_gui.engine.worker import Cancelled, CancelToken, Job, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import GeneratorType

    from numpy.typing import NDArray

    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.deciding.shots import ShotsCurve
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.single import SinglePrediction
    from fewshot_gui.engine.worker import Worker

RED, BLUE, GREEN = CategoryId("red"), CategoryId("blue"), CategoryId("green")
R, G, B = np.eye(3, dtype=np.float32)


class Lane:
    """A worker without a thread: a job runs when the test says so, and can be delivered late."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Priority, CancelToken, Any, Any, Any]] = []
        self.on_error: Event[[Exception]] = Event()

    def submit(
        self,
        work: Callable[[CancelToken], Any],
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.FOLDER,
        **_policy: str,
    ) -> Job:
        job = Job(CancelToken())
        self.waiting.append((priority, job.token, work, then, failed))
        return job

    def compute(self) -> list[tuple[CancelToken, Callable[[], None]]]:
        """Run what waits, and return the deliveries, not made yet."""
        jobs, self.waiting = sorted(self.waiting, key=lambda job: job[0]), []
        deliveries = []
        for _, token, work, then, failed in jobs:
            try:
                result = work(token)
                if hasattr(result, "send"):
                    result = exhaust(result)
            except Cancelled:
                continue
            except Exception as error:  # noqa: BLE001 - as the worker does
                deliveries.append((token, lambda failed=failed, error=error: failed(error)))
            else:
                deliveries.append((token, lambda then=then, result=result: then(result)))
        return deliveries

    def run(self) -> None:
        """Run until nothing waits, delivering in order what was not cancelled."""
        while self.waiting:
            for token, deliver in self.compute():
                if not token.cancelled:
                    deliver()


def exhaust(steps: GeneratorType[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class FakeSession:
    def __init__(self) -> None:
        self.document = Document()
        self.changed: Event[[Document, Document]] = Event()
        self.pictures: dict[PictureId, StoredPicture] = {}
        self.torn = False

    def do(self, *commands: Command) -> None:
        before = self.document
        self.document = Together(commands).apply(before)
        self.changed.emit(before, self.document)

    def picture(self, picture: PictureId) -> StoredPicture | None:
        return self.pictures.get(picture)

    def original(self, picture: PictureId) -> bytes | None:
        if self.torn:
            raise SessionError(SessionProblem.DAMAGED, "/s.fewshot")
        stored = self.pictures.get(picture)
        return None if stored is None else stored.original


class Info:
    hash = "0"
    dimension = 3
    preprocessing = Preprocessing(side=4, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3)
    temperature = 1.0
    novelty = 0.5


class ColourBackbone:
    """Embeds a picture as its mean colour, 0 to 1."""

    def embed(self, batch: NDArray[np.uint8], _device: str = "cpu", /) -> NDArray[np.float32]:
        return (batch.mean(axis=(1, 2)) / 255).astype(np.float32)


class FakeLibrary:
    def __init__(self) -> None:
        self.device = "cpu"
        self.device_changed: Event[[str]] = Event()
        self.backbone_replaced: Event[[str]] = Event()
        self.embedded: list[tuple[int, ...]] = []
        self.error: Exception | None = None
        self.cached: dict[PictureId, NDArray[np.float32]] = {}

    def info(self, _backbone: str) -> Info:
        if self.error is not None:
            raise self.error
        return Info()

    def embed_pixels(
        self, pixels: NDArray[np.uint8], _backbone: str, _device: str, *, keep_as: PictureId | None = None
    ) -> NDArray[np.float32]:
        self.embedded.append(pixels.shape)
        embedding = ColourBackbone().embed(pixels[None])[0]
        if keep_as is not None:
            self.cached[keep_as] = embedding
        return embedding

    def known_embeddings(
        self, pictures: Sequence[PictureId], _backbone: str
    ) -> dict[PictureId, NDArray[np.float32]]:
        return {picture: self.cached[picture] for picture in pictures if picture in self.cached}


class FakeGallery:
    def __init__(self) -> None:
        self.listed: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self.failed: Event[[Exception]] = Event()
        self.embedded_rows: Event[[NDArray[np.int64]]] = Event()
        self.backbone = "photo"
        self.device = ""
        self.ids: list[PictureId | None] = []
        self.embeddings = np.zeros((0, 3), np.float32)
        self.known = np.zeros(0, np.bool_)
        self.gone: set[int] = set()

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isin(np.arange(self.count), list(self.gone))

    @property
    def count(self) -> int:
        return len(self.ids)

    def set_backbone(self, name: str, device: str) -> None:
        changed, self.backbone, self.device = name != self.backbone, name, device
        if changed:
            self.embed_anew()

    def embed_anew(self) -> None:
        self.known = np.zeros(self.count, np.bool_)
        self.cleared.emit()

    def open(self) -> None:
        self.ids, self.known = [], np.zeros(0, np.bool_)
        self.embeddings = np.zeros((0, 3), np.float32)
        self.cleared.emit()
        self.listed.emit()

    def list_rows(self, count: int) -> None:
        self.ids = [*self.ids, *[None] * count]
        self.known = np.concatenate([self.known, np.zeros(count, np.bool_)])
        self.embeddings = np.concatenate([self.embeddings, np.zeros((count, 3), np.float32)])
        self.listed.emit()

    def embed(self, row: int, vector: NDArray[np.float32], name: str | None = None) -> None:
        self.embeddings = self.embeddings.copy()
        self.embeddings[row] = vector
        self.known = self.known.copy()
        self.known[row] = True
        self.ids[row] = PictureId(name or f"row{row}")
        self.embedded_rows.emit(np.array([row]))

    def change_on_disk(self, row: int) -> None:
        self.known = self.known.copy()
        self.known[row] = False
        self.ids[row] = None
        self.listed.emit()


class Bench:
    """A predictor with everything around it held still."""

    def __init__(self) -> None:
        self.session, self.library, self.gallery, self.lane = (
            FakeSession(),
            FakeLibrary(),
            FakeGallery(),
            Lane(),
        )
        self.predictor = Predictor(
            cast("Session", self.session),
            cast("Library", self.library),
            cast("Gallery", self.gallery),
            cast("Worker", self.lane),
        )
        self.updates: list[Scores] = []
        self.predictor.updated.connect(self.updates.append)

    def rows(self, *vectors: NDArray[np.float32]) -> None:
        self.gallery.list_rows(len(vectors))
        for row, vector in enumerate(vectors, self.gallery.count - len(vectors)):
            self.gallery.embed(row, vector)
        self.lane.run()

    def paint(self, name: str, colour: NDArray[np.float32]) -> Example:
        """Keep a picture of one colour without a file."""
        pixels = np.tile((colour * 255).astype(np.uint8), (8, 8, 1))
        stored = StoredPicture(PictureId(name), encode_jpeg(pixels), original=encode_png(pixels))
        self.session.pictures[stored.id] = stored
        return Example(stored.id, "canvas")

    def teach(self, category: CategoryId, *examples: Example) -> None:
        known = category in self.session.document
        new = () if known else (AddCategory(category, str(category)),)
        self.session.do(*new, AddExamples(category, examples))

    @property
    def scores(self) -> Scores:
        scores = self.predictor.scores
        assert scores is not None
        return scores


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def taught(bench: Bench) -> Bench:
    """Red and blue are taught by one drawing each; the gallery shows red, blue and green."""
    bench.rows(R, B, G)
    bench.teach(RED, bench.paint("r", R))
    bench.teach(BLUE, bench.paint("b", B))
    bench.lane.run()
    return bench


def shown(scores: Scores) -> list[str]:
    names = {-1: "?", -2: "none"}
    return [names.get(label) or scores.classes[label] for label in scores.labels().tolist()]


def test_a_handful_of_examples_sorts_the_gallery(taught: Bench) -> None:
    scores = taught.scores
    assert scores.classes == (RED, BLUE)
    assert shown(scores) == ["red", "blue", "none"]
    assert scores.probabilities.sum(axis=1) == pytest.approx(1)
    assert scores.support_ids[scores.nearest[0, 0]] == "r"
    assert scores.nearest_distance[0, 0] == pytest.approx(0, abs=0.02)
    assert taught.predictor.status.milliseconds > 0
    assert not taught.predictor.status.busy


def test_each_example_is_embedded_once(taught: Bench) -> None:
    taught.teach(RED, taught.paint("r2", R * 0.9))
    taught.lane.run()
    assert len(taught.library.embedded) == 3


def test_the_time_of_a_fit_holds_neither_loading_nor_embedding(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def slowly(call: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def run(*arguments: Any, **more: Any) -> Any:
            nonlocal now
            now += seconds
            return call(*arguments, **more)

        return run

    monkeypatch.setattr(fitting.time, "perf_counter", lambda: now)
    for owner, name, seconds in (
        (bench.library, "embed_pixels", 3.0), (fitting, "load", 5.0), (fitting, "fit", 0.25),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, slowly(getattr(owner, name), seconds))
    bench.rows(R)
    bench.teach(RED, bench.paint("r", R))
    bench.lane.run()
    assert now == 8.25
    assert bench.predictor.status.milliseconds == 250


def test_an_example_from_the_gallery_is_not_embedded_at_all(taught: Bench) -> None:
    before = len(taught.library.embedded)
    taught.teach(GREEN, Example(PictureId("row2"), "/g.jpg"))
    taught.lane.run()
    assert len(taught.library.embedded) == before
    assert shown(taught.scores) == ["red", "blue", "green"]


def test_an_example_outlives_the_gallery_that_it_came_from(taught: Bench) -> None:
    taught.teach(GREEN, Example(PictureId("row2"), "/g.jpg"))
    taught.gallery.open()
    taught.rows(G)
    assert shown(taught.scores) == ["green"]


def test_the_thumbnail_stands_in_for_a_picture_that_is_gone(bench: Bench) -> None:
    example = bench.paint("r", R)
    kept = bench.session.pictures[example.picture]
    bench.session.pictures[example.picture] = replace(kept, original=None, path="/nowhere/r.jpg")
    bench.rows(R)
    bench.teach(RED, example)
    bench.lane.run()
    assert shown(bench.scores) == ["red"]


def test_the_thumbnail_stands_in_for_an_original_that_cannot_be_read(bench: Bench) -> None:
    bench.session.torn = True
    bench.rows(R)
    bench.teach(RED, bench.paint("r", R))
    bench.lane.run()
    assert shown(bench.scores) == ["red"]


def test_only_the_whole_picture_is_kept_in_the_cache(taught: Bench) -> None:
    assert set(taught.library.cached) == {"r", "b"}
    example = taught.paint("small", R)
    kept = taught.session.pictures[example.picture]
    taught.session.pictures[example.picture] = replace(kept, original=None, path="/nowhere/r.jpg")
    taught.teach(RED, example)
    taught.lane.run()
    assert "small" in taught.scores.support_ids
    assert "small" not in taught.library.cached


def test_an_example_in_the_cache_is_not_computed(bench: Bench) -> None:
    bench.rows(R)
    bench.library.cached[PictureId("gone")] = R
    bench.teach(RED, Example(PictureId("gone"), "/nowhere.jpg"))
    bench.lane.run()
    assert shown(bench.scores) == ["red"]
    assert not bench.library.embedded


def test_a_file_that_is_another_picture_by_now_is_not_taken_for_the_example(
    bench: Bench, tmp_path: Path
) -> None:
    example = bench.paint("r", R)
    kept = bench.session.pictures[example.picture]
    other = tmp_path / "r.png"
    other.write_bytes(encode_png(np.tile((B * 255).astype(np.uint8), (8, 8, 1))))
    bench.session.pictures[example.picture] = replace(kept, original=None, path=str(other))
    bench.rows(R)
    bench.teach(RED, example)
    bench.lane.run()
    assert bench.scores.distances[0, 0] == pytest.approx(0, abs=0.02)


def test_a_picture_that_is_nowhere_is_left_out(taught: Bench) -> None:
    taught.teach(RED, Example(PictureId("lost"), "/lost.jpg"))
    taught.lane.run()
    assert taught.scores.support_ids == ("r", "b")
    assert taught.predictor.status.problem is None


def test_a_persons_label_shows_before_the_fit_is_done(taught: Bench) -> None:
    taught.teach(BLUE, Example(PictureId("row0"), "/0.jpg"))
    assert shown(taught.scores)[0] == "blue"
    assert taught.predictor.status.busy
    taught.lane.run()
    assert shown(taught.scores)[0] == "blue"
    assert taught.scores.taught.tolist() == [1, -1, -1]


def test_a_removed_category_is_shown_nowhere_even_before_the_fit(taught: Bench) -> None:
    taught.session.do(RemoveCategory(BLUE))
    assert taught.scores.classes == (RED,)
    assert shown(taught.scores)[:2] == ["red", "?"]
    taught.lane.run()
    assert taught.scores.classes == (RED,)
    assert "?" not in shown(taught.scores)


def test_an_emptied_category_keeps_its_column_and_wins_nothing(taught: Bench) -> None:
    taught.session.do(RemoveExamples((PictureId("b"),)))
    taught.lane.run()
    assert taught.scores.classes == (RED, BLUE)
    assert taught.scores.probabilities[:, 1].tolist() == [0, 0, 0]
    assert np.isinf(taught.scores.distances[:, 1]).all()


def test_without_any_example_nothing_is_known(taught: Bench) -> None:
    taught.session.do(RemoveExamples((PictureId("b"), PictureId("r"))))
    taught.lane.run()
    assert shown(taught.scores) == ["?", "?", "?"]
    assert taught.scores.classes == (RED, BLUE)
    assert not taught.predictor.status.busy


# What is not recomputed


def test_a_name_recomputes_nothing(taught: Bench) -> None:
    taught.updates.clear()
    taught.session.do(RenameCategory(RED, "crimson"))
    assert not taught.lane.waiting
    assert not taught.updates


def test_an_order_moves_columns_without_a_fit(taught: Bench) -> None:
    before = taught.scores
    taught.session.do(MoveCategory(BLUE, 0))
    assert not taught.lane.waiting
    assert taught.scores.classes == (BLUE, RED)
    assert taught.scores.version == before.version
    assert shown(taught.scores) == shown(before)


def test_an_empty_category_gets_a_column_without_a_fit(taught: Bench) -> None:
    taught.session.do(AddCategory(GREEN, "green"))
    assert not taught.lane.waiting
    assert taught.scores.classes == (RED, BLUE, GREEN)


def test_the_threshold_recomputes_only_what_is_rejected(taught: Bench) -> None:
    before = taught.scores
    taught.session.do(SetThreshold(1.0))
    assert not taught.lane.waiting
    assert not taught.scores.rejected.any()
    assert taught.scores.probabilities is before.probabilities
    taught.session.do(SetThreshold(None))
    assert np.array_equal(taught.scores.rejected, before.rejected)


def test_a_threshold_set_during_a_fit_holds_when_it_is_done(taught: Bench) -> None:
    taught.teach(RED, taught.paint("r2", R * 0.9))
    taught.session.do(SetThreshold(1.0))
    taught.lane.run()
    assert not taught.scores.rejected.any()


def test_new_rows_are_scored_alone(taught: Bench) -> None:
    before = taught.scores
    taught.rows(B)
    after = taught.scores
    assert shown(after) == ["red", "blue", "none", "blue"]
    assert after.version == before.version
    assert np.array_equal(after.probabilities[:3], before.probabilities)


def test_rows_that_came_while_others_were_scored_are_scored_next(taught: Bench) -> None:
    taught.gallery.list_rows(2)
    taught.gallery.embed(3, R)
    taught.gallery.embed(4, B)
    assert len(taught.lane.waiting) == 1
    taught.lane.run()
    assert shown(taught.scores)[3:] == ["red", "blue"]


def test_rows_that_were_embedded_before_the_first_example_are_scored(bench: Bench) -> None:
    bench.rows(R, G)
    assert shown(bench.scores) == ["?", "?"]
    bench.teach(RED, bench.paint("r", R))
    bench.lane.run()
    assert shown(bench.scores)[0] == "red"


# Late is wrong


def deliver_all(deliveries: list[tuple[CancelToken, Callable[[], None]]]) -> None:
    """Deliver even what was cancelled: the predictor must know by itself what is late."""
    for _, deliver in deliveries:
        deliver()


def test_a_fit_of_a_former_support_set_is_dropped(taught: Bench) -> None:
    taught.teach(GREEN, taught.paint("g", G))
    late = taught.lane.compute()
    taught.session.do(RemoveCategory(GREEN))
    deliver_all(late)
    assert taught.scores.classes == (RED, BLUE)
    assert taught.predictor.status.busy
    taught.lane.run()
    assert shown(taught.scores) == ["red", "blue", "none"]


def test_a_fit_that_saw_another_folder_gives_its_classifier_but_not_its_rows(taught: Bench) -> None:
    taught.teach(GREEN, taught.paint("g", G))
    late = taught.lane.compute()
    taught.gallery.open()
    taught.gallery.list_rows(3)
    taught.gallery.embed(0, G)
    deliver_all(late)
    assert shown(taught.scores) == ["?", "?", "?"]
    taught.lane.run()
    assert shown(taught.scores) == ["green", "?", "?"]


def test_rows_of_the_former_folder_are_not_shown_in_the_next(taught: Bench) -> None:
    taught.gallery.list_rows(1)
    taught.gallery.embed(3, R)
    late = taught.lane.compute()
    taught.gallery.open()
    assert [token.cancelled for token, _ in late] == [True]
    assert taught.scores.count == 0


def test_a_file_that_was_written_anew_loses_its_prediction(taught: Bench) -> None:
    taught.gallery.change_on_disk(0)
    assert shown(taught.scores)[0] == "?"
    taught.gallery.embed(0, B, "other")
    taught.lane.run()
    assert shown(taught.scores)[0] == "blue"


def test_a_file_that_was_written_anew_is_no_longer_the_taught_picture(taught: Bench) -> None:
    taught.teach(BLUE, Example(PictureId("row0"), "/0.jpg"))
    taught.lane.run()
    taught.gallery.change_on_disk(0)
    assert taught.scores.taught.tolist() == [-1, -1, -1]


def test_a_row_listed_during_a_fit_is_unknown_after_it(taught: Bench) -> None:
    taught.teach(RED, taught.paint("r2", R * 0.9))
    late = taught.lane.compute()
    taught.gallery.list_rows(1)
    deliver_all(late)
    assert shown(taught.scores) == ["red", "blue", "none", "?"]


def test_another_backbone_forgets_what_the_former_said(taught: Bench) -> None:
    taught.session.do(ChooseBackbone("other"))
    assert taught.gallery.backbone == "other"
    assert shown(taught.scores) == ["?", "?", "?"]
    taught.lane.run()
    taught.gallery.embed(0, R)
    taught.lane.run()
    assert shown(taught.scores) == ["red", "?", "?"]


def test_another_backbone_of_the_same_name_begins_anew(taught: Bench) -> None:
    """Before, new pictures were compared with what its predecessor had made of the examples."""
    before, embedded = taught.scores.version, len(taught.library.embedded)
    taught.library.cached.clear()
    taught.library.backbone_replaced.emit("another")
    taught.lane.run()
    assert taught.scores.version == before
    taught.library.backbone_replaced.emit("photo")
    assert taught.predictor.fitted is None, "it does not go with what is embedded from now on"
    assert shown(taught.scores) == ["?", "?", "?"]
    taught.lane.run()
    assert len(taught.library.embedded) == embedded + 2
    taught.gallery.embed(0, R)
    taught.lane.run()
    assert shown(taught.scores) == ["red", "?", "?"]


def test_another_learner_fits_again(taught: Bench) -> None:
    before = taught.scores.version
    taught.session.do(ChooseLearner("nearest"))
    taught.lane.run()
    assert taught.scores.version > before
    assert shown(taught.scores)[:2] == ["red", "blue"]


def test_the_learner_that_was_chosen_is_told_with_its_reason(taught: Bench) -> None:
    choice = taught.predictor.status.choice
    assert choice is not None
    assert (choice.learner, choice.reason.why) == ("prototypical", "too few")
    taught.session.do(ChooseLearner("crystal ball"))
    taught.lane.run()
    assert taught.predictor.status.choice is None


# Problems as values


def test_an_unknown_learner_is_a_problem_and_no_crash(taught: Bench) -> None:
    taught.session.do(ChooseLearner("crystal ball"))
    taught.lane.run()
    assert taught.predictor.status.problem == "learner"
    assert shown(taught.scores) == ["?", "?", "?"]
    taught.session.do(ChooseLearner("prototypical"))
    taught.lane.run()
    assert taught.predictor.status.problem is None
    assert shown(taught.scores)[0] == "red"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BundleError(BundleProblem.DAMAGED, "/m", "torn"), "damaged"),
        (MemoryError(), "out-of-memory"),
        (RuntimeError("?"), "unexpected"),
    ],
)
def test_errors_become_the_status(bench: Bench, error: Exception, kind: str) -> None:
    reported: list[Exception] = []
    bench.lane.on_error.connect(reported.append)
    bench.library.error = error
    bench.teach(RED, bench.paint("r", R))
    bench.lane.run()
    assert bench.predictor.status.problem == kind
    assert not bench.predictor.status.busy
    assert reported == ([error] if kind == "unexpected" else [])


def test_examples_that_cannot_be_read_at_all_are_a_problem(bench: Bench) -> None:
    bench.teach(RED, Example(PictureId("lost"), "/lost.jpg"))
    bench.lane.run()
    assert bench.predictor.status.problem == "support"


def test_a_gallery_that_cannot_be_embedded_is_a_problem(bench: Bench) -> None:
    bench.gallery.failed.emit(BundleError(BundleProblem.MISSING, "/m", "gone"))
    assert bench.predictor.status.problem == "missing"
    assert bench.predictor.status.detail == "/m: gone"


def test_what_stood_in_the_way_of_one_folder_is_not_told_of_the_next(taught: Bench) -> None:
    taught.gallery.failed.emit(BundleError(BundleProblem.MISSING, "/m", "gone"))
    taught.gallery.open()
    assert taught.predictor.status.problem is None
    assert taught.predictor.status.detail == ""


def test_the_device_is_told(taught: Bench) -> None:
    taught.library.device_changed.emit("cuda")
    assert taught.predictor.status.device == "cuda"


# One picture


def picture(colour: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.tile((colour * 255).astype(np.uint8), (8, 8, 1))


def test_one_picture_is_classified_by_the_present_classifier(taught: Bench) -> None:
    answers: list[SinglePrediction] = []
    taught.predictor.classify(picture(B), answers.append, key="canvas")
    taught.predictor.classify_frame(picture(G), answers.append)
    taught.lane.run()
    frame, canvas = answers
    assert canvas.classes[canvas.best] == BLUE
    assert not canvas.rejected
    assert canvas.nearest[0] == ("b", pytest.approx(0, abs=0.02))
    assert canvas.latency_ms >= canvas.milliseconds > 0
    assert frame.rejected


def test_before_anything_is_taught_the_answer_is_none_of_these(bench: Bench) -> None:
    answers: list[SinglePrediction] = []
    bench.session.do(AddCategory(RED, "red"))
    bench.predictor.classify(picture(B), answers.append, key="canvas")
    bench.lane.run()
    assert answers[0].best == -1
    assert answers[0].rejected
    assert answers[0].classes == (RED,)


def test_an_answer_speaks_of_the_categories_that_there_are_when_it_arrives(taught: Bench) -> None:
    answers: list[SinglePrediction] = []
    taught.predictor.classify(picture(B), answers.append, key="canvas")
    late = taught.lane.compute()
    taught.session.do(RemoveCategory(BLUE), AddCategory(GREEN, "green"))
    deliver_all(late)
    assert answers[0].classes == (RED, GREEN)
    assert answers[0].probabilities[1] == 0


# Leave one out


def test_leave_one_out_finds_the_example_that_does_not_fit(taught: Bench) -> None:
    reports: list[LooReport] = []
    taught.predictor.examined.connect(reports.append)
    taught.teach(RED, taught.paint("r2", R * 0.9), taught.paint("wrong", B * 0.95))
    taught.teach(BLUE, taught.paint("b2", B * 0.9))
    taught.lane.run()
    report = reports[-1]
    assert report.misfits == (("wrong", BLUE),)
    assert report.accuracy == pytest.approx(4 / 5)
    assert report.version == taught.scores.version
    assert taught.predictor.report is report


def test_more_shots_are_asked_of_the_present_classifier(taught: Bench) -> None:
    curves: list[ShotsCurve] = []
    for name, value in ("r2", R * 0.9), ("r3", R * 0.8):
        taught.teach(RED, taught.paint(name, value))
    for name, value in ("b2", B * 0.9), ("b3", B * 0.8):
        taught.teach(BLUE, taught.paint(name, value))
    taught.lane.run()
    taught.predictor.examiner.ask_shots(curves.append)
    taught.lane.run()
    assert curves[0].accuracies == (1.0, 1.0)
    assert curves[0].version == taught.scores.version
    taught.predictor.examiner.ask_shots(curves.append)
    taught.teach(RED, taught.paint("r4", R * 0.7))
    taught.lane.run()
    assert len(curves) == 1, "of former examples: late is wrong"


def test_frames_that_look_the_same_prove_nothing(taught: Bench) -> None:
    """A key that is held before a camera for two seconds gives eleven of them."""
    curves: list[ShotsCurve] = []
    for name, value in ("r2", R * 0.9), ("r3", R * 0.8), ("r4", R * 0.6):
        taught.teach(RED, taught.paint(name, value))
    held = [
        replace(taught.paint(f"held{place}", B * (0.5 - place / 200)), origin="camera") for place in range(4)
    ]
    taught.teach(GREEN, *held)
    taught.lane.run()
    report = taught.predictor.report
    assert report is not None
    assert report.alike == (GREEN,)
    assert report.right_of(GREEN) == (0, 0)
    assert report.right_of(RED) == (4, 4)
    taught.predictor.examiner.ask_shots(curves.append)
    taught.lane.run()
    assert [curve.accuracies for curve in curves] == [()]


def test_before_anything_was_fitted_there_are_no_shots(bench: Bench) -> None:
    curves: list[ShotsCurve] = []
    bench.predictor.examiner.ask_shots(curves.append)
    bench.lane.run()
    assert curves == []


def test_single_examples_cannot_be_examined(taught: Bench) -> None:
    assert taught.predictor.report is not None
    assert taught.predictor.report.accuracy is None


def test_nothing_is_followed_after_close(taught: Bench) -> None:
    taught.predictor.close()
    taught.updates.clear()
    taught.teach(GREEN, taught.paint("g", G))
    taught.rows(R)
    assert not taught.updates
    assert not taught.lane.waiting


def test_recipes_are_the_same_whatever_the_order() -> None:
    one = Category(RED, "red", 0, "1", (Example(PictureId("a"), ""), Example(PictureId("b"), "")))
    two = Category(BLUE, "blue", 1, "2", (Example(PictureId("c"), ""),))
    forth = recipe_of(Document((one, two)))
    back = recipe_of(Document((two, replace(one, name="crimson", examples=one.examples[::-1]))))
    moved = recipe_of(Document((one, replace(two, examples=()))))
    assert forth.key == back.key
    assert forth.key != moved.key


def test_a_learner_that_reads_one_example_after_the_other_has_an_order() -> None:
    """Else a session could say something else after it was opened again."""
    one = Category(RED, "red", 0, "1", (Example(PictureId("a"), ""), Example(PictureId("b"), "")))
    two = Category(BLUE, "blue", 1, "2", (Example(PictureId("c"), ""),))
    snail = Settings(learner="snail")
    forth, back = (recipe_of(Document(order, settings=snail)) for order in ((one, two), (two, one)))
    assert forth.key != back.key


def test_kept_vectors_stay_within_their_limit() -> None:
    vectors = SupportVectors(limit=2)
    for name in "abc":
        vectors.put("photo", PictureId(name), R)
    assert vectors.get("photo", PictureId("a")) is None
    assert vectors.get("photo", PictureId("c")) is not None
    assert vectors.get("other", PictureId("c")) is None


# The real thing


def test_files_on_disk_are_predicted_through_the_real_lanes(
    tmp_path: Path, main: Any, lane: Callable[[str], Worker]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, colour in enumerate([R, B, R * 0.8, B * 0.8]):
        (folder / f"{index}.png").write_bytes(encode_png(picture(colour)))
    disk, decode, model, problems = lane("disk"), lane("decode"), lane("model"), ProblemLog()
    session = Session.create(tmp_path / "s.fewshot", disk)
    library = Library(
        main,
        decode,
        model,
        tmp_path / "cache",
        problems,
        load=lambda _name: ColourBackbone(),
        describe=lambda _name: Info(),
    )
    gallery = Gallery(library, decode, problems)
    predictor = Predictor(session, library, gallery, model)
    gallery.open(str(folder))
    main.run_until(lambda: gallery.count == 4 and gallery.known.all())
    red, blue = gallery.ids[0], gallery.ids[1]
    assert red is not None
    assert blue is not None
    session.do(Together((AddCategory(RED, "red"), AddExamples(RED, (Example(red, "0.png"),)))))
    session.do(Together((AddCategory(BLUE, "blue"), AddExamples(BLUE, (Example(blue, "1.png"),)))))
    main.run_until(lambda: not predictor.status.busy and predictor.report is not None)
    assert predictor.scores is not None
    assert shown(predictor.scores) == ["red", "blue", "red", "blue"]
    assert predictor.scores.taught.tolist() == [0, 1, -1, -1]
    predictor.close()
    session.close()
    library.close()


def test_one_more_example_rescores_ten_thousand_rows_with_prototypes_in_50_ms() -> None:
    """512 numbers an embedding, 5 categories of 5 examples, median of nine.

    All of it runs on this thread, whose own time is taken: other programs on the machine do not count.
    """
    bench = Bench()
    noise = np.random.default_rng(0)
    vectors = noise.standard_normal((10_000, 512)).astype(np.float32)
    bench.gallery.ids = [PictureId(f"row{row}") for row in range(10_000)]
    bench.gallery.embeddings, bench.gallery.known = vectors, np.ones(10_000, np.bool_)
    bench.gallery.cleared.emit()
    bench.gallery.embedded_rows.emit(np.arange(10_000))
    for index in range(5):
        examples = tuple(Example(PictureId(f"row{index * 5 + shot}"), "") for shot in range(5))
        bench.teach(CategoryId(str(index)), *examples)
    bench.lane.run()
    took = []
    bench.session.do(ChooseLearner("prototypical"))
    bench.lane.run()
    for row in range(100, 109):
        begun = time.thread_time()
        bench.teach(CategoryId("0"), Example(PictureId(f"row{row}"), ""))
        bench.lane.waiting = bench.lane.waiting[:1]  # the examination comes after, at leisure
        for _, deliver in bench.lane.compute():
            deliver()
        took.append(time.thread_time() - begun)
        assert bench.scores.known.all()
        bench.lane.waiting.clear()
    assert sorted(took)[4] < 0.05


def test_an_error_of_every_frame_is_told_once(taught: Bench) -> None:
    reported: list[Exception] = []
    taught.lane.on_error.connect(reported.append)
    error = RuntimeError("the device is gone")

    def fail(*_: object) -> None:
        raise error

    taught.library.embed_pixels = fail  # type: ignore[assignment]
    for _ in range(3):
        taught.predictor.classify_frame(picture(G), lambda _single: pytest.fail("no answer"))
        taught.lane.run()
    assert reported == [error]
    assert taught.predictor.status.problem == "unexpected"


# What a person says without teaching ----------------------------------------------------------------------


def test_a_label_shows_at_once_and_fits_nothing(taught: Bench) -> None:
    version = taught.scores.version
    taught.session.do(LabelPictures((PictureId("row0"),), BLUE), LabelNoneOfThese((PictureId("row1"),)))
    assert not taught.lane.waiting
    assert shown(taught.scores) == ["blue", "none", "none"]
    assert taught.scores.said.tolist() == [Said.HUMAN, Said.HUMAN_NONE, Said.MACHINE]
    assert taught.scores.version == version


def test_taking_a_label_back_shows_the_machine_again(taught: Bench) -> None:
    taught.session.do(AcceptLabels((PictureId("row0"),), RED))
    assert taught.scores.said[0] == Said.ACCEPTED
    taught.session.do(WithdrawLabels((PictureId("row0"),)))
    assert taught.scores.said[0] == Said.MACHINE


def test_labels_show_on_rows_that_arrive_while_nothing_is_taught(bench: Bench) -> None:
    bench.session.do(AddCategory(RED, "red"), LabelPictures((PictureId("row0"),), RED))
    bench.rows(R)
    assert shown(bench.scores) == ["red"]


def test_files_that_are_gone_or_back_are_told(taught: Bench) -> None:
    """Piles are cut for scores: after a move they still held what was no longer there."""
    taught.rows(R, G, B)
    before = taught.scores
    taught.updates.clear()
    taught.gallery.gone = {1}
    taught.gallery.listed.emit()
    assert [scores is before for scores in taught.updates] == [False]
    taught.gallery.listed.emit()
    assert len(taught.updates) == 1, "nothing has changed"
    taught.gallery.gone = set()
    taught.gallery.listed.emit()
    assert len(taught.updates) == 2
    taught.gallery.gone, taught.gallery.known = {0}, np.arange(taught.gallery.count) != 1
    taught.gallery.listed.emit()
    taught.updates.clear()
    taught.gallery.gone = set()
    taught.gallery.listed.emit()
    assert taught.updates, "one is back, where another was written anew before"
