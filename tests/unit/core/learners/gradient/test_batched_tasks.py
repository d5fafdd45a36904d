"""All tasks at once, as on a GPU: where vmap can, and where it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from fewshot_gui.core.backbones.networks import Conv4
from fewshot_gui.core.learners.gradient import methods
from fewshot_gui.core.learners.gradient.functional import functional_network, network_params
from fewshot_gui.core.learners.gradient.methods import build_method
from fewshot_gui.core.learners.gradient.statistics import changes_statistics
from fewshot_gui.core.learners.gradient.tasks import share_right

if TYPE_CHECKING:
    from fewshot_gui.core.learners.gradient.tasks import Tasks


def elsewhere(tasks: Tasks) -> Tasks:
    """Return tasks on a device that is no CPU."""
    return replace(tasks, support=tasks.support.to("meta"), query=tasks.query.to("meta"))


@pytest.mark.parametrize(
    ("network", "at_once"),
    [
        (Conv4(1, 3, pools=2), False),
        (Conv4(1, 3, pools=2).eval(), True),
        (Conv4(1, 3, pools=2, norm="task"), False),
        (Conv4(1, 3, pools=2, norm="none"), True),
    ],
    ids=["running statistics", "frozen", "of the task", "none"],
)
def test_off_the_cpu_tasks_are_batched_but_for_norms_that_keep_statistics(
    network: nn.Module, at_once: bool, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vmap refuses to change what all tasks share: the first step of a residual network on a GPU failed."""
    monkeypatch.setattr(methods, "batched_step", lambda *_: "at once")
    monkeypatch.setattr(methods, "task_by_task_step", lambda *_: "one by one")
    maml, model = build_method("maml", {}), functional_network(network)
    here, there = draw_tasks(count=2), elsewhere(draw_tasks(count=2))
    steps: list[Any] = [maml.meta_step(model, network_params(network), tasks) for tasks in (here, there)]
    assert steps == ["one by one", "at once" if at_once else "one by one"]
    first_order = build_method("fomaml", {}).meta_step(model, network_params(network), there)
    assert first_order == ("one by one" if changes_statistics(network) else "at once")


@pytest.mark.parametrize("norm", ["task", "none"])
@pytest.mark.parametrize("name", ["maml", "fomaml"])
def test_on_any_device_the_gradient_is_that_of_one_task_after_the_other(
    name: str, norm: str, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vmap differentiates a batch norm twice wrongly: by 1 to 18 % of the largest gradient."""
    torch.manual_seed(0)
    network = Conv4(1, 8, pools=2, norm=norm).double()
    tasks = draw_tasks(count=3)
    params = network_params(network)
    with torch.no_grad():
        ways, dimension = 3, network(tasks.support[0]).shape[1]
    params |= {
        "head.weight": torch.randn(ways, dimension, dtype=torch.float64),
        "head.bias": torch.zeros(ways, dtype=torch.float64),
    }
    method = build_method(name, {"steps": 2, "lr": 0.1, "head": "learned"})
    model = functional_network(network)
    one_by_one = method.meta_step(model, params, tasks, batch=False).gradients

    def elsewhere_too(model: Any, tasks: Tasks, first_order: bool) -> bool:
        return can_be_batched(model, elsewhere(tasks), first_order)

    can_be_batched = methods._can_be_batched
    monkeypatch.setattr(methods, "_can_be_batched", elsewhere_too)
    for key, gradient in method.meta_step(model, params, tasks).gradients.items():
        torch.testing.assert_close(gradient, one_by_one[key], rtol=1e-8, atol=1e-10)


def test_tasks_at_once_drop_out_what_each_of_them_draws(draw_tasks: Any) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(0.5), nn.Flatten()).double()
    step = build_method("maml", {"steps": 2}).meta_step(
        functional_network(network), network_params(network), draw_tasks(count=2), batch=True
    )
    assert all(bool(gradient.isfinite().all()) for gradient in step.gradients.values())
    assert step.gradients["network.0.weight"].norm() > 0


def test_the_share_of_right_answers_over_all_tasks_by_hand() -> None:
    logits = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
    assert share_right(logits, torch.tensor([[0, 1], [0, 1]])) == 0.75
