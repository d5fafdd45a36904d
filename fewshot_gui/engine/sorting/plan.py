"""The plan of a sorting run as plain values: which file goes where, what stays and why; as JSON too."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1

DecidedBy = Literal["example", "accepted", "machine", "human"]
"""Who said the category: an example, a person who accepted a suggestion, the machine alone, a person."""


class PlanError(ValueError):
    """A text that is no plan of this program."""


class Way(StrEnum):
    """How a file gets to its category."""

    COPY = "copy"
    MOVE = "move"
    HARD_LINK = "hard-link"
    SYMBOLIC_LINK = "symbolic-link"
    SIDECAR = "sidecar"
    TRASH = "trash"  # of single files in a run that goes another way


RUN_WAYS = tuple(way for way in Way if way is not Way.TRASH)
"""The ways that a whole run can go."""
TAKES_AWAY = frozenset({Way.MOVE, Way.TRASH})
"""The ways after which a file is no longer where it was."""


class SameName(StrEnum):
    """What becomes of a file whose name is taken in the folder of its category."""

    RENAME = "rename"
    SKIP = "skip"


class ConflictKind(StrEnum):
    """Why a file stays, or goes otherwise than plainly."""

    SOURCE_MISSING = "source-missing"
    SOURCE_UNREADABLE = "source-unreadable"
    SOURCE_CHANGED = "source-changed"
    SOURCE_FIXED = "source-fixed"  # its folder lets nothing go, so it cannot be moved
    LINK = "link"
    NOT_A_FILE = "not-a-file"
    SAME_NAME = "same-name"
    SAME_TARGET = "same-target"
    RENAMED = "renamed"
    SAFE_NAME = "safe-name"
    SAFE_FOLDER = "safe-folder"
    FOLDER_CASE = "folder-case"
    NAME_TOO_LONG = "name-too-long"
    ALREADY_THERE = "already-there"
    SORTED_ELSEWHERE = "sorted-elsewhere"
    COMPANION_CLAIMED = "companion-claimed"
    GROUP_SPLIT = "group-split"
    GROUP_STAYS = "group-stays"
    NO_SPACE = "no-space"
    OTHER_DISK = "other-disk"
    NO_HARD_LINKS = "no-hard-links"
    NO_SYMBOLIC_LINKS = "no-symbolic-links"
    DESTINATION = "destination"


GOES_ANYWAY = frozenset(
    {
        ConflictKind.RENAMED,
        ConflictKind.SAFE_NAME,
        ConflictKind.SAFE_FOLDER,
        ConflictKind.FOLDER_CASE,
        ConflictKind.GROUP_SPLIT,
    }
)
"""The kinds that only tell something: the file is planned all the same."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What gave the probabilities; empty where nobody noted it.

    Attributes:
        learner: its name.
        backbone: name of the bundle.
        weights: hash of the bundle, 16 hexadecimal digits.
    """

    learner: str = ""
    backbone: str = ""
    weights: str = ""


UNNOTED = Machine()


@dataclass(frozen=True, slots=True)
class Decided:
    """What was said of one picture.

    Attributes:
        path: of its file.
        category: name of the category, as the person wrote it.
        by: who said so.
        probability: of the category, from 0 to 1; None where nobody computed one.
        picture: hash of the content that was judged; None where it is not known.
        size: in bytes when it was judged; None where it is not known.
        mtime_ns: time of the last change when it was judged; None where it is not known.
        at: when it was said, ISO 8601 with the zone; of the machine alone when it was asked, and empty where
            nobody noted it.
        machine: what gave the probability.
    """

    path: str
    category: str
    by: DecidedBy = "machine"
    probability: float | None = None
    picture: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    at: str = ""
    machine: Machine = UNNOTED


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file that goes.

    Attributes:
        source: path.
        target: path, which does not exist yet; with Way.SIDECAR the XMP file, which may; with Way.TRASH the
            place in our quarantine, where the file goes if the system's trash does not take it.
        size: of the source in bytes.
        mtime_ns: time of the last change of the source, in nanoseconds since 1970.
        inode: of the source, on its device.
        device: number of the source's device.
        category: name as the person wrote it.
        group: number of the files that stay together; they share folder and stem before and after.
        way: how it goes.
        is_companion: whether it goes only because of the picture it belongs to.
        by: who decided.
        probability: of the category, from 0 to 1, or None.
        picture: hash of the content that was judged, or None; a companion has none.
        alike: existing files that took its name and are as large: if one has the same content, then this
            file is already there and nothing is to be done.
        at: when it was decided, ISO 8601 with the zone, or empty.
        machine: what gave the probability.
    """

    source: str
    target: str
    size: int
    mtime_ns: int
    inode: int
    device: int
    category: str
    group: int
    way: Way
    is_companion: bool = False
    by: DecidedBy = "machine"
    probability: float | None = None
    picture: str | None = None
    alike: tuple[str, ...] = ()
    at: str = ""
    machine: Machine = UNNOTED


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that does not go plainly.

    Attributes:
        path: of the file; of the folder, or the name of the category, where it is about one of these.
        kind: why.
        detail: what it is about: the other file, the new name, the bytes that are missing; may be empty.
    """

    path: str
    kind: ConflictKind
    detail: str = ""

    @property
    def left_out(self) -> bool:
        """Whether the file stays where it is."""
        return self.kind not in GOES_ANYWAY


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do; nothing has been written.

    Attributes:
        id: of the run, 32 hexadecimal digits.
        root: the folder of the category folders; it need not exist yet.
        way: how the files go.
        files: in the order in which they go, those of a group together.
        conflicts: in the order in which they were found.
    """

    id: str
    root: str
    way: Way
    files: tuple[PlannedFile, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many pictures go to each category, companions not counted; categories by name."""
        counted = Counter(file.category for file in self.files if not file.is_companion)
        return {name: counted[name] for name in sorted(counted)}

    @property
    def total_bytes(self) -> int:
        """The size of all files that go, in bytes."""
        return sum(file.size for file in self.files)

    def to_json(self) -> str:
        """Return the plan as one JSON object; each file is a row of values under the names in "columns"."""
        return json.dumps(
            {
                "format": "fewshot-gui plan",
                "version": VERSION,
                "id": self.id,
                "root": self.root,
                "way": self.way,
                "columns": [field.name for field in fields(PlannedFile)],
                "files": [_row(file) for file in self.files],
                "conflicts": [astuple(conflict) for conflict in self.conflicts],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that `to_json` wrote.

        Raises:
            PlanError: the text is no such plan.
        """
        try:
            values = json.loads(text)
            if values["format"] != "fewshot-gui plan" or values["version"] != VERSION:
                raise PlanError("this is not a plan that this version of the program can read")
            return cls(
                str(values["id"]),
                str(values["root"]),
                Way(values["way"]),
                tuple(_file(dict(zip(values["columns"], row, strict=True))) for row in values["files"]),
                tuple(
                    Conflict(path, ConflictKind(kind), detail) for path, kind, detail in values["conflicts"]
                ),
            )
        except PlanError:
            raise
        except json.JSONDecodeError as error:
            raise PlanError(f"this is not a plan: it is not JSON ({error})") from error
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"this is not a plan: {error!r}") from error


_MACHINE = PlannedFile.__slots__.index("machine")


def _row(file: PlannedFile) -> list[Any]:
    # By hand and not by astuple, which copies deeply: 0.3 s and not 3 s for 100,000 files.
    values = [getattr(file, name) for name in PlannedFile.__slots__]
    values[_MACHINE] = (file.machine.learner, file.machine.backbone, file.machine.weights)
    return values


def _file(values: dict[str, Any]) -> PlannedFile:
    machine = Machine(*values.get("machine", ()))  # plans of before have none
    return PlannedFile(
        **{**values, "way": Way(values["way"]), "alike": tuple(values["alike"]), "machine": machine}
    )
