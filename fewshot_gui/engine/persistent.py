"""A mapping that never changes: with more or fewer keys it is a new one that shares most of its parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K")
V = TypeVar("V")

_BITS: Final = 6
_WIDTH: Final = 1 << _BITS
_LEAVES: Final = _WIDTH * _WIDTH


class PersistentMap(Mapping[K, V], Generic[K, V]):
    """An immutable mapping, in no order, for any thread.

    A tree of 64 x 64 small dicts by the hash of the key. Of 100,000 keys one more costs 2 kB and some
    microseconds, where a copy would cost 5 MB and 2 ms; 50,000 more at once cost what they themselves take.
    Two mappings that grew out of one another are compared by what they do not share.
    """

    __slots__ = ("__weakref__", "_count", "_nodes")

    def __init__(self) -> None:
        empty: dict[K, V] = {}
        node = (empty,) * _WIDTH
        self._nodes: tuple[tuple[dict[K, V], ...], ...] = (node,) * _WIDTH
        self._count = 0

    def __getitem__(self, key: K) -> V:
        place = hash(key) % _LEAVES
        return self._nodes[place >> _BITS][place % _WIDTH][key]

    def __iter__(self) -> Iterator[K]:
        return (key for node in self._nodes for leaf in node for key in leaf)

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        # Tuples compare what is not the same object only, so parts that are shared cost nothing.
        return self._nodes == other._nodes if isinstance(other, PersistentMap) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._count)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"

    def with_all(self, keys: Iterable[K], value: V) -> PersistentMap[K, V]:
        """The mapping in which all these keys have this value; the same object where they have it already."""
        return self._replaced(
            {place: leaf | dict.fromkeys(some, value) for place, leaf, some in self._by_leaf(keys)}
        )

    def without(self, keys: Iterable[K]) -> PersistentMap[K, V]:
        """The mapping without these keys; the same object where it has none of them."""
        if not self._count:
            return self
        gone = {
            place: {key: leaf[key] for key in leaf.keys() - some}
            for place, leaf, some in self._by_leaf(keys)
            if leaf and not leaf.keys().isdisjoint(some)
        }
        return self._replaced(gone)

    def mapped(self, change: Callable[[V], V | None]) -> PersistentMap[K, V]:
        """The mapping in which each value is what `change` makes of it; keys with None are gone."""
        new: dict[int, dict[K, V]] = {}
        for place, leaf in enumerate(leaf for node in self._nodes for leaf in node):
            if leaf:
                changed = ((key, change(value)) for key, value in leaf.items())
                new[place] = {key: value for key, value in changed if value is not None}
        return self._replaced(new)

    def changes_since(self, former: PersistentMap[K, V]) -> Iterator[tuple[K, V | None]]:
        """Each key whose value is not what it was before, and its value now, None where it is gone.

        What the two share is not looked at.
        """
        for mine, others in zip(self._nodes, former._nodes, strict=True):
            if mine is others:
                continue
            for now, before in zip(mine, others, strict=True):
                if now is not before:
                    yield from _changes(now, before)

    def _by_leaf(self, keys: Iterable[K]) -> Iterator[tuple[int, dict[K, V], list[K]]]:
        groups: defaultdict[int, list[K]] = defaultdict(list)
        for key in keys:
            groups[hash(key) % _LEAVES].append(key)
        for place, some in groups.items():
            yield place, self._nodes[place >> _BITS][place % _WIDTH], some

    def _replaced(self, leaves: dict[int, dict[K, V]]) -> PersistentMap[K, V]:
        """The mapping with other leaves; those that equal the present ones stay the same objects."""
        nodes: dict[int, list[dict[K, V]]] = {}
        count = self._count
        for place, leaf in leaves.items():
            above, below = place >> _BITS, place % _WIDTH
            former = self._nodes[above][below]
            if leaf != former:
                nodes.setdefault(above, list(self._nodes[above]))[below] = leaf
                count += len(leaf) - len(former)
        if not nodes:
            return self
        new: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
        new._nodes = tuple(
            tuple(nodes[above]) if above in nodes else node for above, node in enumerate(self._nodes)
        )
        new._count = count
        return new


def _changes(now: dict[K, V], before: dict[K, V]) -> list[tuple[K, V | None]]:
    found: list[tuple[K, V | None]] = [
        (key, value) for key, value in now.items() if (old := before.get(key)) is not value and old != value
    ]
    found.extend((key, None) for key in before.keys() - now.keys())
    return found
