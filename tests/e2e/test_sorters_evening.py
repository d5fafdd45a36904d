"""A sorter's evening at a small size; by hand: python tests/e2e/sorters_evening.py OUT --pictures 2000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("sorters_evening.py")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("photo_weights")
def test_an_evening_from_the_first_example_to_the_way_back(tmp_path: Path) -> None:
    out = tmp_path / "shots"
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(out), "--pictures", "200", "--corrections", "10"],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "lost or changed: none; taken back to the byte: yes" in ended.stdout
    assert {path.name.partition("-")[0] for path in out.iterdir()} >= {"1", "2", "3", "4", "5", "7", "8", "9"}
