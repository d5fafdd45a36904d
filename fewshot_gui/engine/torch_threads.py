"""How many threads torch may use to embed beside everything else that the program does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 4


def threads_for(pictures: int, most: int) -> int:
    """Return how many of `most` threads should embed so many pictures at once, at least 1.

    Threads of torch wait for each other at every layer, so one that has lost its processor to the decode
    lane, the window or another program stops all. Measured on two busy cores, with two threads and with one:
    a live frame of 80 x 80 takes 12 to 40 ms (p95 190 to 540) and 14 ms (p95 18), a folder goes at 14 to 24
    and at 105 to 115 pictures a second. So a few pictures get one thread, and many get half of them: the
    other half decodes.
    """
    return 1 if pictures <= FEW else max(1, most // 2)


def torch_threads() -> int:
    """Return how many threads torch may use; 1 where it is not imported."""
    torch = sys.modules.get("torch")
    return 1 if torch is None else int(torch.get_num_threads())


@contextmanager
def embedding_threads(pictures: int) -> Iterator[None]:
    """Let torch embed so many pictures with the threads that are right for them; nothing without torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    most: int = torch.get_num_threads()
    torch.set_num_threads(threads_for(pictures, most))
    try:
        yield
    finally:
        torch.set_num_threads(most)


@contextmanager
def single_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of so many threads in each of which torch computes alone, without gradients.

    Work that falls into independent parts is shared by them without waiting, as torch's own threads do at
    the end of every operation. Whoever yields to other work meanwhile leaves no part unfinished.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    threads: int = torch.get_num_threads()

    def begin() -> None:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)

    try:
        with ThreadPoolExecutor(count, "torch", begin) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # the number is a thread's own, but also that of threads to come
