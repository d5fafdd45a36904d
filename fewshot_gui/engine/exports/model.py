"""A taught classifier as one ONNX model, a program that uses it, and how they agree with this program."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem
from fewshot_gui.core.learners.reason import choice_of
from fewshot_gui.engine.exports import use_model
from fewshot_gui.engine.publish import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.core.learners.base import Classifier

FACTS = "fewshot-labeler"
"""The key of the model's metadata under which it says what it is, as JSON."""
_PROGRAM = "program"
"""The fact that names the program beside the model, by its hash."""
MOST_COMPARED = 200


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The examples of a classifier.

    Attributes:
        paths: S files; empty where an example has none, as a picture of the camera.
        rows: float32 (S, D), their embeddings.
    """

    paths: Sequence[str]
    rows: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Parity:
    """How an exported model agrees with the program on pictures.

    Attributes:
        pictures: that were compared.
        same: on how many both name the same category, or none.
        largest_difference: of any probability.
    """

    pictures: int
    same: int
    largest_difference: float


def export_taught(
    path: Path,
    backbone: str,
    classifier: Classifier,
    examples: Examples,
    *,
    learner: str,
    threshold: float | None,
) -> Parity:
    """Write what was taught as a model with its program; return how they agree with this one on the examples.

    Args:
        path: of the model, ending in ".onnx".
        backbone: name or path of the bundle that embeds.
        classifier: of its embeddings.
        examples: that taught it.
        learner: the name of what was asked to teach it; where that chose another, the other is named.
        threshold: boldness, 0 to 1; None: automatic.

    Raises:
        BundleError: the backbone cannot be used, or is an ONNX model itself.
        OnnxExportError: backbone or learner cannot be written as a model.
        OSError: the folder cannot be written or the disk is full.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.calibration import threshold_at  # noqa: PLC0415 - imports torch

    bundle = load_bundle(backbone)
    if not bundle.info.adaptable:
        why = "it is an ONNX model already, and is not written into another one; choose another backbone"
        raise BundleError(BundleProblem.DOES_NOT_FIT, str(bundle.info.path), why)
    choice = choice_of(classifier)
    none_above = float(threshold_at(threshold, classifier))
    # What the exporter prints of a model that it cannot write is long, and says nothing to anybody else.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        model = exported_model(bundle, classifier, none_above, choice.learner if choice else learner)
    said = classifier.predict(torch.from_numpy(examples.rows))
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_bytes(model)
        parity = compare(
            trial, examples.paths, said.probabilities.numpy(), said.nearest_distance[:, 0].numpy()
        )
    write_model(path, model)  # at the very end: who stops an export finds what was there before
    return parity


def exported_model(bundle: Bundle, classifier: Classifier, none_above: float, learner: str) -> bytes:
    """Return an ONNX model: prepared pictures in, probabilities and the distance to the nearest example out.

    It says in its metadata what a program needs to use it: the categories, how a picture is prepared, above
    which distance it is none of these, and what made it.

    Args:
        bundle: that embeds.
        classifier: of its embeddings.
        none_above: the distance above which a picture is none of these; +inf for never.
        learner: the name of what taught the classifier.

    Raises:
        OnnxExportError: the backbone or the learner cannot be written as one.
    """
    from torch import Tensor, nn  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.onnx_export import finished_network, to_onnx  # noqa: PLC0415 - as torch

    class Whole(nn.Module):
        """The network and the classifier, one after the other."""

        def __init__(self) -> None:
            super().__init__()
            self.network = finished_network(bundle)

        def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
            """Return probabilities (B, N) and distances (B,) of prepared pictures (B, views * H, W, C)."""
            said = classifier.predict(self.network(pictures))
            return said.probabilities.float(), said.nearest_distance[:, 0].float()

    preprocessing = bundle.preprocessing
    model = to_onnx(Whole().eval(), preprocessing.prepared_shape, ["probabilities", "distance"])
    facts = {
        "categories": list(classifier.classes),
        "side": preprocessing.side,
        "channels": preprocessing.channels,
        "invert": preprocessing.invert,
        "views": [asdict(view) for view in preprocessing.views],
        "none_above": none_above if math.isfinite(none_above) else None,
        "learner": learner,
        "backbone": bundle.name,
        "weights": bundle.info.hash,
        _PROGRAM: _hash(_program()),
    }
    entry = model.metadata_props.add()
    entry.key, entry.value = FACTS, json.dumps(facts)  # ASCII: a name may be no valid Unicode
    content: bytes = model.SerializeToString()
    return content


def program_of(path: Path) -> Path:
    """Return where the program lies that uses a model."""
    return path.with_suffix(".py")


def write_model(path: Path, model: bytes) -> None:
    """Write the model and, beside it, the program that uses it.

    Each is complete or not there: it is written beside and then renamed.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    for target, content in ((path, model), (program_of(path), _program())):
        with replacing(target) as partial:
            partial.write_bytes(content)


def _program() -> bytes:
    return Path(use_model.__file__).read_bytes()


def is_own_model(path: Path) -> bool:
    """Return whether a file is a model of an earlier export."""
    return FACTS.encode() in path.read_bytes()


def is_own_program(path: Path) -> bool:
    """Return whether a file is the program of an export, as it was written: nobody's own changes are lost.

    An earlier version of this program wrote another one; the model beside it names that.
    """
    program = path.read_bytes()
    return program == _program() or _is_named(program, path.with_suffix(".onnx"))


def _is_named(program: bytes, model: Path) -> bool:
    """Return whether a model says that this very program was written with it."""
    fact = json.dumps({_PROGRAM: _hash(program)})[1:-1]
    return model.is_file() and fact.encode() in model.read_bytes()


def _hash(program: bytes) -> str:
    return hashlib.sha256(program).hexdigest()


def compare(
    path: Path,
    pictures: Sequence[str],
    said: NDArray[np.float32],
    distances: NDArray[np.float32],
) -> Parity:
    """Return how the exported model, as its own program runs it on picture files, agrees with this one.

    Args:
        path: of the model.
        pictures: files, n of them; those that are not there, and those that only this program reads, such as
            HEIC, are left out.
        said: float (n, N), the probabilities that this program gives them.
        distances: float (n,), to the nearest example.
    """
    model = use_model.Model(str(path))
    compared = same = 0
    largest = 0.0
    count = min(len(pictures), MOST_COMPARED)
    for place in np.linspace(0, max(0, len(pictures) - 1), count).astype(int).tolist():
        try:
            answer = model.answers([pictures[place]])[0]
        except (OSError, ValueError):
            continue
        own = None if distances[place] > model.none_above else model.categories[int(said[place].argmax())]
        theirs = np.array([answer.probabilities[name] for name in model.categories])
        compared, same = compared + 1, same + (own == answer.label)
        largest = max(largest, float(np.abs(theirs - said[place]).max()))
    return Parity(compared, same, largest)
