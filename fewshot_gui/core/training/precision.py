"""Mixed precision: what may be computed in half the bits, and how its small gradients are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


class Precision:
    """How a training computes on its device.

    bfloat16 has the range of float32 and needs no more care. A GPU without it computes in float16, whose
    gradients are scaled up before they vanish and down again before the update (Micikevicius et al. 2018).

    Args:
        device: of torch.
        half: compute convolutions in 16 bits.
    """

    def __init__(self, device: str, *, half: bool) -> None:
        self.device = torch.device(device).type
        self.half = half
        plain = self.device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        self.kind = torch.float16 if plain else torch.bfloat16
        self.scaler = torch.amp.GradScaler(self.device, enabled=half and self.kind == torch.float16)
        if self.device == "cuda":
            # Nineteen bits for products in float32: several times as fast, and as exact as training needs.
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True

    def autocast(self) -> torch.autocast:
        """Return the context in which a network's forward pass is computed."""
        return torch.autocast(self.device, self.kind, enabled=self.half)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss, scaled where they would vanish."""
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, float]:
        """Return what a resumed training must know."""
        return dict(self.scaler.state_dict())

    def load(self, state: dict[str, float]) -> None:
        """Set the scale to what it was."""
        if state:
            self.scaler.load_state_dict(state)
