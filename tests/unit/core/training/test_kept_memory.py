"""Memory that stays with the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from fewshot_gui.core.training import kept_memory
from fewshot_gui.core.training.kept_memory import keep_freed_memory

PAGES = """
import resource
import sys
import numpy as np
from fewshot_gui.core.training.kept_memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
size = 200_000_000
np.ones(size, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(size, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_of_the_second(how: str) -> int:
    """Return how many pages the system gave for an array like one that was freed before."""
    done = subprocess.run([sys.executable, "-c", PAGES, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone")
def test_what_was_freed_is_there_for_the_next() -> None:
    kept, returned = pages_of_the_second("keep"), pages_of_the_second("leave")
    assert kept < 20 < returned


def test_elsewhere_nothing_is_asked_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", None)
    assert keep_freed_memory() is False
