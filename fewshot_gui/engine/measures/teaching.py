"""How long one more example takes: all cached pictures are scored anew and delivered."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Self

import numpy as np

from fewshot_gui.core.backbones.bundle import describe_bundle
from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseBackbone, new_category_id
from fewshot_gui.engine.gallery import Gallery
from fewshot_gui.engine.headless import MainLoop
from fewshot_gui.engine.library import Library
from fewshot_gui.engine.measures.figure import Figure, MeasureError, percentile
from fewshot_gui.engine.measures.materials import fill_cache, imagined_files, imagined_id
from fewshot_gui.engine.measures.plain import time_teaching
from fewshot_gui.engine.predictor import Predictor
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import Example
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.measures.children import Place
    from fewshot_gui.engine.measures.figure import Sizes
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId

BAR_MS = 50.0
CATEGORIES = 5
EXAMPLES = 5
_CLOSE_SECONDS = 5.0


def measure_teaching(place: Place, sizes: Sizes) -> Figure:
    """Return the milliseconds from the command to the delivered scores of all rows, a median."""
    files = imagined_files(sizes.rows)
    fill_cache(place.cache, describe_bundle(place.backbone), files, imagined_id)
    with _Bench(place) as bench:
        bench.open(sizes.rows)
        taken = [bench.teach() for _ in range(sizes.teachings)]
        rows = np.array(bench.gallery.embeddings)
    labels = np.arange(CATEGORIES * EXAMPLES) % CATEGORIES
    plain = time_teaching(rows, labels, sizes.teachings)
    return Figure(
        name="teach",
        value=median(taken),
        unit="ms",
        bar=BAR_MS,
        baseline_value=median(plain),
        detail={"rows": sizes.rows, "dimension": rows.shape[1], "p95_ms": percentile(taken, 0.95)},
    )


class _Bench:
    """The parts of the engine that answer one example, without a window."""

    def __init__(self, place: Place) -> None:
        self._loop = MainLoop()
        self._lanes = [Worker(name, self._loop.post) for name in ("decode", "model", "disk")]
        decode, model, disk = self._lanes
        problems = ProblemLog()
        self._session = Session.create(place.folder / "teach.fewshot", disk)
        self._session.do(ChooseBackbone(place.backbone))
        self._library = Library(self._loop.post, decode, model, place.cache, problems)
        self.gallery = Gallery(self._library, decode, problems, backbone=place.backbone)
        self._predictor = Predictor(self._session, self._library, self.gallery, model)
        self._categories: list[CategoryId] = []
        self._taught = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()
        self._predictor.close()
        self.gallery.close()
        for lane in self._lanes:
            lane.close(_CLOSE_SECONDS)
        self._library.close()

    def open(self, count: int) -> None:
        """Show that many cached pictures and teach five categories with five of them each."""
        self.gallery.open_files(imagined_files(count))
        self._run_until(lambda: self.gallery.embedded == count)
        for number in range(CATEGORIES):
            identity = new_category_id()
            self._session.do(AddCategory(identity, f"Category {number}"))
            self._categories.append(identity)
        for _ in range(CATEGORIES * EXAMPLES):
            self._add_example()
        self._settle()

    def teach(self) -> float:
        """Return the milliseconds that one more example takes, every row scored and delivered."""
        former = self._version()
        begun = perf_counter()
        self._add_example()
        self._run_until(lambda: self._version() > former and self._all_known())
        taken = 1000 * (perf_counter() - begun)
        self._settle()
        return taken

    def _run_until(self, done: Callable[[], bool]) -> None:
        """Run what the lanes post until `done` says so.

        Raises:
            MeasureError: there is no classifier, and why.
        """
        self._loop.run_until(lambda: bool(self._predictor.status.problem) or done())
        if self._predictor.status.problem:
            raise MeasureError(f"teach: {self._predictor.status.detail}")

    def _settle(self) -> None:
        """Wait until the examples have been examined too: nothing of one example runs into the next."""
        self._run_until(lambda: self._predictor.report is not None)

    def _add_example(self) -> None:
        picture = self.gallery.ids[self._taught]
        assert picture is not None
        category = self._categories[self._taught % CATEGORIES]
        self._session.do(AddExamples(category, (Example(picture, "bench"),)))
        self._taught += 1

    def _version(self) -> int:
        scores = self._scores()
        return scores.version if scores else 0

    def _all_known(self) -> bool:
        scores = self._scores()
        return scores is not None and bool(scores.known.all())

    def _scores(self) -> Scores | None:
        return self._predictor.scores
