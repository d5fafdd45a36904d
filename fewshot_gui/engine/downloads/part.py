"""The part of a file that has arrived, on disk, with what must be known to go on from it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Part:
    """NAME.part, and NAME.part.json beside it: total, validator and checksum as the server gave them.

    A part without a sound note beside it counts as nothing. Whoever uses it holds the lease on `path`.

    Attributes:
        path: of the bytes.
        total: bytes in the whole file; None where nobody knows.
        validator: changes when the file on the server does; empty where there is none.
        checksum: the SHA-256 that the server named; empty where it named none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total: int | None = None
        self.validator = ""
        self.checksum = ""
        self._note = path.with_name(f"{path.name}.json")
        self._read_note()

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        return self.total is not None and self.size == self.total

    def note(self, total: int | None, validator: str, checksum: str) -> None:
        """Keep what the server says of the file.

        Raises:
            OSError: it cannot be written.
        """
        self.total, self.validator, self.checksum = total, validator, checksum
        values = {"total": total, "validator": validator, "checksum": checksum}
        self._note.write_text(json.dumps(values), encoding="utf-8")

    @contextmanager
    def appending(self, offset: int) -> Iterator[Callable[[bytes], None]]:
        """Yield a call that adds bytes behind the first `offset` ones; a full disk shows in that call.

        Raises:
            OSError: the file cannot be opened.
        """
        with self.path.open("ab" if offset else "wb", buffering=0) as file:

            def write(piece: bytes) -> None:
                left = memoryview(piece)
                while left:
                    left = left[file.write(left) :]

            yield write

    def become(self, target: Path) -> None:
        """The whole file bears the name `target`.

        Raises:
            OSError: it cannot be renamed.
        """
        self.path.replace(target)
        self._note.unlink(missing_ok=True)

    def clear(self) -> None:
        """Nothing is here any more."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.total, self.validator, self.checksum = None, "", ""

    def _read_note(self) -> None:
        try:
            values = json.loads(self._note.read_text(encoding="utf-8"))
            total = values["total"]
            self.total = None if total is None else int(total)
            self.validator, self.checksum = str(values["validator"]), str(values["checksum"])
        except (OSError, ValueError, TypeError, KeyError):  # none, or half of one
            self.clear()
