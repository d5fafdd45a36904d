"""What the list of backbones shows: those that are here, then what can be downloaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.bundle_info import bundle_of
from fewshot_gui.core.backbones.catalogue import DEFAULTS, installed_sound, kind_of_bundle
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.core.backbones.own_bundles import is_users
from fewshot_gui.engine.speeds import Speeds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung

SLOW_FROM: Final = 5.0
"""Times the cost of MobileNetV2, from which a processor is felt to be slow: some 50 ms a picture."""
PHOTO_COST: Final = 0.36
"""What `photo` takes of the time of MobileNetV2: models/photo.md."""
_UNMEASURED: Final = Speeds()


class Section(Enum):
    """Under which heading a backbone stands."""

    PHOTOS = auto()
    LADDER = auto()
    DRAWINGS = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One backbone of the list.

    Attributes:
        name: what it is chosen by.
        title: for people.
        section: where it stands.
        size_bytes: of its weights.
        side: of the pictures that it sees, in pixels.
        licence: of its weights; empty for those that come with the program.
        expected: what was published of it: by name of the measure, 0 to 1.
        cost: how long it takes, MobileNetV2 being 1; None where nobody knows.
        milliseconds: that a picture takes on the processor of this computer; None where nobody has measured.
        installed: it is here.
        removable: it is here, and the person brought it here.
        in_use: the present session works with it.
    """

    name: str
    title: str
    section: Section
    size_bytes: int
    side: int
    licence: str = ""
    expected: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    cost: float | None = None
    milliseconds: float | None = None
    installed: bool = True
    removable: bool = False
    in_use: bool = False

    @property
    def slow(self) -> bool:
        """Whether it takes so long on a processor that it should be said before it is used."""
        return self.cost is not None and self.cost >= SLOW_FROM

    @property
    def times_photo(self) -> float | None:
        """How many times as long it takes as `photo`, with which people begin; None where nobody knows."""
        return None if self.cost is None else self.cost / PHOTO_COST


def rungs() -> dict[str, Rung]:
    """Return what can be downloaded, by name."""
    return {rung.name: rung for rung in LADDER}


def entries(in_use: str, *, first: str = "", speeds: Speeds = _UNMEASURED) -> list[Entry]:
    """Return every backbone that is here or can be downloaded.

    Args:
        in_use: name or path of the bundle that the session works with.
        first: name or path of the one that comes before the others of its section.
        speeds: of this computer.
    """
    ladder, installed = rungs(), installed_sound()
    leading = [info.name for info in installed if _is_meant(info, first)]
    here = [_here(info, ladder.get(info.name), in_use, speeds) for info in installed]
    names = {info.name for info in installed}
    missing = [_missing(rung, speeds) for rung in ladder.values() if rung.name not in names]
    return _ordered([*here, *missing], [*leading, *DEFAULTS.values()])


def _ordered(found: Iterable[Entry], leading: Sequence[str]) -> list[Entry]:
    """Return the entries section by section; in each the leading ones first, then those of the person."""
    ranks = {name: -rank for rank, name in enumerate(reversed(leading), 1)}

    def place(entry: Entry) -> tuple[int, int]:
        return list(Section).index(entry.section), ranks.get(entry.name, int(not entry.removable))

    return sorted(found, key=place)


def _is_meant(info: BundleInfo, name_or_path: str) -> bool:
    return bundle_of(name_or_path) in {info.name, str(info.path)}


def _here(info: BundleInfo, rung: Rung | None, in_use: str, speeds: Speeds) -> Entry:
    section = Section.PHOTOS if kind_of_bundle(info) == "photo" else Section.DRAWINGS
    own = is_users(info)
    return Entry(
        info.name,
        info.title,
        section,
        info.size_bytes,
        info.preprocessing.side,
        licence=rung.licence if rung else str(info.training.get("licence", "")),
        expected=rung.expected if rung and own else MappingProxyType({}),
        cost=rung.milliseconds_mobilenet_v2 if rung else None,
        milliseconds=speeds.of(info),
        removable=own,
        in_use=_is_meant(info, in_use),
    )


def _missing(rung: Rung, speeds: Speeds) -> Entry:
    return Entry(
        rung.name,
        rung.title,
        Section.LADDER,
        rung.size_bytes,
        rung.side,
        licence=rung.licence,
        expected=rung.expected,
        cost=rung.milliseconds_mobilenet_v2,
        milliseconds=speeds.reckoned(rung),
        installed=False,
    )
