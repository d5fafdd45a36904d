"""Feeding: the coming batches, made in order by worker processes while the device computes."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from fewshot_gui.core.training.batches import Batch, BatchMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

AHEAD = 3  # batches that each worker has in hand: one ready, one in the pipe, one in the making
Request = tuple[int, int]
Feed: TypeAlias = "Callable[[Iterable[Request]], Iterator[Batch]]"


def default_workers(device: str) -> int:
    """Return how many workers pay: none on a CPU, where they would take the time of the training itself."""
    return 0 if torch.device(device).type == "cpu" else min(4, max(1, multiprocessing.cpu_count() - 1))


@contextmanager
def feeding(maker: BatchMaker, data: ClassImages, workers: int) -> Iterator[Feed]:
    """Yield a feed of batches; its workers have ended when the context ends.

    Args:
        maker: of the batches, where there are no workers.
        data: what the maker draws from.
        workers: processes; 0 makes every batch in this one. The batches are the same for any number.
    """
    if workers == 0:
        yield lambda requests: (maker.batch(step, rank) for step, rank in requests)
        return
    with tempfile.TemporaryDirectory(prefix="fewshot-training-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # A memory map is shared by all workers; spawning would copy the pictures to each of them.
        np.save(folder / "images.npy", data.images)
        np.save(folder / "labels.npy", data.labels)
        if maker.taught is not None:
            np.save(folder / "taught.npy", maker.taught)
        crew = [_hired(maker.recipe, folder, data.names) for _ in range(workers)]
        try:
            yield lambda requests: _in_order(crew, requests)
        finally:
            for pipe, process in crew:
                pipe.close()
                process.terminate()
                process.join()


def _hired(recipe: Recipe, folder: Path, names: tuple[str, ...]) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, recipe, folder, names), daemon=True)
    process.start()
    there.close()
    return here, process


def _in_order(crew: list[tuple[Connection, SpawnProcess]], requests: Iterable[Request]) -> Iterator[Batch]:
    """Yield the batches of the requests; each worker has every n-th of them, so that order needs no care."""
    waiting = iter(requests)
    asked: deque[Connection] = deque()
    turn = 0

    def ask() -> bool:
        nonlocal turn
        request = next(waiting, None)
        if request is None:
            return False
        pipe = crew[turn % len(crew)][0]
        turn += 1
        pipe.send(request)
        asked.append(pipe)
        return True

    while len(asked) < AHEAD * len(crew) and ask():
        pass
    while asked:
        yield Batch.unpacked(asked.popleft().recv())
        ask()


def _work(pipe: Connection, recipe: Recipe, folder: Path, names: tuple[str, ...]) -> None:
    """Make batches as they are asked for, until the training is gone: killed or done, the pipe tells."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the training, which then closes the pipe
    torch.set_num_threads(1)
    images = np.load(folder / "images.npy", mmap_mode="r")
    taught = folder / "taught.npy"
    maker = BatchMaker(
        recipe,
        images,
        np.load(folder / "labels.npy"),
        names,
        np.load(taught, mmap_mode="r") if taught.is_file() else None,
    )
    try:
        while True:
            step, rank = pipe.recv()
            pipe.send(maker.batch(step, rank).packed())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
