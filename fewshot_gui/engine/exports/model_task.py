"""An export of the window's classifier in a process of its own: tracing holds Python's lock for seconds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fewshot_gui.core.backbones.bundle_info import BundleError
from fewshot_gui.core.learners.facts import LearnerError
from fewshot_gui.engine.fitting import Recipe, Watch, learn, make_learner
from fewshot_gui.engine.headless import MainLoop, open_library
from fewshot_gui.engine.own_pictures import may_replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fewshot_gui.engine.exports.model import Parity
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.session import Session

Trouble: TypeAlias = Literal["taken", "learner", "backbone", "system"]
"""Another file is there already; learner on backbone cannot be written as a model, or used; the disk."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelTask:
    """What the process makes the classifier of once more; it is given no session, which another holds open.

    Attributes:
        out: of the model, ending in ".onnx".
        learner: its name.
        backbone: name or path of the bundle.
        categories: N names.
        paths: S files; empty where an example has none.
        threshold: boldness, 0 to 1; None: automatic.
        rows: float32 (S, D), the embeddings of the examples.
        labels: int64 (S,), 0 .. N - 1.
        views: int64 (S,), as in a support set.
    """

    out: str
    learner: str
    backbone: str
    categories: list[str]
    paths: list[str]
    threshold: float | None
    rows: NDArray[np.float32]
    labels: NDArray[np.int64]
    views: NDArray[np.int64]

    @classmethod
    def of(cls, fitted: Fitted, session: Session, out: Path) -> ModelTask:
        """Return the task that exports a classifier of a session."""
        document, stored = session.document, map(session.picture, fitted.support_ids)
        support = fitted.support
        views = (
            np.arange(len(support.labels), dtype=np.int64) if support.views is None else support.views.numpy()
        )
        return cls(
            str(out),
            fitted.recipe.learner,
            fitted.recipe.backbone,
            [document.category(category).name for category in fitted.classes],
            [picture.path or "" if picture else "" for picture in stored],
            document.settings.threshold,
            support.embeddings.numpy(),
            support.labels.numpy(),
            views,
        )

    def write(self, path: Path) -> None:
        """Write it for the process.

        Raises:
            OSError: there is no room.
        """
        facts = {key: getattr(self, key) for key in _FACTS}
        arrays = {key: getattr(self, key) for key in _ARRAYS}
        np.savez(path, facts=np.array(json.dumps(facts)), **arrays)

    @classmethod
    def read(cls, path: Path) -> ModelTask:
        """Return what was written."""
        with np.load(path) as kept:
            return cls(**json.loads(str(kept["facts"])), **{key: kept[key] for key in _ARRAYS})


_FACTS = ("out", "learner", "backbone", "categories", "paths", "threshold")
_ARRAYS = ("rows", "labels", "views")


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What came of it.

    Attributes:
        trouble: why there is no model; None where there is one.
        detail: the facts of the trouble.
        compared: on how many pictures the model was compared with this program.
        same: on how many both name the same category, or none.
    """

    trouble: Trouble | None = None
    detail: str = ""
    compared: int = 0
    same: int = 0

    @classmethod
    def read(cls, said: bytes) -> ModelReply:
        """Return what the process said last.

        Raises:
            ValueError: it did not come to say it.
        """
        lines = said.splitlines()
        if not lines:
            raise ValueError("it said nothing")
        values: Any = json.loads(lines[-1])
        if not isinstance(values, dict) or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError("it said something else")
        return cls(**values)


def command(task: Path) -> list[str]:
    """Return the command line of the process for a task that was written there.

    Without -P it would take modules from the current folder, in which a person's own programs may lie.
    """
    return [sys.executable, "-P", "-m", __spec__.name, str(task)]


def export(task: ModelTask) -> ModelReply:
    """Write the model of a task; whatever keeps it from that is in the reply."""
    from fewshot_gui.core.backbones.onnx_export import OnnxExportError  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.base import SupportError  # noqa: PLC0415 - imports torch
    from fewshot_gui.engine.exports.model import (  # noqa: PLC0415 - imports onnxruntime
        is_own_model,
        is_own_program,
        program_of,
    )

    out = Path(task.out)
    for path, is_own in ((out, is_own_model), (program_of(out), is_own_program)):
        if not may_replace(path, is_own):
            return ModelReply("taken", str(path))
    try:
        parity = _exported(task, out)
    except OnnxExportError:
        return ModelReply("learner")  # what torch says of it is long, and says nothing to anybody else
    except (BundleError, LearnerError, SupportError) as error:
        return ModelReply("backbone", str(error))
    except OSError as error:
        return ModelReply("system", error.strerror or str(error))
    return ModelReply(compared=parity.pictures, same=parity.same)


def _exported(task: ModelTask, out: Path) -> Parity:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.base import SupportSet  # noqa: PLC0415 - imports torch
    from fewshot_gui.engine.exports.model import Examples, export_taught  # noqa: PLC0415 - imports onnxruntime

    support = SupportSet(
        torch.from_numpy(task.rows),
        torch.from_numpy(task.labels),
        tuple(task.categories),
        torch.from_numpy(task.views),
    )
    recipe = Recipe(task.learner, task.backbone, "cpu", ())
    with open_library(MainLoop()) as (library, _):
        classifier = learn(make_learner(recipe, library), support, recipe, Watch())
    examples = Examples(task.paths, task.rows)
    return export_taught(
        out, recipe.bundle, classifier, examples, learner=task.learner, threshold=task.threshold
    )


def main() -> None:
    """Export the task that the command line names, and say what came of it as one line of JSON."""
    reply = export(ModelTask.read(Path(sys.argv[1])))
    sys.stdout.write(json.dumps(asdict(reply)) + "\n")


if __name__ == "__main__":
    main()
