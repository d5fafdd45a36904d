"""Kills a sorting run at random moments and at every state, recovers it, takes it back, and counts the files.

    python tests/e2e/sort_kill.py --files 10000 --kills 200

Every cycle: a child process applies a plan, or takes one back, and is killed with SIGKILL; then the journal
is opened anew, recovered, checked, taken back and checked again. A check reads every file there is.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import TAKES_AWAY, Plan, PlannedFile, Way
from fewshot_gui.engine.sorting.recovery import recover
from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.trash import quarantine, quarantine_place
from fewshot_gui.engine.sorting.undo import take_back

CATEGORIES = ("cats", "dogs", "birds", "none of these", "Ümläute", "x")
MEMORY_DISK = Path("/dev/shm")


@dataclass
class Tree:
    """A source folder and a destination, and what was in them at the beginning."""

    source: Path
    destination: Path
    way: Way
    before: dict[str, tuple[str, int]] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Return a new plan for all files of the source; some names are taken at the destination."""
        identity, files = uuid4().hex, []
        for number, path in enumerate(sorted(self.source.rglob("*.*"))):
            status = path.lstat()
            group = number // 2 if path.name.startswith("pair") else 1_000_000 + number
            category = CATEGORIES[(number // 2) % len(CATEGORIES)]
            target = self.destination / "sorted" / category / path.name
            if self.way is Way.TRASH:
                target = Path(quarantine_place(quarantine(), identity, group, path.name))
            files.append(
                PlannedFile(
                    str(path), str(target), status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev,
                    category, group, self.way,
                )
            )  # fmt: skip
        return Plan(identity, str(self.destination / "sorted"), self.way, tuple(files))

    def now(self) -> dict[str, tuple[str, int]]:
        """Return the hash and the time of change of all files there are, by their paths."""
        found = {}
        trash = Path(quarantine()), system_trash()
        for path in [each for root in (self.source, self.destination, *trash) for each in root.rglob("*")]:
            if path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = digest, path.stat().st_mtime_ns
        return found


def system_trash() -> Path:
    """Return the folder of a system's trash that takes two files of three."""
    return Path(os.environ["XDG_DATA_HOME"], "Trash", "files")


def to_system_trash(path: str) -> str | None:
    """Throw a file away as a system does, under a name of its own; None where it does not take it."""
    if not int(hashlib.sha256(path.encode()).hexdigest(), 16) % 3:
        return None
    system_trash().mkdir(parents=True, exist_ok=True)
    return str(Path(path).rename(system_trash() / uuid4().hex))


def make_tree(base: Path, other: Path, way: Way, count: int, generator: random.Random) -> Tree:
    """Return a tree of so many files of one to four KiB, no two alike; each fourth has a sidecar."""
    tree = Tree(base / "source", other / "destination", way)
    tree.destination.mkdir(parents=True)
    for number in range(count // 2):
        folder = tree.source / f"{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in (".jpg", ".xmp"):
            path = folder / f"{'pair' if number % 2 else 'single'} {number:05}{suffix}"
            path.write_bytes(generator.randbytes(generator.randint(1000, 4000)))
            os.utime(path, ns=(1, 1_600_000_000_000_000_000 + number))
    for number in range(0, count // 2, 10):  # somebody else's files, under names that are planned
        for category in CATEGORIES:
            taken = tree.destination / "sorted" / category / f"single {number:05}.jpg"
            taken.parent.mkdir(parents=True, exist_ok=True)
            taken.write_bytes(generator.randbytes(500))
    tree.before = tree.now()
    return tree


def run_child(work: object, hooks: Hooks, journal_path: Path, delay: float) -> bool:
    """Do the work in a child, killed after `delay` seconds (0: never by the clock); return True if it was."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with Journal(journal_path) as journal:
                work(journal, hooks)  # type: ignore[operator]
            code = 0
        finally:
            os._exit(code)
    signal.sigtimedwait({signal.SIGCHLD}, delay or 600)
    os.kill(child, signal.SIGKILL)  # a no-op for one that ended: it is still to be waited for
    _pid, status = os.waitpid(child, 0)
    # The signal of a child that the clock has killed would end the next one before it did anything.
    while signal.sigtimedwait({signal.SIGCHLD}, 0) is not None:
        pass
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the child failed by itself")
    return os.WIFSIGNALED(status)


class Points:
    """Counts the points that a run passes, by name; dies at the chosen one."""

    def __init__(self, name: str = "", occurrence: int = 0) -> None:
        self.seen: Counter[str] = Counter()
        self.name, self.occurrence = name, occurrence

    def __call__(self, name: str, _path: str) -> None:
        self.seen[name] += 1
        if name == self.name and self.seen[name] == self.occurrence:
            os.kill(os.getpid(), signal.SIGKILL)


def harm(expected: dict[str, tuple[str, int]], found: dict[str, tuple[str, int]]) -> Counter[str]:
    """Return how many files are lost, overwritten and doubled."""
    lost = [path for path in expected if path not in found]
    overwritten = [path for path in expected if path in found and found[path] != expected[path]]
    doubled = [path for path in found if path not in expected]
    for path in (lost + overwritten + doubled)[:5]:
        print("wrong:", path)
    return Counter(lost=len(lost), overwritten=len(overwritten), doubled=len(doubled))


def check(tree: Tree, journal: Journal, plan: Plan) -> Counter[str]:
    """Return what harm there is; nothing may be in doubt, and the journal tells where everything is."""
    found = tree.now()
    records = journal.files(plan.id)
    assert not [record for record in records if record.state in IN_DOUBT]
    expected = dict(tree.before)
    for record in records:
        if record.state is FileState.DONE:
            content = tree.before[record.source]
            assert record.target not in tree.before, f"overwritten: {record.target}"
            expected[record.target] = content
            if tree.way in TAKES_AWAY:
                del expected[record.source]
    done: dict[int, set[bool]] = {}
    for record in records if not any(each.state is FileState.TAKEN_BACK for each in records) else ():
        done.setdefault(record.group, set()).add(record.state is FileState.DONE)
    assert all(len(states) == 1 for states in done.values()), "a group is split"
    return harm(expected, found)


def cycle(tree: Tree, journal_path: Path, points: Points, delay: float, *, back: bool) -> Counter[str]:
    """Kill once and put everything right; return what was counted: killed, doubted, and the harm done."""
    plan = tree.plan()
    if back:
        with Journal(journal_path) as journal:
            apply_plan(plan, journal, Hooks(trash=to_system_trash))

    def work(journal: Journal, hooks: Hooks) -> None:
        if back:
            take_back(plan.id, journal, hooks=hooks)
        else:
            apply_plan(plan, journal, hooks)

    killed = run_child(work, Hooks(at=points, trash=to_system_trash), journal_path, delay)
    with Journal(journal_path) as journal:
        if not journal.runs() or journal.runs()[0].id != plan.id:  # killed before the first entry
            return Counter(killed=killed) + harm(tree.before, tree.now())
        report = recover(journal)
        assert not report.left
        counted = Counter(killed=int(killed), doubted=len(report.settled)) + check(tree, journal, plan)
        take_back(plan.id, journal)
    return counted + harm(tree.before, tree.now())


def survey_points(tree: Tree, journal_path: Path, *, back: bool) -> tuple[Counter[str], float]:
    """Return the points that an undisturbed run passes, and the seconds that it takes."""
    plan, points = tree.plan(), Points()
    with Journal(journal_path) as journal:
        began = time.perf_counter()
        hooks = Hooks(trash=to_system_trash)
        apply_plan(plan, journal, hooks if back else replace(hooks, at=points))
        if back:
            began = time.perf_counter()
            take_back(plan.id, journal, hooks=Hooks(at=points))
        seconds = time.perf_counter() - began
        assert not check(tree, journal, plan).total()
        take_back(plan.id, journal)
    assert not harm(tree.before, tree.now()).total()
    return points.seen, seconds


def scenario(name: str, tree: Tree, journal_path: Path, kills: int, generator: random.Random) -> Counter[str]:
    """Print a row of the table and return it; half of the kills go by the clock, the others by the points."""
    began, counted, met = time.perf_counter(), Counter[str](), set()
    for back in (False, True):
        seen, seconds = survey_points(tree, journal_path, back=back)
        names = sorted(seen)
        wanted = max(kills // 2, len(names))
        for number in range(wanted):
            points, delay = Points(), generator.uniform(0, seconds) + 1e-4
            if number % 2 == 0 or number < len(names):
                chosen = names[number % len(names)]
                points, delay = Points(chosen, generator.randint(1, seen[chosen])), 0.0
            counted += cycle(tree, journal_path, points, delay, back=back)
        met.update(names)
    spent = time.perf_counter() - began
    figures = f"{counted['killed']:6} {counted['doubted']:9} {counted['lost']:5} {counted['overwritten']:12}"
    row = f"{name:28} {figures} {counted['doubled']:8} {spent:8.1f} s   {', '.join(sorted(met))}"
    print(row, flush=True)
    return counted


def main() -> int:
    """Run all scenarios; return 0 if every file is where it should be, always."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--other", type=Path, default=MEMORY_DISK, help="a folder on another disk")
    parser.add_argument("--ways", nargs="+", type=Way, default=[Way.COPY, Way.MOVE, Way.TRASH])
    options = parser.parse_args()
    generator = random.Random(options.seed)
    base = Path(tempfile.mkdtemp(prefix="sort-kill-", dir=options.base))
    two = options.other.is_dir() and options.other.stat().st_dev != base.stat().st_dev
    other = Path(tempfile.mkdtemp(prefix="sort-kill-", dir=options.other)) if two else base
    # The person's own disk is that of their data: from another one the system's trash is not asked.
    os.environ |= {"FEWSHOT_DATA": str(base / "data"), "XDG_DATA_HOME": str(base / "share")}
    print(f"{options.files} files, {options.kills} kills, seed {options.seed}")
    print(f"{'scenario':28} {'killed':>6} {'in doubt':>9} {'lost':>5} {'overwritten':>12} {'doubled':>8}")
    places = [("one disk", base), *([("two disks", other)] if two else [])]
    ways = [(way, place) for way in options.ways for place in places]
    bad = 0
    try:
        for number, (way, (where, place)) in enumerate(ways):
            roots = [base / f"{number}", place / f"{number}"]
            if way is Way.TRASH:  # it goes to the person's own disk, and may come from another one
                roots.reverse()
            tree = make_tree(roots[0], roots[1], way, options.files, generator)
            journal_path = base / f"{number}" / "sorting.sqlite"
            kills = options.kills // len(ways)
            counted = scenario(f"{way}, {where}", tree, journal_path, kills, generator)
            bad += counted["lost"] + counted["overwritten"] + counted["doubled"]
    finally:
        shutil.rmtree(base, ignore_errors=True)
        if two:
            shutil.rmtree(other, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
