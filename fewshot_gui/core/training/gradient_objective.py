"""The objective of gradient methods: tasks of pictures in, meta-gradients out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fewshot_gui.core.learners.gradient.functional import NETWORK, functional_network
from fewshot_gui.core.learners.gradient.methods import SettingsError, build_method
from fewshot_gui.core.learners.gradient.rules import RATE
from fewshot_gui.core.learners.gradient.tasks import Tasks
from fewshot_gui.core.training.objectives import StepResult

if TYPE_CHECKING:
    from fewshot_gui.core.training.batches import Batch
    from fewshot_gui.core.training.objectives import Embedder
    from fewshot_gui.core.training.recipe import Recipe

_INITIAL_SEED = 4_093_082_899
# A parameter's name in a module may hold no dot.
_DOT = "/"


def initial_method(recipe: Recipe, network: nn.Module, dimension: int, ways: int) -> nn.ParameterDict:
    """Return what a gradient method learns beside the network, as the recipe's seed has it.

    Args:
        recipe: names the method and its settings.
        network: whose weights learned rates belong to.
        dimension: of an embedding.
        ways: classes of a training task.

    Raises:
        SettingsError: the method does not take its settings, or learns rates of weights that use folds away.
    """
    generator = torch.Generator().manual_seed(recipe.seed + _INITIAL_SEED)
    initial = build_method(recipe.learner, recipe.method).initial(
        dimension, ways, generator, dict(network.named_parameters())
    )
    if any(key.startswith(RATE + NETWORK) for key in initial) and _is_folded(network):
        raise SettingsError(
            f"{recipe.learner} learns rates of weights, and this network's batch norms are folded into other "
            "weights in use; choose a network with norm 'none' or 'task'"
        )
    return nn.ParameterDict({key.replace(".", _DOT): nn.Parameter(value) for key, value in initial.items()})


def _is_folded(network: nn.Module) -> bool:
    norms = (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return any(norm.track_running_stats for norm in norms)


def method_tensors(module: nn.ModuleDict) -> dict[str, Tensor]:
    """Return what the method has learned beside the network, by its own names."""
    return {key.replace(_DOT, "."): value.detach() for key, value in module["method"].items()}  # type: ignore[operator]


class GradientObjective:
    """The meta-loss of a gradient method on a batch of tasks.

    Args:
        recipe: names the method and its settings.
        module: `network` and `method`.
        embedder: of the network.
    """

    def __init__(self, recipe: Recipe, module: nn.ModuleDict, embedder: Embedder) -> None:
        self.module = module
        self._embedder = embedder
        self._method = build_method(recipe.learner, recipe.method)
        self._model = functional_network(module["network"])

    def loss_and_gradients(self, batch: Batch) -> StepResult:
        """Add the meta-gradients of the batch's tasks, and return their loss and accuracy on the queries."""
        self._embedder.prepare(self.module)
        tasks = batch_tasks(batch, self._embedder.inputs(batch))
        owners = self._owners()
        params = {key: owner.detach() for key, owner in owners.items()}
        step = self._method.meta_step(self._model, params, tasks, progress=batch.progress)
        for key, gradient in step.gradients.items():
            if key.startswith(NETWORK) and not self._embedder.stage.network_rate:
                continue  # of a frozen network: it would only count in the length that is clipped
            owner = owners[key]
            owner.grad = gradient.clone() if owner.grad is None else owner.grad + gradient
        return StepResult(step.loss, step.accuracy)

    def _owners(self) -> dict[str, nn.Parameter]:
        """Return the parameters by the names that the method knows them by."""
        network = {NETWORK + key: value for key, value in self.module["network"].named_parameters()}
        own = {key.replace(_DOT, "."): value for key, value in self.module["method"].items()}  # type: ignore[operator]
        return {**network, **own}


def batch_tasks(batch: Batch, inputs: Tensor) -> Tasks:
    """Return the tasks of a batch whose pictures (B, C, H, W) lie one task after the other."""
    count, shots = batch.support_labels.shape
    pictures = inputs.reshape(count, -1, *inputs.shape[1:])
    return Tasks(
        support=pictures[:, :shots],
        support_labels=batch.support_labels.to(inputs.device),
        query=pictures[:, shots:],
        query_labels=batch.query_labels.to(inputs.device),
        ways=batch.ways,
    )
