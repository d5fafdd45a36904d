"""A group of processes that train one network together, started by torchrun."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn


_PATIENCE = timedelta(days=1)
"""While the first process asks a teacher or looks at validation classes, the others wait, not for minutes."""


@dataclass(frozen=True, slots=True)
class Group:
    """This process's place among those that train together.

    Attributes:
        rank: 0 .. size - 1; rank 0 alone writes.
        size: how many processes; 1 where this one is alone.
    """

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Return whether this process is the one that writes."""
        return self.rank == 0

    def average(self, module: nn.Module) -> None:
        """Set the gradients of every process to their mean over all, in one exchange."""
        if self.size == 1:
            return
        parameters = [p for p in module.parameters() if p.grad is not None]
        flat = torch.cat([_gradient(p).reshape(-1) for p in parameters])
        distributed.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [p.numel() for p in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            _gradient(parameter).copy_(part.view_as(parameter))

    def align(self, module: nn.Module) -> None:
        """Set the buffers of every process to those of the first, as each has seen other batches."""
        if self.size > 1:
            for buffer in module.buffers():
                distributed.broadcast(buffer, 0)

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """Yield in the process that writes, and in the others when it is through."""
        if self.size > 1 and not self.writes:
            distributed.barrier()
        yield
        if self.size > 1 and self.writes:
            distributed.barrier()

    def mean(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Return each value's mean over all processes."""
        if self.size == 1:
            return values
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        total = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(total)
        return tuple((total / self.size).tolist())


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


@contextmanager
def joined_group(environment: Mapping[str, str], device: str) -> Iterator[tuple[Group, str]]:
    """Yield the group and the device of this process; alone where torchrun did not start it.

    Args:
        environment: RANK, WORLD_SIZE and LOCAL_RANK as torchrun sets them, or none of them.
        device: of torch; each process of a machine takes a GPU of its own, and where these are none of
            CUDA's, the processor.
    """
    if "RANK" not in environment or int(environment.get("WORLD_SIZE", "1")) == 1:
        yield Group(), device
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        device = f"cuda:{environment.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    else:
        device = "cpu"  # gloo, which the processes then talk by, knows no other device
    rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    backend = "nccl" if on_gpu else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE, rank=rank, world_size=size)
    try:
        yield Group(rank, size), device
    finally:
        distributed.destroy_process_group()
