"""The inner loop: how a task's weights come from the meta-learned ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.learners.gradient.functional import NETWORK, Model, Params, adaptation
from fewshot_gui.core.learners.gradient.start import (
    HeadKind,
    first_ways,
    head_logits,
    prototype_head,
    zero_head,
)

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import SlopeOf, UpdateRule


@dataclass(frozen=True, slots=True)
class InnerLoop:
    """How a method adapts to a task.

    Attributes:
        rule: makes the next weights.
        head: what the linear layer starts from.
        steps: in training.
        test_steps: in use.
        first_order: take the inner gradients for constants.
        head_only: adapt the linear layer alone (Raghu et al. 2020, ANIL).
    """

    rule: UpdateRule
    head: HeadKind
    steps: int
    test_steps: int
    first_order: bool = False
    head_only: bool = False

    def first_head(self, params: Params, embeddings: Tensor, labels: Tensor, ways: int) -> Params:
        """Return the linear layer before the first step.

        Args:
            params: with the learned head, where that is the kind.
            embeddings: float (S, D) of the support set; of any picture but for the kind `prototype`.
            labels: int64 (S,).
            ways: N.
        """
        if self.head == "learned":
            return first_ways(params, ways)
        if self.head == "zero":
            return zero_head(embeddings, ways)
        return prototype_head(embeddings, labels, ways)

    def any_embeddings(self, model: Model, params: Params, images: Tensor) -> Tensor:
        """Return some embeddings, where the head of zeros needs their type and width; else any tensor."""
        if self.head != "zero" or self.head_only:
            return images
        with torch.no_grad():
            return model(params, images[:2])

    def path(
        self,
        model: Model,
        params: Params,
        support: Tensor,
        labels: Tensor,
        like: Tensor,
        ways: int,
        slope_of: SlopeOf | None = None,
    ) -> list[Params]:
        """Return the weights after 0, 1, ... steps of training, differentiable by the parameters.

        Args:
            model: from parameters and images to embeddings.
            params: the meta-parameters.
            support: float (S, C, H, W).
            labels: int64 (S,).
            like: float (?, D), any embeddings, for their type and width.
            ways: N.
            slope_of: how to differentiate (see `adaptation`).
        """
        body = {key: value for key, value in params.items() if key.startswith(NETWORK)}
        if self.head_only or self.head == "prototype":
            like = model(body, support)
        head = self.first_head(params, like, labels, ways)

        def loss(fast: Params) -> Tensor:
            embeddings = like if self.head_only else model(fast, support)
            return functional.cross_entropy(head_logits(fast, embeddings), labels)

        path = adaptation(
            loss,
            head if self.head_only else {**body, **head},
            params,
            self.rule,
            steps=self.steps,
            first_order=self.first_order,
            slope_of=slope_of,
        )
        return [{**body, **fast} for fast in path]
