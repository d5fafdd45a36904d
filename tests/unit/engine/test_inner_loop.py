"""A learner that adapts step by step: told while it adapts, cancelled at once, looked at after any step."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.learners import catalogue
from fewshot_gui.core.learners.base import Prediction, SupportSet
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseLearner, Together
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.fitting import rows_at_once
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.predictor import InnerLoop, Predictor
from fewshot_gui.engine.state import CategoryId, Document, Example

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.learners.base import Cancel, Learner, Progress
    from fewshot_gui.core.learners.stepwise import OnStep
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.single import SinglePrediction
    from fewshot_gui.engine.worker import Worker

RED, BLUE = CategoryId("red"), CategoryId("blue")
R, B = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)
STEPS = 4


@dataclass(frozen=True, eq=False)
class Adapted:
    """Says "the first class" of everything after no step, and the nearest example's class after the last."""

    support: SupportSet
    losses: tuple[float, ...]
    taken: int
    asked: list[int]
    novelty_threshold: float = 10.0
    rows_at_once: int = 3

    @property
    def classes(self) -> tuple[str, ...]:
        return self.support.classes

    @property
    def steps(self) -> int:
        return len(self.losses) - 1

    def at_step(self, steps: int) -> Adapted:
        return replace(self, taken=steps)

    def predict(self, query: torch.Tensor) -> Prediction:
        assert not torch.is_grad_enabled()
        self.asked.append(len(query))
        far = torch.cdist(query, self.support.embeddings)
        share = self.taken / self.steps
        known = torch.zeros(len(query), len(self.classes))
        known[torch.arange(len(query)), self.support.labels[far.argmin(1)]] = share
        known[:, 0] += 1 - share
        order = far.argsort(1)
        return Prediction(known, known, None, order, far.gather(1, order))

    def novelty(self, _query: torch.Tensor) -> torch.Tensor:
        pytest.fail("its network would run twice")


@dataclass(frozen=True, eq=False)
class Stepwise:
    """A learner in the pixels space that waits, where a test says so, until it is cancelled."""

    context: LearnerContext
    name: str = "maml"
    asked: list[int] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    forever: list[bool] = field(default_factory=list)

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Adapted:
        return self.fit_watched(support, lambda *_told: None, progress=progress, cancel=cancel)

    def fit_watched(
        self,
        support: SupportSet,
        on_step: OnStep,
        *,
        progress: Progress | None = None,  # noqa: ARG002 - part of the interface
        cancel: Cancel | None = None,
    ) -> Adapted:
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert support.embeddings.requires_grad is False
        losses = [2.0]
        for step in range(1, STEPS + 1):
            while self.forever:
                assert cancel is not None
                self.begun.set()
                cancel()
            losses.append(2.0 / (step + 1))
            on_step(step, STEPS, losses[-1])
        return Adapted(support, tuple(losses), STEPS, self.asked)


class PlainSession:
    def __init__(self) -> None:
        self.document = Document()
        self.changed: Event[[Document, Document]] = Event()
        self.pictures: dict[PictureId, StoredPicture] = {}

    def do(self, *commands: Any) -> None:
        before = self.document
        self.document = Together(commands).apply(before)
        self.changed.emit(before, self.document)

    def picture(self, picture: PictureId) -> StoredPicture | None:
        return self.pictures.get(picture)

    def original(self, picture: PictureId) -> bytes | None:
        return self.pictures[picture].original


class PlainInfo:
    hash = "0"
    dimension = 3
    preprocessing = Preprocessing(side=4, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3)
    temperature = 1.0
    novelty = 0.5


class PlainLibrary:
    """Embeds a picture as its mean colour, in every space."""

    device = "cpu"

    def __init__(self) -> None:
        self.device_changed: Event[[str]] = Event()
        self.backbone_replaced: Event[[str]] = Event()
        self.asked: list[str] = []

    def info(self, _backbone: str) -> PlainInfo:
        return PlainInfo()

    def context(self, backbone: str, _device: str) -> LearnerContext:
        self.asked.append(backbone)
        return LearnerContext(network=torch.nn.Identity())

    def embed_pixels(
        self, pixels: NDArray[np.uint8], backbone: str, _device: str, **_kept: Any
    ) -> NDArray[np.float32]:
        self.asked.append(backbone)
        mean: NDArray[np.float32] = (pixels.mean(axis=(0, 1)) / 255).astype(np.float32)
        return mean

    def known_embeddings(self, _pictures: Sequence[PictureId], _backbone: str) -> dict[PictureId, Any]:
        return {}


