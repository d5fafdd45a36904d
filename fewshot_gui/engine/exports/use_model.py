"""Labels pictures with a model that Few-shot Labeler exported. It needs nothing of that program.

    pip install numpy onnxruntime opencv-python-headless
    python NAME.py NAME.onnx PICTURE ...

`Model` is for programs of your own: `Model("NAME.onnx").answers(["PICTURE"])`.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_AT_ONCE = 32


class Answer(NamedTuple):
    """What the model says of a picture.

    Attributes:
        label: the likeliest category; None where the picture is none of these.
        probabilities: by category, 0 to 1.
        distance: to the nearest example.
    """

    label: str | None
    probabilities: dict[str, float]
    distance: float


class Model:
    """An exported model.

    Args:
        path: NAME.onnx.
    """

    def __init__(self, path: str) -> None:
        self._session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        facts = json.loads(self._session.get_modelmeta().custom_metadata_map["fewshot-labeler"])
        self.categories: list[str] = facts["categories"]
        self.none_above = float("inf") if facts["none_above"] is None else float(facts["none_above"])
        self._side, self._channels, self._invert = facts["side"], facts["channels"], facts["invert"]
        self._views: list[dict[str, Any]] = facts["views"]

    def answers(self, paths: Sequence[str]) -> list[Answer]:
        """Return what the model says of picture files.

        Raises:
            ValueError: one of them is no picture that OpenCV reads.
        """
        found = []
        for start in range(0, len(paths), _AT_ONCE):
            prepared = [self.prepare(read(path)) for path in paths[start : start + _AT_ONCE]]
            probabilities, distances = self._session.run(None, {"pictures": np.stack(prepared)})
            found += [self._answer(*row) for row in zip(probabilities, distances, strict=True)]
        return found

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what the model takes of a picture (H, W, 3) RGB: its views, squares, below one another."""
        seen = np.concatenate([looked(pixels, self._side, **view) for view in self._views])
        if self._channels == 1:
            seen = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
        return np.ascontiguousarray(255 - seen if self._invert else seen)

    def _answer(self, probabilities: NDArray[np.float32], distance: float) -> Answer:
        label = None if distance > self.none_above else self.categories[int(probabilities.argmax())]
        by_name = zip(self.categories, probabilities.tolist(), strict=True)
        return Answer(label, dict(by_name), float(distance))


def looked(
    pixels: NDArray[np.uint8], side: int, *, whole: bool, zoom: float, turn: float
) -> NDArray[np.uint8]:
    """Return a view (side, side, 3) of a picture (H, W, 3).

    It is all of it with the mean colour of its edges beside it, or its middle square, `zoom` times closer and
    turned by so many degrees.
    """
    height, width = pixels.shape[:2]
    if whole:
        long = max(height, width)
        seen = resized(pixels, max(1, round(height * side / long)), max(1, round(width * side / long)))
        edges = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
        square = np.empty((side, side, 3), np.uint8)
        square[:] = np.rint(edges.mean(axis=0))
        top, left = (side - seen.shape[0]) // 2, (side - seen.shape[1]) // 2
        square[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
        return square
    cut = max(1, round(min(height, width) / zoom))
    top, left = (height - cut) // 2, (width - cut) // 2
    near = pixels[top : top + cut, left : left + cut]
    if not turn:
        return resized(near, side, side)
    double = resized(near, 2 * side, 2 * side)
    about = cv2.getRotationMatrix2D((side - 0.5, side - 0.5), turn, 1.0)
    turned = cv2.warpAffine(double, about, (2 * side, 2 * side), borderMode=cv2.BORDER_REPLICATE)
    return resized(np.asarray(turned, np.uint8), side, side)


def resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) at another size: an area filter to shrink, a cubic one to enlarge."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), np.uint8)


def read(path: str) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3), RGB, upright, of a picture file; transparent parts are white.

    Raises:
        ValueError: it is no picture that OpenCV reads.
    """
    data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if whole is None:
        raise ValueError(f"{path} is no picture that OpenCV reads")
    if whole.ndim == 3 and whole.shape[2] == 4 and whole.dtype == np.uint8:
        share = whole[:, :, 3:].astype(np.float32) / 255
        mixed = np.rint(share * whole[:, :, :3] + 255 * (1 - share)).astype(np.uint8)
    else:
        mixed = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)  # turns it upright, too
    return np.ascontiguousarray(mixed[:, :, ::-1])


def main(arguments: Sequence[str]) -> int:
    """Print the label, its probability and the path of each picture; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know the letters of a name
    if len(arguments) < 2:
        print(__doc__)  # noqa: T201 - a program of its own
        return 2
    model, failed = Model(arguments[0]), 0
    for path in arguments[1:]:
        try:
            answer = model.answers([path])[0]
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)  # noqa: T201 - as above
            failed = 1
            continue
        chance = max(answer.probabilities.values())
        print(f"{answer.label or 'none of these'}\t{chance:.3f}\t{path}")  # noqa: T201 - as above
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
