"""Prototypical episodes per second against a plain loop, run by hand: `pytest tests/benchmarks`.

The same weights, files and threads (one, in one process); the two take turns. An episode is 5-way 5-shot with
15 queries a class: 100 pictures through four layers of 64 filters. The loop is that of easyfsl's tutorial:
its classifier, its sampler, a DataLoader that opens 100 files for each episode. Ours reads every file
once; what that takes is told beside, in seconds. It is measured in float32, as easyfsl computes, and in
bfloat16, as the recipes ask for; here, and in a process of its own that keeps freed memory, as
`fewshot-gui train` does.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision import transforms

from fewshot_gui.core.backbones.networks import Conv4
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.dataset import load_classes
from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.core.training.kept_memory import keep_freed_memory
from fewshot_gui.core.training.recipe import Recipe
from fewshot_gui.core.training.stage import Stage
from fewshot_gui.core.training.trainer import Trainer
from fewshot_gui.core.training.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages

pytestmark = [pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]

WAYS, SHOTS, QUERIES = 5, 5, 15
CLASSES, PICTURES = 20, 20
ROUNDS = 7
EVALUATED = 200
# Side of the network, channels, side of the files: Omniglot's drawings, and miniImageNet's photos as shipped.
KINDS = {"drawings": (28, 1, (105, 105)), "photos": (84, 3, (500, 375))}
# Told is the ratio; asserted is what holds on a busy machine too.
LEAST = {"drawings": 1.2, "photos": 1.2}
LEAST_EVALUATED = 10.0


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_files(root: Path, kind: str) -> None:
    """A folder a class; strokes on white as PNG, or coarse photos as JPEG."""
    _, channels, size = KINDS[kind]
    drawn = np.random.default_rng(0)
    for label in range(CLASSES):
        folder = root / f"class {label:02d}"
        folder.mkdir(parents=True)
        for number in range(PICTURES):
            if channels == 1:
                ink = drawn.random((21, 21)) < 0.1
                pixels = np.kron(np.where(ink, 0, 255), np.ones((5, 5))).astype(np.uint8)
                (folder / f"{number}.png").write_bytes(encode_png(pixels[..., None].repeat(3, 2)))
            else:
                coarse = Image.fromarray(drawn.integers(0, 256, (24, 32, 3)).astype(np.uint8))
                coarse.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)


class Files(Dataset[tuple[torch.Tensor, int]]):
    """What easyfsl's EasySet is: a file is opened when it is asked for."""

    def __init__(self, root: Path, side: int, channels: int) -> None:
        folders = sorted(root.iterdir())
        self.files = [
            (file, label) for label, folder in enumerate(folders) for file in sorted(folder.iterdir())
        ]
        self.mode = "L" if channels == 1 else "RGB"
        self.transform = transforms.Compose([
            transforms.Resize(side), transforms.CenterCrop(side), transforms.ToTensor(),
            transforms.Normalize([0.5] * channels, [0.25] * channels),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        file, label = self.files[index]
        return self.transform(Image.open(file).convert(self.mode)), label


class TaskSampler(Sampler[list[int]]):
    """easyfsl's sampler as it is documented; its own hands torch's Sampler an argument that is gone."""

    def __init__(self, files: Files, tasks: int) -> None:
        super().__init__()
        self.tasks = tasks
        self.items: dict[int, list[int]] = {}
        for item, (_, label) in enumerate(files.files):
            self.items.setdefault(label, []).append(item)

    def __len__(self) -> int:
        return self.tasks

    def __iter__(self) -> Iterator[list[int]]:
        for _ in range(self.tasks):
            labels = random.sample(sorted(self.items), WAYS)
            yield [item for label in labels for item in random.sample(self.items[label], SHOTS + QUERIES)]


def episodic(pictures: list[tuple[torch.Tensor, int]]) -> tuple[torch.Tensor, ...]:
    """Return support, its labels, queries and theirs, as easyfsl's collating function does."""
    images = torch.stack([image for image, _ in pictures])
    every = images.view(WAYS, SHOTS + QUERIES, *images.shape[1:])
    labels = torch.arange(WAYS).unsqueeze(1).expand(-1, SHOTS + QUERIES)
    parts = every[:, :SHOTS], labels[:, :SHOTS], every[:, SHOTS:], labels[:, SHOTS:]
    return tuple(part.flatten(0, 1) for part in parts)


def classifier_of(backbone: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        methods = pytest.importorskip("easyfsl.methods")
    return methods.PrototypicalNetworks(backbone)


def plain_training(files: Files, backbone: nn.Module) -> Callable[[], object]:
    """One episode of easyfsl's episodic training."""
    classifier = classifier_of(backbone).train()
    optimiser = torch.optim.SGD(classifier.parameters(), lr=0.01, momentum=0.9)
    tasks = iter(DataLoader(files, batch_sampler=TaskSampler(files, 10_000), collate_fn=episodic))

    def episode() -> object:
        support, support_labels, query, labels = next(tasks)
        optimiser.zero_grad()
        classifier.process_support_set(support, support_labels)
        loss = functional.cross_entropy(classifier(query), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return loss.item()

    return episode


def plain_evaluation(files: Files, backbone: nn.Module) -> Callable[[], object]:
    """One episode of easyfsl's evaluation."""
    classifier = classifier_of(backbone).eval()
    tasks = iter(DataLoader(files, batch_sampler=TaskSampler(files, 10_000), collate_fn=episodic))

    def episode() -> object:
        support, support_labels, query, labels = next(tasks)
        with torch.no_grad():
            classifier.process_support_set(support, support_labels)
            return int((classifier(query).argmax(1) == labels).sum())

    return episode


def recipe_of(kind: str, *, bfloat16: bool = False) -> Recipe:
    side, channels, _ = KINDS[kind]
    stage = Stage(
        "episodes", steps=10_000, learning_rate=0.01, ways=WAYS, shots=SHOTS, queries=QUERIES
    )  # fmt: skip
    return Recipe(
        name="speed", title="Speed", network={"kind": "conv4", "width": 64}, side=side, channels=channels,
        validation_ways=WAYS, validation_shots=SHOTS, validation_queries=QUERIES,
        validation_episodes=EVALUATED, stages=(stage,), bfloat16=bfloat16,
    )  # fmt: skip


def our_training(
    data: ClassImages, kind: str, weights: dict[str, torch.Tensor], *, bfloat16: bool
) -> Callable[[], object]:
    trainer = Trainer(recipe_of(kind, bfloat16=bfloat16), data, workers=0)
    trainer.module["network"].load_state_dict(weights)
    steps = trainer.run()
    return lambda: next(steps)


_apart: list[Callable[[], object]] = []
"""In the process that trains as the command does: each training's next step."""


def begin_apart(data: ClassImages, kind: str, weights: dict[str, torch.Tensor]) -> None:
    """Set up, as `fewshot-gui train` does: what is freed stays with the process."""
    keep_freed_memory()
    torch.set_num_threads(1)
    _apart.extend(our_training(data, kind, weights, bfloat16=half) for half in (False, True))


def step_apart(which: int) -> None:
    _apart[which]()


def in_turns(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each, in turns, after a round that does not count."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for count in range(ROUNDS + 1):
        for name, work in ways.items():
            began = time.perf_counter()
            work()
            if count:
                spent[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in spent.items()}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, kind: str) -> Path:
    write_files(tmp_path / "files", kind)
    return tmp_path / "files"


def read(root: Path, kind: str) -> tuple[ClassImages, float]:
    side, channels, _ = KINDS[kind]
    began = time.perf_counter()
    data = load_classes(root, Preprocessing(side, channels, (0.5,) * channels, (0.25,) * channels))
    return data, time.perf_counter() - began


def test_training_episodes_per_second_against_a_plain_loop(root: Path, kind: str) -> None:
    side, channels, _ = KINDS[kind]
    network = Conv4(channels, 64)
    data, reading = read(root, kind)
    weights = {key: value.clone() for key, value in network.state_dict().items()}

    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, apart, begin_apart, (data, kind, weights)) as pool:
        seconds = in_turns({
            "easyfsl": plain_training(Files(root, side, channels), network),
            "ours": our_training(data, kind, weights, bfloat16=False),
            "ours in bfloat16": our_training(data, kind, weights, bfloat16=True),
            "ours as the command runs it": lambda: pool.submit(step_apart, 0).result(),
            "ours in bfloat16 as the command runs it": lambda: pool.submit(step_apart, 1).result(),
        })  # fmt: skip

    plain = seconds.pop("easyfsl")
    for name, spent in seconds.items():
        print(f"{kind}, {name}: {1 / spent:.1f} training episodes a second (easyfsl {1 / plain:.1f}), "
              f"{plain / spent:.2f} times; {len(data.images)} files read in {reading:.1f} s")  # fmt: skip
    assert plain / seconds["ours"] > LEAST[kind]


def test_evaluated_episodes_per_second_against_a_plain_loop(root: Path, kind: str) -> None:
    side, channels, _ = KINDS[kind]
    network = Conv4(channels, 64)
    module = nn.ModuleDict({"network": network})
    data, _ = read(root, kind)
    validator = Validator(recipe_of(kind), data, ([0.5] * channels, [0.25] * channels))

    seconds = in_turns({
        "easyfsl": plain_evaluation(Files(root, side, channels), network),
        "ours": lambda: validator.measure(module),
    })  # fmt: skip

    each = seconds["ours"] / EVALUATED
    ratio = seconds["easyfsl"] / each
    print(f"{kind}: {1 / each:.0f} evaluated episodes a second (easyfsl {1 / seconds['easyfsl']:.1f}), "
          f"{ratio:.0f} times, all pictures embedded anew for {EVALUATED} of them")  # fmt: skip
    assert ratio > LEAST_EVALUATED
