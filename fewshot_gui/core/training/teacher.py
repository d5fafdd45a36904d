"""A teacher: a larger network, whose embeddings a smaller one is trained to give."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import cv2
import numpy as np

from fewshot_gui.core.training.recipe import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fewshot_gui.core.training.recipe import Teaching

_BUNDLE_BATCH = 32
# Principal components of more pictures than this are no better, and cost memory.
_MOST_FOR_COMPONENTS = 20_000
_LEAST = 1e-6
_BEGINNING: Final = b"PK\x03\x04"  # of what `np.savez` writes
# What NumPy raises at a file that is none of its archives, or is torn.
_NO_TARGETS: Final = (OSError, ValueError, KeyError, EOFError, BadZipFile)


def teacher_embeddings(
    teacher: str,
    images: NDArray[np.uint8],
    settings: Teaching,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Return float32 (n, T), what a teacher makes of the pictures.

    Args:
        teacher: a TensorFlow Lite model, NAME.tflite, of one picture (1, side, side, 3) uint8; or a bundle,
            by name or path.
        images: uint8 (n, side, side, 3), of any side.
        settings: which layer of it.
        progress: called with pictures done and their total.

    Raises:
        RecipeError: there is no such model, layer or reader, and what to do.
        BundleError: there is no such bundle, or it is damaged.
    """
    reader = _tflite_rows if teacher.endswith(".tflite") else _bundle_rows
    rows = []
    for row in reader(teacher, images, settings):
        rows.append(row)
        if progress and (len(rows) % 100 == 0 or len(rows) == len(images)):
            progress(len(rows), len(images))
    return np.stack(rows)


def _tflite_rows(
    teacher: str, images: NDArray[np.uint8], settings: Teaching
) -> Iterator[NDArray[np.float32]]:
    interpreter = _interpreter(teacher)
    given = interpreter.get_input_details()[0]
    layers = {detail["name"]: detail for detail in interpreter.get_tensor_details()}
    if settings.layer not in layers:
        raise RecipeError(f"{teacher} has no layer {settings.layer!r}; there are {', '.join(layers)}")
    layer = layers[settings.layer]
    scale, zero = layer["quantization"]
    side = int(given["shape"][1])
    for image in images:
        shown = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR)
        interpreter.set_tensor(given["index"], shown[None])
        interpreter.invoke()
        values = interpreter.get_tensor(layer["index"]).reshape(-1).astype(np.float32)
        yield (values - zero) * scale if scale else values


def _interpreter(teacher: str) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an extra, for distilling alone
    except ImportError as error:
        raise RecipeError(
            f"{teacher} is a TensorFlow Lite model; to read it: pip install ai-edge-litert"
        ) from error
    try:
        interpreter = Interpreter(teacher, num_threads=1, experimental_preserve_all_tensors=True)
    except ValueError as error:
        raise RecipeError(f"the teacher {teacher} cannot be read: {error}") from error
    interpreter.allocate_tensors()
    return interpreter


def _bundle_rows(
    teacher: str, images: NDArray[np.uint8], _settings: Teaching
) -> Iterator[NDArray[np.float32]]:
    from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - one of two readers

    bundle = load_bundle(teacher)
    for start in range(0, len(images), _BUNDLE_BATCH):
        prepared = [bundle.preprocessing.prepare(image) for image in images[start : start + _BUNDLE_BATCH]]
        yield from bundle.embed(np.stack(prepared))


def taught_targets(
    embeddings: NDArray[np.float32], dimension: int, settings: Teaching
) -> NDArray[np.float16]:
    """Return float16 (n, D) of length one: the teacher's embeddings as the pupil is to give them.

    Centred, of length one, turned to the D components of most variance and evened out among those.

    Args:
        embeddings: float32 (n, T).
        dimension: D.
        settings: how much is evened out.

    Raises:
        RecipeError: more dimensions are asked for than the teacher, or the number of pictures, has.
    """
    if dimension > min(embeddings.shape):
        raise RecipeError(
            f"network: an embedding of {dimension} is more than the teacher's {min(embeddings.shape)}"
        )
    values = np.sqrt(np.maximum(embeddings, 0)) if settings.square_root else embeddings
    rows = _unit(values - values.mean(axis=0))
    sample = rows[:: max(1, len(rows) // _MOST_FOR_COMPONENTS)]
    variances, axes = np.linalg.eigh(sample.T.astype(np.float64) @ sample / len(sample))
    largest = np.argsort(variances)[::-1][:dimension]
    weights = np.maximum(variances[largest], _LEAST) ** (-0.5 * settings.whiten)
    return _unit(rows @ (axes[:, largest] * weights).astype(np.float32)).astype(np.float16)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST)
    return unit


def load_targets(path: Path, key: str) -> NDArray[np.float16] | None:
    """Return the targets kept in a file by `save_targets` under the same key; None where there are none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return kept["targets"] if str(kept["key"]) == key else None
    except _NO_TARGETS:
        return None


def is_targets(path: Path) -> bool:
    """Return whether a file was written by `save_targets`, be it torn since."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return set(kept.files) == {"key", "targets"}
    except _NO_TARGETS:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING


def save_targets(path: Path, key: str, targets: NDArray[np.float16]) -> None:
    """Keep targets, atomically: a teacher takes longer to ask than a file to read."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        np.savez(file, key=np.array(key), targets=targets)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def targets_key(teacher: str, images: NDArray[np.uint8], dimension: int, settings: Teaching) -> str:
    """Return 32 hexadecimal digits of all that the targets depend on.

    Raises:
        BundleError: the teacher is neither a file nor a bundle.
    """
    digest = hashlib.sha256(repr((images.shape, dimension, settings)).encode())
    digest.update(images[:: max(1, len(images) // 256)].tobytes())
    if teacher.endswith(".tflite"):
        with Path(teacher).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    else:
        from fewshot_gui.core.backbones.bundle import describe_bundle  # noqa: PLC0415 - one of two readers

        digest.update(describe_bundle(teacher).hash.encode())
    return digest.hexdigest()[:32]
