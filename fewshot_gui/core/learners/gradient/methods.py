"""The gradient methods by name: what they learn, and the meta-step that learns it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from fewshot_gui.core.learners.gradient.functional import NetworkFunction
from fewshot_gui.core.learners.gradient.inner import InnerLoop
from fewshot_gui.core.learners.gradient.learned_rule import LearnedUpdate
from fewshot_gui.core.learners.gradient.meta_step import batched_step, step_weights, task_by_task_step
from fewshot_gui.core.learners.gradient.reptile import reptile_step
from fewshot_gui.core.learners.gradient.rules import RATE_KINDS, AdaptiveDescent, Descent, RateKind
from fewshot_gui.core.learners.gradient.start import BIAS, HEAD_KINDS, WEIGHT, HeadKind, learned_head
from fewshot_gui.core.learners.gradient.statistics import changes_statistics, uses_batch_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Model, Params
    from fewshot_gui.core.learners.gradient.tasks import MetaStep, Tasks


class SettingsError(ValueError):
    """Settings that a gradient method does not take; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a gradient method, as a recipe's [method] table has them.

    Attributes:
        steps: inner steps in training.
        test_steps: inner steps in use; 0: as many as in training.
        lr: inner rate, or what learned rates start from.
        head: `zero`: a fresh linear layer of zeros, for any number of ways; `learned`: one with as many
            ways as the training tasks; `prototype`: from the class means of the task.
        first_order: take inner gradients for constants.
        rates: `fixed`, `layer-step` (MAML++) or `weight` (Meta-SGD).
        multi_step: share of the training during which the losses after all steps count, with weights that
            fade toward the last one's (MAML++); 0: the last one's alone.
        optimiser: Reptile's inner one, `adam` without momentum or `sgd`.
        batch: examples of an inner step of Reptile; 0: all.
        hidden: width of the LSTM meta-learner.
    """

    steps: int = 5
    test_steps: int = 0
    lr: float = 0.01
    head: HeadKind = "zero"
    first_order: bool = False
    rates: RateKind = "fixed"
    multi_step: float = 0.0
    optimiser: Literal["adam", "sgd"] = "sgd"
    batch: int = 0
    hidden: int = 20


_COMMON: Final = frozenset({"steps", "test_steps", "lr", "head"})
_PLUS: Final = _COMMON | {"rates", "multi_step"}
_METHODS: Final[Mapping[str, tuple[frozenset[str], Settings]]] = {
    "maml": (_PLUS | {"first_order"}, Settings()),
    "fomaml": (_PLUS, Settings(first_order=True)),
    "anil": (_PLUS | {"first_order"}, Settings(lr=0.1)),
    "meta-sgd": (_COMMON | {"first_order", "multi_step"}, Settings(steps=1, rates="weight")),
    "reptile": (
        _COMMON | {"optimiser", "batch"},
        Settings(test_steps=50, lr=0.001, head="learned", optimiser="adam"),
    ),
    "meta-lstm": (
        frozenset({"steps", "test_steps", "hidden", "head"}),
        Settings(steps=8, head="learned", first_order=True),
    ),
}
METHODS: Final = tuple(_METHODS)


@dataclass(frozen=True, slots=True)
class GradientMethod:
    """One of the gradient methods with its settings.

    Attributes:
        name: on the command line.
        settings: what was asked for.
        inner: how it adapts to a task.
    """

    name: str
    settings: Settings
    inner: InnerLoop

    def initial(
        self,
        embedding_dimension: int,
        ways: int,
        generator: torch.Generator,
        network: Mapping[str, Tensor] | None = None,
    ) -> Params:
        """Return what is learned beside the network, as it is before training: head.*, lr.*, lstm.*.

        Args:
            embedding_dimension: D.
            ways: of the training tasks.
            generator: of the random ones.
            network: the network's parameters by their own names; only learned rates need them.

        Raises:
            SettingsError: learned rates of a network that was not given.
        """
        params: Params = {}
        if self.settings.head == "learned":
            params = learned_head(embedding_dimension, ways, generator)
        rule = self.inner.rule
        if isinstance(rule, LearnedUpdate):
            return {**params, **rule.initial(generator)}
        if not isinstance(rule, Descent) or rule.kind == "fixed":
            return params
        if network is None:
            raise SettingsError(f"{self.name} learns a rate for each weight: the network must be given")
        shapes = {f"network.{key}": tuple(value.shape) for key, value in network.items()}
        shapes = {
            **({} if self.inner.head_only else shapes),
            WEIGHT: (ways, embedding_dimension),
            BIAS: (ways,),
        }
        return {**params, **rule.initial(shapes)}

    def meta_step(
        self, model: Model, params: Params, tasks: Tasks, *, progress: float = 1.0, batch: bool | None = None
    ) -> MetaStep:
        """Return the mean loss after adaptation, and the gradient of each meta-parameter.

        Args:
            model: from parameters and images to embeddings; it uses those that are named "network.".
            params: "network.*" and those of `initial`.
            tasks: at least one.
            progress: share of the training that is done, 0 to 1.
            batch: compute all tasks at once by vmap; by default everywhere but on a CPU, where convolutions
                with other weights for each task are slow, and but for a network in training whose batch norms
                keep running statistics, which vmap cannot batch. The answer is the same, but for the second
                order with the statistics of the task, which vmap gets wrong: there, too, it is one by one.
        """
        if self.name == "reptile":
            return reptile_step(self.inner, model, params, tasks, self.settings.batch)
        weights = step_weights(self.inner.steps, self.settings.multi_step, progress)
        at_once = _can_be_batched(model, tasks, self.inner.first_order) if batch is None else batch
        return (batched_step if at_once else task_by_task_step)(self.inner, model, params, tasks, weights)


def _can_be_batched(model: Model, tasks: Tasks, first_order: bool) -> bool:
    if tasks.support.device.type == "cpu":
        return False
    if not isinstance(model, NetworkFunction):
        return True
    # Differentiated twice under vmap, torch's batch norm with other weights for each task is off by percents.
    wrong = uses_batch_statistics(model.network) and not first_order
    return not wrong and not changes_statistics(model.network)


def build_method(name: str, settings: Mapping[str, Any]) -> GradientMethod:
    """Return the method of that name.

    Args:
        name: one of `METHODS`.
        settings: those of `Settings` that differ from the method's own defaults.

    Raises:
        SettingsError: no such method, a setting that it does not take, or a value out of its range.
    """
    if name not in _METHODS:
        raise SettingsError(f"there is no gradient method {name!r}; choose one of {', '.join(METHODS)}")
    takes, defaults = _METHODS[name]
    strange = sorted(set(settings) - takes)
    if strange:
        raise SettingsError(f"{name} takes {', '.join(sorted(takes))}, not {', '.join(strange)}")
    chosen = replace(defaults, **settings)
    _check(name, chosen)
    return GradientMethod(name, chosen, _inner_loop(name, chosen))


def _inner_loop(name: str, chosen: Settings) -> InnerLoop:
    rule: Descent | AdaptiveDescent | LearnedUpdate = Descent(chosen.lr, chosen.rates, chosen.steps)
    if name == "meta-lstm":
        rule = LearnedUpdate(chosen.hidden)
    elif chosen.optimiser == "adam":
        rule = AdaptiveDescent(chosen.lr)
    return InnerLoop(
        rule=rule,
        head=chosen.head,
        steps=chosen.steps,
        test_steps=chosen.test_steps or chosen.steps,
        first_order=chosen.first_order,
        head_only=name == "anil",
    )


def _check(name: str, chosen: Settings) -> None:
    """Raise SettingsError where a value has the wrong type or is out of its range."""
    for field in fields(Settings):
        value, default = getattr(chosen, field.name), field.default
        if type(value) is not type(default) and not (isinstance(default, float) and type(value) is int):
            raise SettingsError(f"{name}: {field.name} is {value!r}, not a {type(default).__name__}")
    rules = {
        "steps and hidden are 1 or more": min(chosen.steps, chosen.hidden) >= 1,
        "test_steps and batch are 0 or more": min(chosen.test_steps, chosen.batch) >= 0,
        "lr is above 0": chosen.lr > 0,
        "multi_step is a share, 0 to 1": 0 <= chosen.multi_step <= 1,
        f"head is one of {', '.join(HEAD_KINDS)}": chosen.head in HEAD_KINDS,
        f"rates are one of {', '.join(RATE_KINDS)}": chosen.rates in RATE_KINDS,
        "optimiser is adam or sgd": chosen.optimiser in {"adam", "sgd"},
    }
    for rule, holds in rules.items():
        if not holds:
            raise SettingsError(f"{name}: {rule}")
