"""A gradient method as a learner: the support set moves the network, a step at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fewshot_gui.core.learners.base import SupportError, SupportSet
from fewshot_gui.core.learners.fitted import begin, finish
from fewshot_gui.core.learners.gradient.adapted import AdaptedClassifier, Step
from fewshot_gui.core.learners.gradient.chain_slope import Chain
from fewshot_gui.core.learners.gradient.convolution import FastConvolutions
from fewshot_gui.core.learners.gradient.functional import functional_network, network_params
from fewshot_gui.core.learners.gradient.inner import InnerLoop
from fewshot_gui.core.learners.gradient.methods import SettingsError, build_method
from fewshot_gui.core.learners.gradient.pieces import embed_pieces, pictures_at_once, slope
from fewshot_gui.core.learners.gradient.rules import PolyakDescent
from fewshot_gui.core.learners.gradient.statistics import NotedStatistics, uses_batch_statistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from fewshot_gui.core.learners.base import Cancel, Progress
    from fewshot_gui.core.learners.context import LearnerContext
    from fewshot_gui.core.learners.gradient.functional import Model, Params
    from fewshot_gui.core.learners.gradient.pieces import Slope
    from fewshot_gui.core.learners.stepwise import OnStep

# For a network that was not meta-trained for the method: five steps that each aim at a share of the loss.
_STRANGE_STEPS: Final = 5
_STRANGE_SHARE: Final = 0.25
# Less than this the loss may rise: that changes few answers.
_ASTRAY: Final = 0.1
_STRANGE_TEMPERATURE: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class GradientLearner:
    """A learner that adapts a copy of the bundle's network to the support set by gradient steps.

    On a bundle that was meta-trained for the method it starts from what was learned and steps as it was
    taught; on another it starts from the prototypes of the support set and takes steps of a scale that suits
    any network.

    Attributes:
        command: the name on the command line.
        settings: of the method's training; see `methods.Settings`.
        context: the bundle's network and what was learned with it.
    """

    command: str
    settings: Mapping[str, Any]
    context: LearnerContext

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return self.command

    @property
    def network(self) -> nn.Module:
        """Return the bundle's network, which is never changed.

        Raises:
            SettingsError: the bundle gives none.
        """
        if self.context.network is None:
            raise SettingsError(f"{self.name} adapts a network, and none was given")
        return self.context.network

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> AdaptedClassifier:
        """Return the adapted network with its losses (see `fit_watched`)."""
        return self.fit_watched(support, _nobody, progress=progress, cancel=cancel)

    def fit_watched(
        self,
        support: SupportSet,
        on_step: OnStep,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> AdaptedClassifier:
        """Return the adapted network; `on_step` is told the loss after each step, from the first.

        Steps that have gone astray, so that they lost more than half of what was won on the examples, are
        taken back to the step that explains those best.

        Args:
            support: pictures in the space "pixels", (S, C * H * W); a category may be empty.
            on_step: told k, K and the loss after k steps.
            progress: told the share done, after each step.
            cancel: called before each few pictures, at least every 100 ms of work; raises to stop.

        Raises:
            SupportError: nothing to learn from, or more categories than the learned layer has rows.
        """
        begin(support, progress, cancel)
        inner = self._inner(int(support.present().sum()))
        steps = []
        for number, step in enumerate(self._steps(inner, support, cancel)):
            steps.append(step)
            if number:
                on_step(number, inner.test_steps, step.loss)
            if progress is not None and number < inner.test_steps:
                progress(number / inner.test_steps)
        finish(progress, cancel)
        temperature = self.context.head_temperature if self._own else _STRANGE_TEMPERATURE
        kept = steps[: _last_sound([step.loss for step in steps]) + 1]
        return AdaptedClassifier.after(len(kept) - 1, tuple(kept), support, temperature, self.context)

    @property
    def _own(self) -> bool:
        """Whether the bundle was meta-trained for this method."""
        return self.context.learner == self.name

    def _inner(self, ways: int) -> InnerLoop:
        """Return how to adapt; checks that the learned layer has enough rows."""
        if not self._own:
            only = self.name == "anil"
            return InnerLoop(PolyakDescent(_STRANGE_SHARE), "prototype", 1, _STRANGE_STEPS, head_only=only)
        inner = build_method(self.name, self.settings).inner
        if inner.head == "learned":
            most = len(self.context.head_tensors["head.weight"])
            if ways > most:
                raise SupportError(
                    f"{self.name} knows at most {most} categories here, and {ways} have examples; "
                    "choose another learner"
                )
        return inner

    def _steps(self, inner: InnerLoop, support: SupportSet, cancel: Cancel | None) -> Iterator[Step]:
        """Yield the weights, and where the support set stands, after 0, 1, ... K steps."""
        task = _Task.of(self.network, support, self.context, cancel)
        learned = {key: value.to(self.context.device) for key, value in self.context.head_tensors.items()}
        learned = {**task.body, **learned}
        with FastConvolutions(twice=False):
            with NotedStatistics() as noted:
                first = task.embed()
            fast = inner.first_head(learned, first, task.labels, task.ways)
            if inner.head_only:  # the embeddings stay what they are: no picture passes the network again
                task = replace(task, model=_identity, chain=None, images=first, at_once=len(first))
            else:
                fast = {**task.body, **fast}
            memory = inner.rule.start(fast)
            for number in range(inner.test_steps + 1):
                last = number == inner.test_steps
                with noted if inner.head_only else NotedStatistics() as noted:
                    found = task.slope(fast, () if last else tuple(fast))
                yield Step({**task.body, **fast}, float(found.loss), found.embeddings, tuple(noted.seen))
                if not last:
                    fast, memory = inner.rule.update(
                        number, learned, fast, found.gradients, found.loss, memory
                    )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A support set as its network sees it.

    Attributes:
        model: from parameters and images to embeddings.
        chain: the same where its derivatives are written out; None where statistics are to be noted.
        body: the network's parameters before the first step.
        images: float (S, C, H, W).
        labels: int64 (S,), counted among the classes that have examples.
        ways: the number of those.
        at_once: pictures in a piece.
        cancel: called before each piece.
    """

    model: Model
    chain: Chain | None
    body: Params
    images: Tensor
    labels: Tensor
    ways: int
    at_once: int
    cancel: Cancel | None

    @classmethod
    def of(
        cls, network: nn.Module, support: SupportSet, context: LearnerContext, cancel: Cancel | None
    ) -> _Task:
        """Return the task; pictures whose statistics belong together are never parted."""
        body = network_params(network)
        dtype = next(iter(body.values())).dtype
        flat, present = support.embeddings, support.present()
        images = flat.reshape(len(flat), *context.input_shape).to(context.device, dtype)
        whole = uses_batch_statistics(network)
        weights = sum(value.numel() for value in body.values())
        model = functional_network(network)
        return cls(
            model=model,
            chain=None if whole else Chain.of(model, images),
            body=body,
            images=images,
            labels=(present.cumsum(0) - 1)[support.labels].to(context.device),
            ways=int(present.sum()),
            at_once=len(images) if whole else pictures_at_once(images, weights),
            cancel=cancel,
        )

    def embed(self) -> Tensor:
        """Return the embeddings (S, D) before the first step."""
        return embed_pieces(self.model, self.body, self.images, at_once=self.at_once, cancel=self.cancel)

    def slope(self, fast: Params, wanted: tuple[str, ...]) -> Slope:
        """Return loss and gradients of the support set."""
        return slope(
            self.chain or self.model,
            fast,
            wanted,
            self.images,
            self.labels,
            at_once=self.at_once,
            cancel=self.cancel,
        )


def _last_sound(losses: Sequence[float]) -> int:
    """Return the last step, or the one of the lowest loss where more than half of its gain was lost again."""
    # Too large a step ends in numbers that are none, too.
    finite = [loss if math.isfinite(loss) else math.inf for loss in losses]
    lowest = min(finite)
    if losses[-1] - lowest <= max((losses[0] - lowest) / 2, _ASTRAY):
        return len(losses) - 1
    return finite.index(lowest)


def _nobody(number: int, steps: int, loss: float) -> None:
    """Tell nobody."""


def _identity(params: Params, embeddings: Tensor) -> Tensor:  # noqa: ARG001 - part of the interface
    return embeddings
