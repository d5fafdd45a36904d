"""Loss and gradients of many pictures, a few at a time: in less memory, faster, and soon cancelled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.learners.gradient.chain_slope import Chain
from fewshot_gui.core.learners.gradient.start import head_logits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Model, Params

# 2 pictures of 84 x 84 at once, 25 of 28 x 28: maps of 64 channels stay below 5 MB. Measured on one CPU
# thread, a first convolution of 75 pictures of 84 x 84 takes 83 ms at once and 18 ms in fives, a meta-step at
# 28 x 28 a tenth longer in 51s than in 25s: larger maps get fresh memory from the system every time, and do
# not stay in the cache.
_PIXELS_AT_ONCE = 20_000
# Pixels of a picture times parameters of a network that go there and back in well below 100 ms: a picture of
# 80 x 80 through the residual network of 2.7 million parameters takes 21 ms on one thread, and is 1.8e10.
_WORK_AT_ONCE = 4e10
# Elsewhere only memory counts: 100 pictures of 84 x 84.
_DEVICE_PIXELS_AT_ONCE = 700_000


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """Where the loss of B pictures stands, and which way it falls.

    Attributes:
        loss: scalar, mean cross-entropy.
        gradients: of the weights that were asked for.
        embeddings: float (B, D).
        logits: float (B, N).
    """

    loss: Tensor
    gradients: Params
    embeddings: Tensor
    logits: Tensor


def pictures_at_once(images: Tensor, parameters: int = 0) -> int:
    """Return how many of images (B, C, H, W) to compute at once, at least one.

    Args:
        images: as large and where they will be.
        parameters: of the network, where a piece should take less than 100 ms on a CPU.
    """
    pixels = max(1, math.prod(images.shape[2:]))
    if images.device.type != "cpu":
        return max(1, _DEVICE_PIXELS_AT_ONCE // pixels)
    in_time = int(_WORK_AT_ONCE / (pixels * parameters)) if parameters else len(images)
    return max(1, min(_PIXELS_AT_ONCE // pixels, in_time))


def slope(
    model: Model | Chain,
    params: Params,
    wanted: Collection[str],
    images: Tensor,
    labels: Tensor,
    *,
    at_once: int,
    cancel: Callable[[], None] | None = None,
) -> Slope:
    """Return mean loss and gradients, added up over pieces.

    Args:
        model: from parameters and images to embeddings, or the chain that it is, which is faster.
        params: of the network and of the linear layer on top.
        wanted: names of those whose gradients are asked for; one that the loss does not depend on gets zeros.
        images: float (B, C, H, W); at least one.
        labels: int64 (B,), 0 .. N - 1.
        at_once: pictures in a piece, at most.
        cancel: called before each piece; raises to stop.
    """
    total: list[Tensor] = []
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for images_piece, labels_piece in _pieces(images, labels, at_once):
        if cancel is not None:
            cancel()
        found = _slope_of_piece(model, params, wanted, images_piece, labels_piece, 1 / len(labels))
        gradients = [found.gradients[key] for key in wanted]
        total = [a.add_(b) for a, b in zip(total, gradients, strict=True)] if total else gradients
        parts.append((found.loss, found.embeddings, found.logits))
    losses, embedded, answered = zip(*parts, strict=True)
    return Slope(
        torch.stack(losses).sum(),
        dict(zip(wanted, total, strict=True)),
        torch.cat(embedded),
        torch.cat(answered),
    )


def _slope_of_piece(
    model: Model | Chain,
    params: Params,
    wanted: Collection[str],
    images: Tensor,
    labels: Tensor,
    share: float,
) -> Slope:
    if isinstance(model, Chain):
        done = model.pass_of(params, images, labels, share)
        return Slope(done.loss, done.gradients()[0] if wanted else {}, done.embeddings, done.logits)
    leaf = {key: value.detach().requires_grad_(key in wanted) for key, value in params.items()}
    with torch.enable_grad():
        embeddings = model(leaf, images)
        logits = head_logits(leaf, embeddings)
        loss = functional.cross_entropy(logits, labels, reduction="sum") * share
    weights = [leaf[key] for key in wanted]
    found = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True) if weights else ()
    return Slope(loss.detach(), dict(zip(wanted, found, strict=True)), embeddings.detach(), logits.detach())


def embed_pieces(
    model: Model, params: Params, images: Tensor, *, at_once: int, cancel: Callable[[], None] | None = None
) -> Tensor:
    """Return the embeddings (B, D) of images (B, C, H, W), without gradients, a piece at a time."""
    parts = []
    for piece, _ in _pieces(images, images, at_once):
        if cancel is not None:
            cancel()
        with torch.no_grad():
            parts.append(model(params, piece))
    return torch.cat(parts)


def _pieces(images: Tensor, labels: Tensor, at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pieces as even as can be: 52 pictures in pieces of 51 are two of 26, and none of 1."""
    count = max(1, -(-len(images) // at_once))
    return zip(images.tensor_split(count), labels.tensor_split(count), strict=True)
