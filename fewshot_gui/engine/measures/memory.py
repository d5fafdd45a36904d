"""The memory that this process has taken at most."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """Return the most resident memory so far, in units of 10^6 bytes.

    Raises:
        OSError: this system does not tell (Windows).
    """
    if _STATUS.is_file():
        # Not getrusage: on Linux its peak begins with that of the process that started this one.
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        raise OSError("Windows tells the peak of memory only through its own interface")
    import resource  # noqa: PLC0415 - not on Windows

    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