class PlainGallery:
    """Rows of given colours, which it embeds at once in whichever space."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.listed: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self.failed: Event[[Exception]] = Event()
        self.embedded_rows: Event[[NDArray[np.int64]]] = Event()
        self.backbone, self.count = "photo", len(rows)
        self.ids = [PictureId(f"row{row}") for row in range(len(rows))]
        self.embeddings, self.known = rows, np.ones(len(rows), np.bool_)
        self.missing = ~self.known

    def set_backbone(self, name: str, _device: str) -> None:
        changed, self.backbone = name != self.backbone, name
        if changed:
            self.known = np.zeros(self.count, np.bool_)
            self.cleared.emit()

    def embed(self) -> None:
        self.known = np.ones(self.count, np.bool_)
        self.embedded_rows.emit(np.arange(self.count))


class Bench:
    """A predictor on a real lane, with a stand-in for "maml", and everything around it held still."""

    def __init__(self, main: Any, model: Worker) -> None:
        self.main, self.model = main, model
        self.session, self.library = PlainSession(), PlainLibrary()
        self.gallery = PlainGallery(np.stack([R, B, B * 0.9]))
        self.learner = Stepwise(LearnerContext())
        held: Any = (self.session, self.library, self.gallery)
        self.predictor = Predictor(*held, model)
        self.told: list[tuple[int, int, float]] = []
        self.predictor.adapting.connect(lambda *step: self.told.append(step))

    def teach(self) -> None:
        """Teach red and blue by a drawing each; rows are embedded in the space that is used by now."""
        for category, colour in ((RED, R), (BLUE, B)):
            pixels = np.tile((colour * 255).astype(np.uint8), (8, 8, 1))
            stored = StoredPicture(PictureId(str(category)), encode_jpeg(pixels), original=encode_png(pixels))
            self.session.pictures[stored.id] = stored
            example = Example(stored.id, "")
            self.session.do(AddCategory(category, str(category)), AddExamples(category, (example,)))
        self.settle()

    def choose(self, learner: str) -> None:
        self.session.do(ChooseLearner(learner))

    def settle(self) -> None:
        self.main.finish(self.model)

    @property
    def scores(self) -> Scores:
        assert self.predictor.scores is not None
        return self.predictor.scores

    @property
    def fitted(self) -> Fitted:
        assert self.predictor._fitted is not None
        return self.predictor._fitted

    def shown(self) -> list[str]:
        return [self.scores.classes[best] if best >= 0 else "?" for best in self.scores.best.tolist()]


@pytest.fixture
def bench(main: Any, lane: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(main, lane("model"))
    real = catalogue.make_learner

    def make(name: str, context: LearnerContext | None = None) -> Learner:
        return made.learner if name == "maml" else real(name, context)

    monkeypatch.setattr(catalogue, "make_learner", make)
    return made


@pytest.fixture
def adapted(bench: Bench) -> Bench:
    bench.choose("maml")
    bench.teach()
    bench.gallery.embed()
    bench.settle()
    return bench


def test_a_learner_of_the_pixels_space_gets_pixels_everywhere(adapted: Bench) -> None:
    assert adapted.gallery.backbone == "photo#pixels"
    assert set(adapted.library.asked) == {"photo#pixels"}
    assert adapted.predictor.status.backbone == "photo"
    answers: list[SinglePrediction] = []
    pixels = np.tile((B * 255).astype(np.uint8), (8, 8, 1))
    adapted.predictor.classify(pixels, answers.append, key="canvas")
    adapted.settle()
    assert answers[0].classes[answers[0].best] == BLUE
    assert set(adapted.library.asked) == {"photo#pixels"}


def test_each_step_is_told_while_it_adapts(adapted: Bench) -> None:
    assert [(step, steps) for step, steps, _loss in adapted.told[-STEPS:]] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert adapted.predictor.inner_loop is not None
    assert [loss for _step, _steps, loss in adapted.told[-STEPS:]] == list(
        adapted.predictor.inner_loop.losses[1:]
    )


def test_the_inner_loop_is_shown_and_ends_with_another_learner(adapted: Bench) -> None:
    assert adapted.predictor.inner_loop == InnerLoop((2.0, 1.0, 2 / 3, 0.5, 0.4), STEPS, STEPS)
    assert adapted.shown() == ["red", "blue", "blue"]
    adapted.choose("nearest")
    adapted.gallery.embed()
    adapted.settle()
    assert adapted.gallery.backbone == "photo"
    assert adapted.predictor.inner_loop is None
    assert adapted.shown() == ["red", "blue", "blue"]


def test_the_predictions_after_any_step_can_be_shown(adapted: Bench) -> None:
    before, fits = adapted.scores.version, len(adapted.told)
    adapted.predictor.show_step(0)
    adapted.settle()
    assert adapted.shown() == ["red", "red", "red"]
    assert adapted.predictor.inner_loop is not None
    assert adapted.predictor.inner_loop.shown_step == 0
    assert adapted.scores.version > before
    answers: list[SinglePrediction] = []
    adapted.predictor.classify(np.tile((B * 255).astype(np.uint8), (8, 8, 1)), answers.append, key="canvas")
    adapted.settle()
    assert answers[0].classes[answers[0].best] == RED
    assert answers[0].version == adapted.scores.version
    adapted.predictor.show_step(STEPS)
    adapted.settle()
    assert adapted.shown() == ["red", "blue", "blue"]
    assert len(adapted.told) == fits  # nothing was fitted again


def test_of_several_steps_asked_for_in_a_row_the_last_is_shown(adapted: Bench) -> None:
    for step in (0, 1, 3, 2):
        adapted.predictor.show_step(step)
    adapted.settle()
    assert adapted.predictor.inner_loop is not None
    assert adapted.predictor.inner_loop.shown_step == 2
    assert adapted.scores.confidence[1] == pytest.approx(0.5)


def test_rows_that_come_while_a_step_is_shown_are_scored_by_it(adapted: Bench) -> None:
    adapted.predictor.show_step(0)
    adapted.gallery.known = np.array([True, True, False])
    adapted.gallery.listed.emit()
    adapted.gallery.embed()
    adapted.settle()
    assert adapted.shown() == ["red", "red", "red"]


@pytest.mark.parametrize("step", [-1, STEPS + 1])
def test_a_step_that_there_is_not_is_refused(adapted: Bench, step: int) -> None:
    with pytest.raises(ValueError, match=f"no step {step}"):
        adapted.predictor.show_step(step)


def test_a_learner_without_steps_has_none_to_show(bench: Bench) -> None:
    bench.teach()
    with pytest.raises(ValueError, match="no step 0"):
        bench.predictor.show_step(0)


def test_a_new_example_fits_from_the_start_and_shows_the_last_step(adapted: Bench) -> None:
    adapted.predictor.show_step(1)
    adapted.session.do(AddExamples(RED, (Example(PictureId("row0"), ""),)))
    adapted.predictor.show_step(0)  # too late: another classifier is on its way
    adapted.settle()
    assert adapted.predictor.inner_loop is not None
    assert adapted.predictor.inner_loop.shown_step == STEPS


def test_a_slow_classifier_is_asked_in_small_portions(adapted: Bench) -> None:
    assert rows_at_once(adapted.fitted) == 3
    assert max(adapted.learner.asked) <= 3
    plain = replace(adapted.fitted, classifier=object())  # type: ignore[arg-type]
    assert rows_at_once(plain) == 16
    assert rows_at_once(replace(plain, recipe=replace(plain.recipe, learner="ridge"))) == 1024


def test_a_fit_is_cancelled_at_once_and_the_former_classifier_stays(adapted: Bench) -> None:
    before, report = adapted.scores, adapted.predictor.status
    assert not report.cancelled
    adapted.learner.forever.append(True)
    adapted.session.do(AddExamples(RED, (Example(PictureId("row0"), ""),)))
    assert adapted.predictor.status.busy
    assert adapted.learner.begun.wait(20)
    adapted.predictor.cancel_fit()
    status = adapted.predictor.status
    assert (status.busy, status.cancelled, status.problem) == (False, True, None)
    assert adapted.model.drain(20)  # the learner has let go of the lane
    adapted.settle()
    assert adapted.scores.version == before.version
    assert adapted.shown() == ["red", "blue", "blue"]
    assert adapted.scores.taught.tolist() == [0, -1, -1]  # what the person said is kept
    adapted.learner.forever.clear()
    adapted.predictor.refresh()
    adapted.settle()
    assert not adapted.predictor.status.cancelled
    assert adapted.scores.version > before.version


def test_a_cancelled_change_of_space_leaves_answers_to_single_pictures(bench: Bench) -> None:
    bench.teach()
    bench.learner.forever.append(True)
    bench.choose("maml")
    bench.gallery.embed()
    assert bench.learner.begun.wait(20)
    bench.predictor.cancel_fit()
    bench.settle()
    # The rows are embedded for the other space by now; the former classifier must not be asked about them.
    assert bench.shown() == ["?", "?", "?"]
    answers: list[SinglePrediction] = []
    bench.predictor.classify(np.tile((B * 255).astype(np.uint8), (8, 8, 1)), answers.append, key="canvas")
    bench.settle()
    assert answers[0].classes[answers[0].best] == BLUE
    bench.choose("prototypical")
    bench.gallery.embed()
    bench.settle()
    assert bench.shown() == ["red", "blue", "blue"]


def test_there_may_be_nothing_to_cancel(adapted: Bench) -> None:
    adapted.predictor.cancel_fit()
    assert not adapted.predictor.status.cancelled


def test_what_adapts_for_long_is_not_examined_unasked(
    adapted: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adapted.predictor.report is not None
    monkeypatch.setattr("fewshot_gui.engine.examining.LONGEST_FIT_SECONDS", 0.0)
    adapted.predictor.refresh()
    adapted.settle()
    assert adapted.predictor.report is None
    adapted.choose("nearest")
    adapted.settle()
    assert adapted.predictor.report is not None
