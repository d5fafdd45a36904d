"""What the journal knows of a run and of each of its files: enough to finish it or to take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.plan import UNNOTED, SameName
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.plan import Machine, Way


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run.

    Attributes:
        id: of the plan, 32 hexadecimal digits.
        root: the folder of the category folders.
        way: how the files go.
        state: where it stands.
        began_at: ISO 8601 with the zone, when it was first applied.
        stopped_by: why it paused, where it did.
        same_name: what becomes of a file whose name was taken since the plan.
    """

    id: str
    root: str
    way: Way
    state: RunState
    began_at: str
    stopped_by: Reason | None = None
    same_name: SameName = SameName.RENAME


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a run.

    Attributes:
        id: in the journal.
        run: id of its run.
        source: path where it was.
        target: path where it is to be; another one than planned where that was taken since.
        size: in bytes.
        mtime_ns: time of its last change when it was planned.
        inode: of the source when it was planned.
        device: of the source when it was planned.
        group: number of the files of the run that go together or not at all.
        way: how it goes.
        state: where it stands.
        back: whether that state is one of taking back.
        temporary: path of a file of our own that there may be, or "".
        hash: SHA-256 of the content as hex, or "" where it never was read.
        made_inode: of what we left at the target; of the temporary file before.
        made_mtime_ns: time of the last change of what we left at the target.
        reason: why it did not go, or did not come back.
        detail: what the reason is about.
        category: name as the person wrote it.
        by: who decided.
        probability: of the category, or None.
        alike: files of the destination that may have the same content.
        at: when it was decided, ISO 8601 with the zone, or "".
        machine: what gave the probability.
    """

    id: int
    run: str
    source: str
    target: str
    size: int
    mtime_ns: int
    inode: int
    device: int
    group: int
    way: Way
    state: FileState = FileState.PLANNED
    back: bool = False
    temporary: str = ""
    hash: str = ""
    made_inode: int = 0
    made_mtime_ns: int = 0
    reason: Reason | None = None
    detail: str = ""
    category: str = ""
    by: str = ""
    probability: float | None = None
    alike: tuple[str, ...] = ()
    at: str = ""
    machine: Machine = UNNOTED

    @property
    def origin(self) -> str:
        """Where the file comes from, in the direction in which it is going."""
        return self.target if self.back else self.source

    @property
    def goal(self) -> str:
        """Where the file goes to, in the direction in which it is going."""
        return self.source if self.back else self.target

    @property
    def rest(self) -> FileState:
        """The state in which it was before it set out."""
        return FileState.DONE if self.back else FileState.PLANNED

    @property
    def arrived(self) -> FileState:
        """The state in which it is when it has arrived."""
        return FileState.TAKEN_BACK if self.back else FileState.DONE
