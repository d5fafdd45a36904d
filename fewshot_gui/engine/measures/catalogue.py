"""All measures by name, and running them in a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fewshot_gui.engine.measures.children import Place
from fewshot_gui.engine.measures.figure import Figure, MeasureError, Sizes
from fewshot_gui.engine.measures.indexing import measure_indexing
from fewshot_gui.engine.measures.runtimes import copy_known, measure_runtimes
from fewshot_gui.engine.measures.teaching import measure_teaching
from fewshot_gui.engine.measures.windows import (
    measure_blocked,
    measure_first_prediction,
    measure_live,
    measure_memory,
    measure_start,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Measure: TypeAlias = Callable[[Place, Sizes], "Figure | tuple[Figure, ...]"]

MEASURES: Mapping[str, Measure] = {
    # First, so that the windows of the others embed with the faster one.
    "runtime": measure_runtimes,
    "start": measure_start,
    "first-prediction": measure_first_prediction,
    "teach": measure_teaching,
    "live": measure_live,
    "index": measure_indexing,
    "blocked": measure_blocked,
    "memory": measure_memory,
}


def take(name: str, backbone: str, sizes: Sizes) -> tuple[Figure, ...]:
    """Return the figures of one measure; what it writes lies in a temporary folder and is removed.

    But for the comparison of the runtimes, which is kept where the window looks for it.

    Args:
        name: one of `MEASURES`.
        backbone: name or path of the bundle to measure with.
        sizes: how much to measure.

    Raises:
        MeasureError: it could not be taken.
    """
    with tempfile.TemporaryDirectory(prefix="fewshot-bench-") as folder:
        try:
            place = Place(Path(folder), backbone)
            copy_known(place)
            figures = MEASURES[name](place, sizes)
        except OSError as error:
            raise MeasureError(f"{name}: {error}") from error
    return figures if isinstance(figures, tuple) else (figures,)
