"""Long loops that end soon after somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
Check: TypeAlias = Callable[[], None]
"""Asked now and then whether to go on; it raises to end the work."""

STRIDE: Final = 256  # of files, each of them some 20 microseconds of work: asked every 5 ms


def go_on() -> None:
    """Let the work go on whatever happens."""


def watched(items: Iterable[T], check: Check) -> Iterator[T]:
    """Yield the items; `check` is called before the first of every `STRIDE`, and may raise."""
    for number, item in enumerate(items):
        if not number % STRIDE:
            check()
        yield item
