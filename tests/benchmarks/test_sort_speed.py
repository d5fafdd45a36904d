"""How fast files are copied and moved, against `cp -r` and `sha256sum` of the same tree in the same run."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Plan, PlannedFile, Way

pytestmark = pytest.mark.timeout(900)

MEMORY_DISK = Path("/dev/shm")
FILES = 150
ROUNDS = 2  # the best of each: other programs disturb, none helps


def make_tree(root: Path) -> Path:
    """Return a folder of pictures' sizes, 0.2 to 2 MB."""
    generator = random.Random(1)
    root.mkdir(parents=True)
    for number in range(FILES):
        content = generator.randbytes(1_000_000) * 2
        (root / f"{number:05}.jpg").write_bytes(content[: generator.randint(200_000, 2_000_000)])
    return root


def make_plan(source: Path, destination: Path, way: Way) -> Plan:
    files = []
    for number, path in enumerate(sorted(source.iterdir())):
        status = path.lstat()
        target = str(destination / f"category {number % 6}" / path.name)
        files.append(
            PlannedFile(
                str(path), target, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev,
                f"{number % 6}", number, way,
            )
        )  # fmt: skip
    return Plan(uuid4().hex, str(destination), way, tuple(files))


def baseline(source: Path, copy: Path) -> float:
    """Return the seconds of `cp -r` and `sha256sum` of the tree."""
    began = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(copy)], check=True)
    subprocess.run(["sha256sum", *map(str, sorted(source.iterdir()))], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    shutil.rmtree(copy)
    return seconds


def ours(plan: Plan, journal_path: Path) -> float:
    with Journal(journal_path) as journal:
        began = time.perf_counter()
        receipt = apply_plan(plan, journal)
        seconds = time.perf_counter() - began
    assert sum(1 for line in receipt.lines if line.state == "done") == FILES
    return seconds


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
@pytest.mark.parametrize("across", [False, True], ids=["one disk", "two disks"])
def test_sorting_is_about_as_fast_as_cp_and_sha256sum(
    tmp_path: Path, way: Way, *, across: bool, record_property: pytest.RecordProperty
) -> None:
    place = tmp_path
    if across:
        if not MEMORY_DISK.is_dir() or MEMORY_DISK.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is one disk only")
        place = MEMORY_DISK / f"sort-speed-{uuid4().hex}"
    theirs, mine = [], []
    try:
        for number in range(ROUNDS):
            source = make_tree(place / f"source {number}")
            theirs.append(baseline(source, tmp_path / f"cp {number}"))
            destination = tmp_path / f"sorted {number}"
            mine.append(ours(make_plan(source, destination, way), tmp_path / f"{number}.sqlite"))
            shutil.rmtree(destination)
            shutil.rmtree(source)
    finally:
        if across:
            shutil.rmtree(place)
    ratio = min(theirs) / min(mine)
    record_property("ratio", ratio)
    print(f"{way}, across={across}: cp + sha256sum {min(theirs):.2f} s, ours {min(mine):.2f} s, {ratio:.2f}")
    assert ratio > 0.5  # the bar is 0.9 on a machine that does nothing else
