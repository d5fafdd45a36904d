"""Several processes: together they do what one process does with the batches of all of them."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from torch import distributed

from fewshot_gui.core.training.group import Group, joined_group

if TYPE_CHECKING:
    from types import ModuleType

PROGRAM = Path(__file__).with_name("tiny_training.py")


def tiny_training() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_training", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(rank: int, port: int) -> dict[str, str]:
    there = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    return {**os.environ, **there, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


def trained_by_two(folder: Path, *more: str) -> dict[str, torch.Tensor]:
    port = free_port()
    command = [sys.executable, str(PROGRAM), str(folder), *more]
    processes = [
        subprocess.Popen(command, env=environment(rank, port), stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert said[0] == said[1]
    return load_file(folder / "end.safetensors")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_come_to_what_one_does_with_the_batches_of_both(tmp_path: Path) -> None:
    together = trained_by_two(tmp_path)
    alone: Any = tiny_training().tiny_trainer(share=2)
    list(alone.run())
    weights = {f"last.{key}": value for key, value in alone.module.state_dict().items()}
    for key, value in weights.items():
        if "running" not in key and "tracked" not in key:  # rank 0 keeps the statistics of its own batches
            assert torch.allclose(value, together[key], atol=1e-4), key


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_frozen_norms_have_the_same_statistics_in_every_process(tmp_path: Path) -> None:
    """Each has seen other batches in the stage before; `trained_by_two` compares what they say of them."""
    trained_by_two(tmp_path, "--frozen-norms")


def test_two_ranks_see_different_pictures() -> None:
    maker = tiny_training().tiny_trainer().maker
    one, other = maker.batch(3, 0), maker.batch(3, 1)
    assert one.seed != other.seed
    assert not torch.equal(one.images, other.images)


def test_without_torchrun_a_process_is_alone() -> None:
    with joined_group({}, "cpu") as (group, device):
        assert (group, device) == (Group(0, 1), "cpu")
        assert group.writes
        assert group.mean((1.0, 2.0)) == (1.0, 2.0)


@pytest.mark.parametrize(("rank", "order"), [(0, ["done", "waited"]), (1, ["waited", "done"])])
def test_the_first_process_goes_first(rank: int, order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(distributed, "barrier", lambda: told.append("waited"))
    with Group(rank, 2).one_first():
        told.append("done")
    assert told == order


def test_buffers_become_those_of_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def broadcast(tensor: torch.Tensor, source: int) -> None:
        assert source == 0
        tensor.fill_(7)

    monkeypatch.setattr(distributed, "broadcast", broadcast)
    norm = torch.nn.BatchNorm2d(2)
    Group(1, 2).align(norm)
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [7, 7]
    assert norm.weight.tolist() == [1, 1]
    Group().align(torch.nn.BatchNorm2d(2))


def test_alone_gradients_stay_as_they_are() -> None:
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    before = [p.grad.clone() for p in layer.parameters() if p.grad is not None]
    Group().average(layer)
    assert all(
        torch.equal(a, p.grad) for a, p in zip(before, layer.parameters(), strict=True) if p.grad is not None
    )
