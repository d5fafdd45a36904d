"""kill -9 while files are sorted: nothing is lost, overwritten or doubled, whenever it comes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("sort_kill.py")
MEMORY_DISK = Path("/dev/shm")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("way", ["copy", "move", "trash"])
def test_killed_at_every_point_and_at_random_moments_nothing_is_lost(way: str) -> None:
    """`python tests/e2e/sort_kill.py --files 10000 --kills 200` is the same at full size."""
    options = ["--files", "150", "--kills", "10", "--ways", way]
    if MEMORY_DISK.is_dir():  # the disk that is quick to sync bears most of it
        options += ["--base", str(MEMORY_DISK), "--other", tempfile.gettempdir()]

    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *options], capture_output=True, text=True, timeout=110, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    table = ended.stdout.splitlines()[2:]
    assert f"{way}, one disk" in {row[:28].strip() for row in table}
    assert all(int(row[28:].split()[0]) > 0 for row in table), ended.stdout
