"""Which files of a folder belong to which picture: sidecars, the film of a live photo, the RAW of a JPEG."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from fewshot_gui.core.images.raw import RAW_SUFFIXES
from fewshot_gui.core.images.scan import is_picture, stem_of
from fewshot_gui.engine.sorting.names import folded
from fewshot_gui.engine.sorting.watched import go_on, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from fewshot_gui.engine.sorting.watched import Check

SIDECAR_SUFFIXES = frozenset({".xmp", ".json", ".aae", ".mov"})
"""Of files that go with the picture of the same stem, or whose name they follow whole ("a.jpg.xmp")."""

_RAW_SUFFIXES = (*RAW_SUFFIXES, ".raw")
_COMPANION_SUFFIXES = (*SIDECAR_SUFFIXES, *_RAW_SUFFIXES)
_TAKEOUT = ".supplemental-metadata"  # a.jpg.supplemental-metadata.json, as Google Photos exports


def may_be_companion(name: str) -> bool:
    """Return True if a file of that name goes with a picture, where there is one that it belongs to."""
    return name.lower().endswith(_COMPANION_SUFFIXES)


def companions(
    names: Iterable[str], decided: Collection[str], check: Check = go_on
) -> dict[str, tuple[str, ...]]:
    """Return for each companion the pictures that it belongs to, of which there are several at times.

    Only names of one folder are compared, and whole stems: a name that just begins alike, or the same
    name in another folder, is another picture's. Upper and lower case are told apart, as long as there is
    a picture in the same case.

    Args:
        names: of all files of one folder.
        decided: those of them that have a category of their own, and so go with nobody.
        check: asked now and then; raises to end the work.
    """
    present = list(names)
    if not any(map(may_be_companion, present)):
        return {}
    pictures = [name for name in watched(present, check) if name in decided or is_picture(name)]
    owners = _Owners(pictures)
    raws: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in watched(present, check):
        if name in decided or not may_be_companion(name):
            continue
        claimed = owners.of_stem(stem_of(name))
        if name.lower().endswith(_RAW_SUFFIXES):
            raws[name] = claimed
        elif not claimed or owners.exactly(stem_of(name)):
            claimed = owners.exactly(_whole(name))
        if claimed:
            found[name] = claimed
    if raws:
        found.update(_of_raws((name for name in present if name not in found and name not in decided), raws))
    return found


def _of_raws(names: Iterable[str], raws: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the sidecars of RAWs ("a.cr2.xmp"), which go with the picture that the RAW goes with."""
    return {name: raws[whole] for name in filter(may_be_companion, names) if raws.get(whole := _whole(name))}


def _whole(name: str) -> str:
    """Return the name that a sidecar follows: "a.jpg" of "a.jpg.xmp"."""
    return stem_of(name).removesuffix(_TAKEOUT)


class _Owners:
    """The pictures of one folder by their name and by their stem."""

    def __init__(self, pictures: Sequence[str]) -> None:
        self._pictures = pictures
        self._exact = frozenset(pictures)
        self._stems: dict[str, list[str]] = defaultdict(list)
        for name in pictures:
            self._stems[stem_of(name)].append(name)

    def of_stem(self, stem: str) -> tuple[str, ...]:
        """Return the pictures with that stem; of those in another case only where there is none in this."""
        return tuple(self._stems.get(stem) or self._folded_stems.get(folded(stem), []))

    def exactly(self, name: str) -> tuple[str, ...]:
        """Return the picture of that name; one in another case only where there is none in this."""
        return (name,) if name in self._exact else tuple(self._folded_names.get(folded(name), []))

    @cached_property
    def _folded_stems(self) -> dict[str, list[str]]:
        return _by(lambda name: folded(stem_of(name)), self._pictures)

    @cached_property
    def _folded_names(self) -> dict[str, list[str]]:
        return _by(folded, self._pictures)


def _by(key: Callable[[str], str], names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[key(name)].append(name)
    return found
