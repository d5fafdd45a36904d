"""Whatever is sorted, under whatever names and conflicts: taking back restores the file system."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Plan, PlannedFile, SameName, Way
from fewshot_gui.engine.sorting.states import FileState
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

MEMORY_DISK = Path("/dev/shm")
NAMES = st.sampled_from(
    ["a.jpg", "A.jpg", "a.xmp", "a.jpg.xmp", "ä.jpg", "b (2).jpg", "b.jpg", "b", ".c", "x y.png"]
)
FOLDERS = st.sampled_from(["", "one", "one/two", "three"])
CONTENTS = st.sampled_from([b"", b"same", b"other", b"long" * 1000])
TREES = st.dictionaries(st.tuples(FOLDERS, NAMES), CONTENTS, max_size=8)
WAYS = st.sampled_from([Way.COPY, Way.MOVE, Way.HARD_LINK, Way.SYMBOLIC_LINK])


def write(root: Path, tree: dict[tuple[str, str], bytes]) -> None:
    for number, ((folder, name), content) in enumerate(sorted(tree.items())):
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(1, 1_500_000_000_123_456_789 + number))


def look(root: Path) -> dict[str, object]:
    """Return all there is below a folder: folders, and files with content and time of change."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        found[name] = "folder" if path.is_dir() else (path.read_bytes(), path.stat().st_mtime_ns)
    return found


def plan_for(source: Path, root: Path, way: Way, categories: list[str], *, grouped: bool) -> Plan:
    files, groups = [], {}
    for number, path in enumerate(sorted(p for p in source.rglob("*") if p.is_file())):
        status = path.lstat()
        key = (str(path.parent), path.name.split(".")[0]) if grouped else (str(path), "")
        group = groups.setdefault(key, len(groups))
        category = categories[group % len(categories)]
        files.append(
            (
                group,
                PlannedFile(
                    str(path), str(root / category / path.name), status.st_size, status.st_mtime_ns,
                    status.st_ino, status.st_dev, category, group, way,
                ),
            )
        )  # fmt: skip
        assert number >= group
    files.sort(key=lambda each: each[0])
    return Plan(uuid4().hex, str(root), way, tuple(file for _group, file in files))


@pytest.mark.parametrize("two_disks", [False, True], ids=["one disk", "two disks"])
@settings(max_examples=40)
@given(
    tree=TREES,
    there=TREES,
    way=WAYS,
    same_name=st.sampled_from(SameName),
    grouped=st.booleans(),
    stop_after=st.integers(0, 30),
    singles=st.sets(st.integers(0, 7)),
)
def test_apply_then_take_back_is_the_identity(
    two_disks: bool,
    tree: dict[tuple[str, str], bytes],
    there: dict[tuple[str, str], bytes],
    way: Way,
    same_name: SameName,
    grouped: bool,
    stop_after: int,
    singles: set[int],
) -> None:
    memory = str(MEMORY_DISK) if MEMORY_DISK.is_dir() else None
    base = Path(tempfile.mkdtemp(dir=memory))
    other = Path(tempfile.mkdtemp(dir=None)) if two_disks else base
    try:
        source, root = base / "source", other / "sorted"
        source.mkdir()
        root.mkdir()
        write(source, tree)
        write(root / "cats", there)
        before = look(source), look(root)
        if way is Way.HARD_LINK and two_disks:
            way = Way.MOVE
        plan = plan_for(source, root, way, ["cats", "dogs"], grouped=grouped)
        asked: list[int] = []
        cut = Hooks(cancelled=lambda: asked.append(1) or len(asked) > stop_after)  # type: ignore[func-returns-value]
        with Journal(base / "journal.sqlite") as journal:
            apply_plan(plan, journal, cut, same_name)
            receipt = apply_plan(plan, journal, same_name=same_name)
            assert {line.state for line in receipt.lines} <= {FileState.DONE, FileState.SKIPPED}
            kept = {name: what for name, what in look(root).items() if name in before[1]}
            assert kept == before[1]
            take_back(plan.id, journal, [line.id for line in receipt.lines if line.id in singles])
            take_back(plan.id, journal)
        assert (look(source), look(root)) == before
    finally:
        shutil.rmtree(base)
        shutil.rmtree(other, ignore_errors=True)
