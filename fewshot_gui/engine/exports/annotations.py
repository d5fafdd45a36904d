"""Labels as COCO and as Label Studio JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import picture_size
from fewshot_gui.engine.exports.labelled import Labelled, category_names
from fewshot_gui.engine.publish import new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def write_coco(
    path: Path,
    rows: Sequence[Labelled],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write COCO JSON: each picture has one annotation, whose box is the whole picture.

    COCO has no picture-level label; a box of the whole picture is what its readers understand. The
    provenance stands in `attributes`. A picture of none of these is listed without an annotation.

    Args:
        path: of the new file.
        rows: the labelled pictures.
        progress: called with pictures looked at and their number: each header is read for its size.
        cancelled: asked before each picture; nothing is written then.

    Raises:
        FileExistsError: there is something of that name.
        OSError: the folder cannot be written or the disk is full.
    """
    names = category_names(list(rows))
    numbers = {name: number for number, name in enumerate(names, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        if cancelled():
            return
        width, height = _size(row.path)
        images.append({"id": number, "file_name": row.path, "width": width, "height": height})
        if row.category:
            annotations.append(
                {
                    "id": number,
                    "image_id": number,
                    "category_id": numbers[row.category],
                    "bbox": [0, 0, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "score": row.probability,
                    "attributes": _provenance(row),
                }
            )
        if progress:
            progress(number, len(rows))
    categories = [{"id": numbers[name], "name": name, "supercategory": ""} for name in names]
    _write(path, {"images": images, "annotations": annotations, "categories": categories})


def write_label_studio(path: Path, rows: Sequence[Labelled]) -> None:
    """Write Label Studio tasks: what a person said is an annotation, what the machine said a prediction.

    The labelling configuration needs `<Image name="image"/>` and `<Choices name="choice" toName="image">`.

    Raises:
        FileExistsError: there is something of that name.
        OSError: the folder cannot be written or the disk is full.
    """
    _write(path, [_task(row) for row in rows])


def _task(row: Labelled) -> dict[str, Any]:
    task: dict[str, Any] = {
        "data": {"image": Path(row.path).absolute().as_uri() if _is_text(row.path) else row.path},
        "meta": {"path": row.path, **_provenance(row)},
    }
    if not row.category:
        return task
    result = {
        # The same label of the same picture has the same id, however often it is written.
        "id": hashlib.blake2b(
            f"{row.path}\0{row.category}".encode("utf-8", "surrogateescape"), digest_size=5
        ).hexdigest(),
        "type": "choices",
        "from_name": "choice",
        "to_name": "image",
        "value": {"choices": [row.category]},
    }
    if row.said_by.by_person:
        return task | {"annotations": [{"result": [result]}]}
    prediction = {
        "result": [result],
        "score": row.probability,
        "model_version": f"{row.backbone}-{row.weights}",
    }
    return task | {"predictions": [prediction]}


def _provenance(row: Labelled) -> dict[str, Any]:
    return {
        "said_by": row.said_by.value,
        "probability": row.probability,
        "at": row.at,
        "learner": row.learner,
        "backbone": row.backbone,
        "weights": row.weights,
    }


def _size(path: str) -> tuple[int, int]:
    """Return (width, height) as the picture is shown, from its header; (0, 0) where it cannot be read."""
    try:
        return picture_size(path)
    except ImageProblem:
        return 0, 0


def _is_text(path: str) -> bool:
    return path.isprintable() or path.encode("utf-8", "ignore").decode() == path


def _write(path: Path, value: Any) -> None:
    with new_file(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.write("\n")
