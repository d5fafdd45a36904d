"""Reptile's outer step: toward the mean of the weights that tasks end at (Nichol et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.gradient.convolution import FastConvolutions
from fewshot_gui.core.learners.gradient.functional import NETWORK, Model, Params
from fewshot_gui.core.learners.gradient.pieces import pictures_at_once, slope
from fewshot_gui.core.learners.gradient.side_by_side import for_each_task
from fewshot_gui.core.learners.gradient.tasks import MetaStep, share_right
from fewshot_gui.core.learners.order import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fewshot_gui.core.learners.gradient.inner import InnerLoop
    from fewshot_gui.core.learners.gradient.tasks import Tasks


def reptile_step(inner: InnerLoop, model: Model, params: Params, tasks: Tasks, batch: int = 0) -> MetaStep:
    """Return the initial weights less the mean of the adapted ones, as gradients.

    Plain descent on them with the meta step as its rate is Reptile's update: a rate of 1 lands on the mean.
    The queries are only looked at for the loss and the accuracy.

    Args:
        inner: how a task is adapted to.
        model: from parameters and images to embeddings.
        params: the meta-parameters.
        tasks: at least one.
        batch: examples of an inner step; 0: all.
    """
    with torch.no_grad(), FastConvolutions(twice=False) as convolutions:
        model(params, tasks.support[0][:2])  # so that it is known whether pictures belong together
    together = convolutions.uses_batch_statistics

    def one(model: Model, task: int) -> tuple[Params, float, float]:
        with FastConvolutions(twice=False):
            adapted = _adapted(inner, model, params, tasks, task, batch, together=together)
            query, targets = tasks.query[task], tasks.query_labels[task]
            found = slope(model, adapted, (), query, targets, at_once=_at_once(query, together=together))
        return adapted, float(found.loss), share_right(found.logits, targets)

    done = for_each_task(one, model, tasks)
    total = {key: torch.zeros_like(value) for key, value in params.items()}
    for adapted, _, _ in done:
        for key, gradient in total.items():
            known = len(adapted[key])  # rows of the learned head beyond the task's ways stay
            gradient[:known].add_(params[key][:known] - adapted[key], alpha=1 / len(tasks))
    loss, right = (sum(numbers) / len(tasks) for numbers in list(zip(*done, strict=True))[1:])
    return MetaStep(loss, right, total, together)


def _adapted(
    inner: InnerLoop,
    model: Model,
    params: Params,
    tasks: Tasks,
    task: int,
    batch: int,
    *,
    together: bool,
) -> Params:
    """Return network and linear layer after the inner steps on one task's support set."""
    support, labels = tasks.support[task], tasks.support_labels[task]
    body = {key: value for key, value in params.items() if key.startswith(NETWORK)}
    with torch.no_grad():
        embeddings = (
            model(body, support) if inner.head == "prototype" else inner.any_embeddings(model, body, support)
        )
    fast = {**body, **inner.first_head(params, embeddings, labels, tasks.ways)}
    memory = inner.rule.start(fast)
    rows_of = minibatches(labels, batch)
    for step in range(inner.steps):
        rows = rows_of(step)
        at_once = _at_once(support, together=together)
        found = slope(model, fast, tuple(fast), support[rows], labels[rows], at_once=at_once)
        fast, memory = inner.rule.update(step, params, fast, found.gradients, found.loss, memory)
    return fast


def _at_once(images: Tensor, *, together: bool) -> int:
    return len(images) if together else pictures_at_once(images)


def minibatches(labels: Tensor, batch: int) -> Callable[[int], Tensor]:
    """Return which examples each step sees, int64 (batch,): in turn, the classes as even as can be.

    Args:
        labels: int64 (S,).
        batch: examples of a step; 0, or more than there are: all.
    """
    count = len(labels)
    size = min(batch, count) or count
    by_shot = in_turn(labels)

    def rows(step: int) -> Tensor:
        places = (torch.arange(size, device=labels.device) + step * size) % count
        return by_shot[places]

    return rows
