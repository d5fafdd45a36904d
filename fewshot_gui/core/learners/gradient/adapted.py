"""The classifier that an adapted network is, after the last of its steps or any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import torch

from fewshot_gui.core.learners.calibration import Calibration, LeftOut, fit_novelty_threshold
from fewshot_gui.core.learners.fitted import FittedClassifier
from fewshot_gui.core.learners.gradient.convolution import FastConvolutions
from fewshot_gui.core.learners.gradient.functional import NETWORK, functional_network
from fewshot_gui.core.learners.gradient.pieces import embed_pieces, pictures_at_once
from fewshot_gui.core.learners.gradient.start import BIAS, WEIGHT
from fewshot_gui.core.learners.gradient.statistics import ReplayedStatistics
from fewshot_gui.core.learners.prototypical import prototypes

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Prediction, SupportSet
    from fewshot_gui.core.learners.context import LearnerContext
    from fewshot_gui.core.learners.gradient.functional import Params


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Where the adaptation stands after some number of steps.

    Attributes:
        params: of the network and of the linear layer, which has a row for each class with examples.
        loss: on the support set.
        embeddings: float (S, D), of the support set.
        statistics: of the support set at each batch norm that has none of its own.
    """

    params: Params
    loss: float
    embeddings: Tensor
    statistics: tuple[tuple[Tensor, Tensor], ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AdaptedClassifier(FittedClassifier):
    """The network after its steps; support set, anchors and distances lie in its adapted embeddings.

    Its queries are pictures in the space "pixels", and each is answered by itself.

    Attributes:
        path: the weights after 0, 1, ... K steps, the last of which answer.
        taught: the path with the steps that came after, of which `at_step` knows.
        context: the bundle's network, shared, and its device.
    """

    path: tuple[Step, ...]
    taught: tuple[Step, ...]
    context: LearnerContext

    @classmethod
    def after(
        cls,
        steps: int,
        taught: tuple[Step, ...],
        support: SupportSet,
        temperature: float,
        context: LearnerContext,
    ) -> Self:
        """Return the classifier after so many steps.

        Args:
            steps: 0 to K.
            taught: K + 1 of them.
            support: what was taught; its own embeddings are not looked at.
            temperature: for the logits.
            context: of the bundle.
        """
        support = replace(support, embeddings=taught[steps].embeddings.cpu())
        novelty = fit_novelty_threshold(LeftOut.of(support), float("inf"))
        return cls(
            support=support,
            calibration=Calibration(temperature, novelty),
            anchors=prototypes(support.embeddings, support.labels, len(support.classes)),
            path=taught[: steps + 1],
            taught=taught,
            context=context,
        )

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss on the support set after 0, 1, ... steps, up to the step that answers."""
        return tuple(step.loss for step in self.path)

    @property
    def steps(self) -> int:
        """After how many steps this is."""
        return len(self.path) - 1

    def at_step(self, steps: int, /) -> AdaptedClassifier:
        """Return the classifier as it was after that many steps, 0 to as many as were made.

        Raises:
            IndexError: there were fewer.
        """
        if not 0 <= steps < len(self.taught):
            raise IndexError(f"there are steps 0 to {len(self.taught) - 1}, not {steps}")
        return AdaptedClassifier.after(steps, self.taught, self.support, self.temperature, self.context)

    def predict(self, query: Tensor) -> Prediction:
        """Return the prediction for queries (Q, C * H * W), the normalised input of the network."""
        return FittedClassifier.predict(self, self.embed(query))

    def novelty(self, query: Tensor) -> Tensor:
        """Return float (Q,), the distance of each query to its nearest example, in adapted embeddings."""
        return FittedClassifier.novelty(self, self.embed(query))

    def embed(self, query: Tensor) -> Tensor:
        """Return the adapted embeddings (Q, D) of queries (Q, C * H * W)."""
        context = self.context
        assert context.network is not None
        body = {key: value for key, value in self.path[-1].params.items() if key.startswith(NETWORK)}
        dtype = next(iter(body.values())).dtype
        images = query.reshape(len(query), *context.input_shape).to(context.device, dtype)
        model = functional_network(context.network)
        with FastConvolutions(twice=False), ReplayedStatistics(self.path[-1].statistics):
            return embed_pieces(model, body, images, at_once=pictures_at_once(images)).cpu()

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the logits of the linear layer and the distances to the class means, (Q, N) each."""
        params = self.path[-1].params
        scores = torch.full_like(to_anchors, -torch.inf)
        scores[:, self.support.present()] = query @ params[WEIGHT].cpu().T + params[BIAS].cpu()
        return scores, to_anchors.sqrt()
