"""The steps that need no copying: renaming, linking, and removing what is ours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting import sidecars
from fewshot_gui.engine.sorting.files import fingerprint, hash_file, is_one_file, remove, rename_exclusively
from fewshot_gui.engine.sorting.item import Kind, is_as_left, is_as_planned, is_our_link
from fewshot_gui.engine.sorting.plan import Way
from fewshot_gui.engine.sorting.states import Failure, Reason
from fewshot_gui.engine.sorting.trash import forget

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.sorting.records import FileRecord


def _drop(record: FileRecord) -> None:
    """Our own copy or link is gone; it is set aside first, so that nobody changes it between look and end.

    Raises:
        Failure: It must stay; whoever asked puts back what is set aside.
        OSError: The same.
    """
    if record.way is Way.SYMBOLIC_LINK:
        if not is_our_link(record):
            raise Failure(Reason.TARGET_CHANGED, record.target)
        os.unlink(record.target)  # noqa: PTH108
        return
    rename_exclusively(record.target, record.temporary)
    why = may_drop(record, record.temporary)
    if why is not None:
        raise why
    remove(record.temporary, record.source)


def may_drop(record: FileRecord, path: str) -> Failure | None:
    """Why our copy, now at `path`, may not be removed; None if its content is safe at the source."""
    if record.way is Way.HARD_LINK and is_one_file(record.source, path):
        return None
    if not is_as_left(record, path) or not _has_hash(record, path):
        return Failure(Reason.TARGET_CHANGED, record.target)
    try:
        as_planned = is_as_planned(record, fingerprint(record.source))
    except (OSError, Failure):
        return Failure(Reason.ONLY_COPY, record.source)
    if as_planned or (record.hash and _has_hash(record, record.source)):
        return None
    return Failure(Reason.ONLY_COPY, record.source)


def _has_hash(record: FileRecord, path: str) -> bool:
    try:
        return not record.hash or hash_file(path) == record.hash
    except OSError:
        return False


def _rename(record: FileRecord) -> None:
    rename_exclusively(record.origin, record.goal)
    if record.way is Way.TRASH:
        forget(record.origin)


def _hard_link(record: FileRecord) -> None:
    os.link(record.origin, record.goal, follow_symlinks=False)


def _symbolic_link(record: FileRecord) -> None:
    os.symlink(record.origin, record.goal)  # noqa: PTH211 - paths are strings here


STEPS: Final[dict[Kind, Callable[[FileRecord], None]]] = {
    Kind.RENAME: _rename,
    Kind.HARD_LINK: _hard_link,
    Kind.SYMBOLIC_LINK: _symbolic_link,
    Kind.DROP: _drop,
    Kind.SIDECAR: sidecars.publish,
    Kind.RESTORE: sidecars.restore,
}
