"""Tasks on a thread each: the same answers, the same number of threads afterwards."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from fewshot_gui.core.learners.gradient.functional import functional_network, network_params
from fewshot_gui.core.learners.gradient.methods import METHODS, build_method
from fewshot_gui.core.learners.gradient.side_by_side import for_each_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fewshot_gui.core.learners.gradient.functional import Model


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def thread_of(model: Model, task: int) -> tuple[int, int, str, int, bool]:
    name = threading.current_thread().name
    return task, id(model), name, torch.get_num_threads(), torch.is_grad_enabled()


@pytest.mark.usefixtures("four_threads")
def test_each_task_has_a_network_and_its_share_of_the_threads(tiny_network: Any, draw_tasks: Any) -> None:
    model = functional_network(tiny_network())
    with torch.no_grad():
        seen = for_each_task(thread_of, model, draw_tasks(count=2))
    assert [task for task, *_ in seen] == [0, 1]
    assert all(name.startswith("task") for _, _, name, _, _ in seen)
    assert id(model) not in {network for _, network, *_ in seen}
    assert {(count, enabled) for *_, count, enabled in seen} == {(2, False)}
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize("case", ["one task", "draws", "statistics", "no network", "elsewhere"])
def test_what_threads_would_disturb_stays_on_this_one(case: str, tiny_network: Any, draw_tasks: Any) -> None:
    network = tiny_network()
    if case == "draws":
        network.append(nn.Dropout(0.5))
    if case == "statistics":
        network.append(nn.BatchNorm1d(12))
    model: Model = functional_network(network)
    if case == "no network":
        model = model.__call__
    tasks = draw_tasks(count=1 if case == "one task" else 3, dtype=torch.float32)
    if case == "elsewhere":
        tasks = replace(tasks, support=tasks.support.to("meta"))
    seen = for_each_task(thread_of, model, tasks)
    assert {name for _, _, name, _, _ in seen} == {threading.current_thread().name}
    assert {network for _, network, *_ in seen} == {id(model)}


@pytest.mark.usefixtures("four_threads")
def test_a_resting_network_parts_whatever_its_layers(tiny_network: Any, draw_tasks: Any) -> None:
    network = tiny_network().append(nn.Dropout(0.5)).append(nn.BatchNorm1d(12)).eval()
    seen = for_each_task(thread_of, functional_network(network), draw_tasks(count=2))
    assert all(name.startswith("task") for _, _, name, _, _ in seen)


@pytest.mark.usefixtures("four_threads")
def test_an_error_of_one_task_comes_out_and_the_threads_are_as_before(
    tiny_network: Any, draw_tasks: Any
) -> None:
    def fail(model: Model, task: int) -> int:
        if task == 1:
            raise MemoryError("no memory left")
        return task

    with pytest.raises(MemoryError, match="no memory left"):
        for_each_task(fail, functional_network(tiny_network()), draw_tasks(count=3))
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize("head", ["zero", "prototype"])
@pytest.mark.parametrize("name", METHODS)
def test_the_meta_step_is_the_same_on_one_thread_and_on_four(
    name: str, head: str, tiny_network: Any, draw_tasks: Any, four_threads: None
) -> None:
    """The bug it catches: one task's weights in the network that another is running through."""
    network, tasks = tiny_network(), draw_tasks(count=4)
    method = build_method(name, {"steps": 3, "head": head})
    own = dict(network.named_parameters())
    learned = method.initial(12, tasks.ways, torch.Generator().manual_seed(0), own)
    params = {**network_params(network), **{key: value.double() for key, value in learned.items()}}
    together = method.meta_step(functional_network(network), params, tasks)
    torch.set_num_threads(1)
    alone = method.meta_step(functional_network(network), params, tasks)
    assert together.loss == pytest.approx(alone.loss, rel=1e-12)
    assert together.accuracy == alone.accuracy
    torch.testing.assert_close(together.gradients, alone.gradients, rtol=1e-9, atol=1e-12)
