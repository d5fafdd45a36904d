"""The baselines: the same answers from plain scripts, as one writes them with torch, PIL and OpenCV alone."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.core.data_files import assets_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from fewshot_gui.core.backbones.bundle import Bundle

NEIGHBOURS = 5
LOADERS = 2
BATCH = 32


def classify(support: Tensor, labels: Tensor, query: Tensor, temperature: float) -> tuple[Tensor, ...]:
    """Return probabilities (Q, N), nearest examples (Q, k) and their distances (Q, k).

    Args:
        support: float32 (S, D).
        labels: int64 (S,), each of 0 to N - 1 at least once.
        query: float32 (Q, D).
        temperature: of the softmax over negative squared distances.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    means = torch.stack([support[labels == index].mean(dim=0) for index in range(int(labels.max()) + 1)])
    probabilities = torch.softmax(-(torch.cdist(query, means) ** 2) / temperature, dim=1)
    nearest = torch.cdist(query, support).topk(min(NEIGHBOURS, len(support)), largest=False)
    return probabilities, nearest.indices, nearest.values


def time_teaching(rows: NDArray[np.float32], labels: NDArray[np.int64], repeats: int) -> list[float]:
    """Return the milliseconds of each of `repeats` new classifications of `rows` (R, D) by a naive script.

    Args:
        rows: embeddings; the first S of them are the examples.
        labels: int64 (S,), the class of each example.
        repeats: how often.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        query = torch.from_numpy(np.stack(list(rows)))
        classify(query[: len(labels)], torch.from_numpy(labels), query, temperature=1.0)
        taken.append(1000 * (time.perf_counter() - begun))
    return taken


def time_indexing(bundle: Bundle, root: Path, device: str) -> float:
    """Return the seconds that ImageFolder and DataLoader take to embed the class folders under `root`."""
    from torch.utils.data import DataLoader  # noqa: PLC0415 - torch takes seconds to import
    from torchvision import datasets, transforms  # noqa: PLC0415 - the same

    side = bundle.preprocessing.side
    steps = [transforms.Resize(side), transforms.CenterCrop(side), transforms.PILToTensor()]
    data = datasets.ImageFolder(str(root), transforms.Compose(steps))
    begun = time.perf_counter()
    for images, _labels in DataLoader(data, batch_size=BATCH, num_workers=LOADERS):
        squares = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        bundle.embed(np.tile(squares, (1, len(bundle.preprocessing.views), 1, 1)), device)
    return time.perf_counter() - begun


@dataclass(frozen=True, slots=True)
class PlainVideo:
    """What a plain loop over a video needs: the milliseconds of each frame, read and embedded."""

    milliseconds: list[float]

    @property
    def rate(self) -> float:
        """Frames a second when it never waits."""
        return 1000 * len(self.milliseconds) / sum(self.milliseconds)


def time_video(bundle: Bundle, path: Path, device: str, at_most: int) -> PlainVideo:
    """Return what cv2.VideoCapture and the backbone need for the first `at_most` frames, one by one."""
    import cv2  # noqa: PLC0415 - only this needs it

    video = cv2.VideoCapture(str(path))
    taken: list[float] = []
    try:
        while len(taken) < at_most:
            begun = time.perf_counter()
            there, frame = video.read()
            if not there:
                break
            prepared = bundle.preprocessing.prepare(np.ascontiguousarray(frame[:, :, ::-1]))
            bundle.embed(prepared[None], device)
            taken.append(1000 * (time.perf_counter() - begun))
    finally:
        video.release()
    return PlainVideo(taken)


def classify_sample(backbone: str, clock: Callable[[], float]) -> dict[str, Any]:
    """Return when, by `clock`, the first picture of the sample was classified, and when all were."""
    import torch  # noqa: PLC0415 - torch takes seconds to import
    from PIL import Image  # noqa: PLC0415 - only this needs it

    from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - the same

    bundle = load_bundle(backbone)

    def embed(path: Path) -> Tensor:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        return torch.from_numpy(bundle.embed(bundle.preprocessing.prepare(pixels)[None]))

    classes = sorted((assets_folder() / "sample" / "categories").iterdir())
    examples = [(index, path) for index, folder in enumerate(classes) for path in sorted(folder.iterdir())]
    support = torch.cat([embed(path) for _index, path in examples])
    labels = torch.tensor([index for index, _path in examples])
    ended = []
    for path in sorted((assets_folder() / "sample" / "pictures").iterdir()):
        classify(support, labels, embed(path), bundle.temperature)
        ended.append(clock())
    return {"first_at": ended[0], "all_at": ended[-1], "pictures": len(ended)}


if __name__ == "__main__":
    print(json.dumps(classify_sample(sys.argv[1], time.time)))  # noqa: T201 - the process that measures reads it
