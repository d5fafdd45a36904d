"""The exact meta-gradient of a batch of tasks: one after the other, or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.func import grad_and_value, vmap
from torch.nn import functional

from fewshot_gui.core.learners.gradient.chain_slope import Chain
from fewshot_gui.core.learners.gradient.convolution import FastConvolutions
from fewshot_gui.core.learners.gradient.functional import recorded_slope
from fewshot_gui.core.learners.gradient.pieces import Slope, pictures_at_once, slope
from fewshot_gui.core.learners.gradient.side_by_side import for_each_task
from fewshot_gui.core.learners.gradient.start import head_logits
from fewshot_gui.core.learners.gradient.tasks import MetaStep, share_right

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Model, Params
    from fewshot_gui.core.learners.gradient.inner import InnerLoop
    from fewshot_gui.core.learners.gradient.tasks import Tasks


def step_weights(steps: int, multi_step: float, progress: float) -> dict[int, float]:
    """Return how much the query loss after each number of steps counts; the weights sum to 1.

    Antoniou et al. 2019: all steps count the same at first, and fade until only the last one does.

    Args:
        steps: K.
        multi_step: share of the training until only the last step counts; 0 or 1 step: from the start.
        progress: share of the training that is done.
    """
    if steps < 2 or progress >= multi_step:
        return {steps: 1.0}
    early = (1 - progress / multi_step) / steps
    return {**dict.fromkeys(range(1, steps), early), steps: 1 - (steps - 1) * early}


@dataclass(frozen=True, slots=True, eq=False)
class _TaskStep:
    """What one task says: `MetaStep` of it alone, its gradients in the order of the meta-parameters."""

    loss: float
    right: float
    gradients: tuple[Tensor, ...]
    together: bool


def task_by_task_step(
    inner: InnerLoop, model: Model, params: Params, tasks: Tasks, weights: Mapping[int, float]
) -> MetaStep:
    """Return the meta-gradient, each task by itself and its queries a few at a time.

    The query loss is differentiated by the adapted weights alone, in pieces that fit the cache; what that
    gives is then taken back through the inner steps, whose graph is of the support set only.
    """
    leaf = {key: _in_order(value).requires_grad_() for key, value in params.items()}
    like = inner.any_embeddings(model, leaf, tasks.support[0])

    def one(model: Model, task: int) -> _TaskStep:
        return _step_of_task(inner, model, leaf, like, tasks, task, weights)

    with torch.enable_grad():
        steps = for_each_task(one, model, tasks)
    total = {key: torch.zeros_like(value) for key, value in params.items()}
    for step in steps:
        for gradient, mine in zip(total.values(), step.gradients, strict=True):
            gradient.add_(mine, alpha=1 / len(tasks))
    return MetaStep(
        sum(step.loss for step in steps) / len(tasks),
        sum(step.right for step in steps) / len(tasks),
        total,
        steps[-1].together,
    )


def _step_of_task(
    inner: InnerLoop,
    model: Model,
    leaf: Params,
    like: Tensor,
    tasks: Tasks,
    task: int,
    weights: Mapping[int, float],
) -> _TaskStep:
    support, labels = tasks.support[task], tasks.support_labels[task]
    again = not inner.first_order
    noted = FastConvolutions(twice=again)
    chain = None if inner.head_only else Chain.of(model, support)
    slope_of = (
        partial(recorded_slope, again=again)
        if chain is None
        else chain.slope_of(support, labels, again=again)
    )

    def watched(params: Params, images: Tensor) -> Tensor:
        with noted:
            return model(params, images)

    path = inner.path(watched, leaf, support, labels, like, tasks.ways, slope_of)
    query, targets = tasks.query[task], tasks.query_labels[task]
    # Batch statistics are those of all queries together.
    together = noted.uses_batch_statistics or (chain is not None and chain.uses_batch_statistics)
    at_once = len(query) if together else pictures_at_once(query)
    with FastConvolutions(twice=False):
        slopes = {
            step: slope(chain or model, path[step], tuple(path[step]), query, targets, at_once=at_once)
            for step in weights
        }
    return _TaskStep(
        sum(weight * float(slopes[step].loss) for step, weight in weights.items()),
        share_right(slopes[inner.steps].logits, targets),
        _taken_back(path, slopes, weights, leaf),
        together,
    )


def _in_order(value: Tensor) -> Tensor:
    """Return a copy, channels-last for a convolution's weights on a CPU, so that no step has to turn them."""
    turned = value.ndim == 4 and value.device.type == "cpu"
    layout = torch.channels_last if turned else torch.preserve_format
    return value.detach().clone(memory_format=layout)


def _taken_back(
    path: list[Params], slopes: Mapping[int, Slope], weights: Mapping[int, float], leaf: Params
) -> tuple[Tensor, ...]:
    """Return, for each meta-parameter, the gradient of the weighted query losses along the path."""
    outputs, gradients = [], []
    for step, weight in weights.items():
        for key, value in path[step].items():
            if value.requires_grad:  # a fresh head of first-order steps depends on no meta-parameter
                outputs.append(value)
                gradients.append(weight * slopes[step].gradients[key])
    return torch.autograd.grad(
        outputs, list(leaf.values()), gradients, allow_unused=True, materialize_grads=True
    )


def batched_step(
    inner: InnerLoop, model: Model, params: Params, tasks: Tasks, weights: Mapping[int, float]
) -> MetaStep:
    """Return the meta-gradient, all tasks at once by vmap: as many times fewer, larger kernels.

    What is dropped out differs between the tasks. No batch norm may change running statistics of its own.
    """
    params = {key: value.detach() for key, value in params.items()}
    like = inner.any_embeddings(model, params, tasks.support[0])

    def losses(params: Params) -> tuple[Tensor, Tensor]:
        def one(support: Tensor, labels: Tensor, query: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            path = inner.path(model, params, support, labels, like, tasks.ways)
            logits = {step: head_logits(path[step], model(path[step], query)) for step in weights}
            terms = [w * functional.cross_entropy(logits[step], targets) for step, w in weights.items()]
            return torch.stack(terms).sum(), logits[inner.steps]

        batched = vmap(one, randomness="different")
        loss, logits = batched(tasks.support, tasks.support_labels, tasks.query, tasks.query_labels)
        return loss.mean(), logits

    with FastConvolutions(note_only=True) as convolutions:
        gradients, (loss, logits) = grad_and_value(losses, has_aux=True)(params)
    right = share_right(logits, tasks.query_labels)
    return MetaStep(float(loss), right, gradients, convolutions.uses_batch_statistics)
