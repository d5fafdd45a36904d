"""Disks as Windows has them."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

import pytest

from fewshot_gui.engine.sorting import files

_ACCESS: Final = os.O_RDONLY | os.O_WRONLY | os.O_RDWR


@pytest.fixture
def removes_no_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, a file that may not be written may not be removed either."""
    real = os.unlink

    def unlink(path: str, *, dir_fd: int | None = None) -> None:
        if dir_fd is None and not os.lstat(path).st_mode & stat.S_IWUSR:  # the engine gives none
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    monkeypatch.setattr(files, "_WINDOWS", True)


@pytest.fixture
def times_at_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, a file that was written gets its time when it is closed."""
    fcntl = pytest.importorskip("fcntl")
    real = os.close

    def close(handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & _ACCESS == os.O_WRONLY:
            os.utime(handle)
        real(handle)

    monkeypatch.setattr(os, "close", close)
    monkeypatch.setattr(files, "_WINDOWS", True)
