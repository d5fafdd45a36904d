"""Tasks on a thread each: a CPU's threads share a task's small layers badly, and a batch of tasks well.

Five pictures of 28 x 28 are too little for two threads, which wait for each other at every layer.
"""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import torch

from fewshot_gui.core.learners.gradient.chain_slope import Chain
from fewshot_gui.core.learners.gradient.functional import NetworkFunction

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.learners.gradient.functional import Model
    from fewshot_gui.core.learners.gradient.tasks import Tasks

T = TypeVar("T")

_MOST = 4
"""Tasks at once: each holds its inner steps, 0.8 GB of four layers at 84 pixels with 25 examples."""


def for_each_task(one: Callable[[Model, int], T], model: Model, tasks: Tasks) -> list[T]:
    """Return what `one` makes of the model and the number of each task, in the order of the tasks.

    On a CPU with several threads each task has one, or its share of them, and a copy of the network, since
    torch.func puts the parameters into the module itself while it runs. One after the other, on all threads,
    go tasks of a network in training that is no chain of known layers, for it may draw random numbers or keep
    running statistics, and of a model that is no `NetworkFunction`.

    Args:
        one: called from several threads, with gradients enabled or not as they are here.
        model: from parameters and images to embeddings.
        tasks: at least one.
    """
    threads = torch.get_num_threads()
    at_once = min(len(tasks), threads, _MOST)
    if at_once == 1 or not isinstance(model, NetworkFunction) or not _may_part(model, tasks):
        return [one(model, task) for task in range(len(tasks))]
    own, enabled = threading.local(), torch.is_grad_enabled()

    def begin() -> None:
        torch.set_num_threads(threads // at_once)
        own.model = NetworkFunction(copy.deepcopy(model.network))

    def run(task: int) -> T:
        with torch.set_grad_enabled(enabled):
            return one(own.model, task)

    try:
        with ThreadPoolExecutor(at_once, "task", begin) as pool:
            return list(pool.map(run, range(len(tasks))))
    finally:
        torch.set_num_threads(threads)  # the number is a thread's own, but also that of threads to come


def _may_part(model: NetworkFunction, tasks: Tasks) -> bool:
    """Return whether a pass leaves nothing behind and draws nothing, which a network in training may."""
    if tasks.support.device.type != "cpu":
        return False
    rests = not any(module.training for module in model.network.modules())
    return rests or Chain.of(model, tasks.support) is not None
