"""Why a file stays where it is, before any name is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.names import folded
from fewshot_gui.engine.sorting.plan import TAKES_AWAY, Conflict, ConflictKind, Way

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.engine.sorting.grouping import Group, Member
    from fewshot_gui.engine.sorting.survey import Survey


@dataclass(frozen=True, slots=True)
class Blocking:
    """The rules that a file must pass, whatever it will be called.

    Attributes:
        survey: of sources and destination.
        way: how the files go.
        sorted_folders: folded real paths of the folders of this plan's categories.
    """

    survey: Survey
    way: Way
    sorted_folders: Collection[str]

    def conflicts(self, group: Group) -> list[Conflict]:
        """Return why the group stays, one for each of its files that are there; empty if it goes.

        A file that is gone keeps nobody: the others of its group go on without it.
        """
        found = [self._conflict(group, member) for member in group.members]
        blocked = [each for each in found if each is not None]
        if not blocked:
            return []
        holding = next((each for each in blocked if each.kind is not ConflictKind.SOURCE_MISSING), None)
        going = any(
            member.decided and not conflict for member, conflict in zip(group.members, found, strict=True)
        )
        if holding is None and going:
            return blocked
        reason = holding or blocked[0]
        return [
            conflict or Conflict(member.path, ConflictKind.GROUP_STAYS, reason.path)
            for member, conflict in zip(group.members, found, strict=True)
        ]

    def _conflict(self, group: Group, member: Member) -> Conflict | None:
        found = self._file(group, member) or self._disk(group, member)
        return None if found is None else Conflict(member.path, *found)

    def _file(self, group: Group, member: Member) -> tuple[ConflictKind, str] | None:
        folder, facts, decided = self.survey.sources[group.folder], member.facts, member.decided
        if folder.trouble is not None:
            return folder.trouble, folder.detail
        if facts is None:
            return ConflictKind.SOURCE_MISSING, ""
        if facts.trouble is not None:
            return facts.trouble, facts.detail
        if decided is None:
            return None
        changed = (decided.size is not None and decided.size != facts.size) or (
            decided.mtime_ns is not None and decided.mtime_ns != facts.mtime_ns
        )
        return (ConflictKind.SOURCE_CHANGED, "") if changed else None

    def _disk(self, group: Group, member: Member) -> tuple[ConflictKind, str] | None:
        folder, destination = self.survey.sources[group.folder], self.survey.destination
        if self.way in {*TAKES_AWAY, Way.SIDECAR} and not folder.writable:
            return ConflictKind.SOURCE_FIXED, group.folder
        if self.way is Way.HARD_LINK and not destination.links:
            return ConflictKind.NO_HARD_LINKS, destination.root
        if self.way is Way.SYMBOLIC_LINK and not destination.links:
            return ConflictKind.NO_SYMBOLIC_LINKS, destination.root
        if self.way is Way.HARD_LINK and member.facts and member.facts.device != destination.device:
            return ConflictKind.OTHER_DISK, destination.root
        # Whoever put a picture into the folder of a category has decided; the machine alone has no say.
        decided = member.decided
        if decided and decided.by == "machine" and folded(folder.real) in self.sorted_folders:
            return ConflictKind.SORTED_ELSEWHERE, folder.real
        return None
