"""A training that is killed, as by a power cut, goes on to the very weights of an undisturbed one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

PROGRAM = Path(__file__).with_name("tiny_training.py")


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), *more], stdout=subprocess.PIPE, text=True
    )


def steps_of(process: subprocess.Popen[str], *, kill_after: int) -> int:
    """Read so many steps, kill the process in the midst of the next, and return the last that was said."""
    assert process.stdout is not None
    said = 0
    for _ in range(kill_after):
        line = process.stdout.readline()
        if not line:
            break
        said = int(line)
    process.kill()
    process.communicate()
    return said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_ten_times_it_ends_with_the_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    undisturbed = start(whole)
    chance = random.Random(0)
    reached = [0]
    for _ in range(10):
        more = ["--resume"] if reached[-1] else []
        reached.append(steps_of(start(killed, *more), kill_after=chance.randint(1, 5)))
    for process in (start(killed, "--resume"), undisturbed):
        process.communicate()
        assert process.returncode == 0
    assert reached == sorted(reached)
    assert reached[-1] > 10
    one, other = (load_file(folder / "end.safetensors") for folder in (whole, killed))
    assert one.keys() == other.keys()
    assert any(key.startswith("best.head") for key in one)
    for key, value in one.items():
        assert torch.equal(value, other[key]), key
