"""A sorter's evening, as a person has it: python tests/e2e/sorters_evening.py OUT [--pictures 2000].

Six categories, five examples each, piles accepted, mistakes corrected, files moved, the program closed and
opened again, everything taken back. Prints the keys and clicks and the seconds of each part, and saves
pictures of the window in OUT. Ends with 1 where a file is not where it should be, to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui.app import build_application
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.report import wait_until
from fewshot_gui.gui.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.gui.main_window import MainWindow

PATIENCE_MS = 1_800_000
EXAMPLES = 5
COLOURS = {
    "Beach": (225, 195, 120), "Forest": (30, 95, 35), "Night": (18, 18, 45), "Roses": (200, 25, 45),
    "Sea": (25, 95, 185), "Snow": (238, 240, 246),
}  # fmt: skip
_CONTROL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def paint(path: Path, name: str, seed: int, other: str = "") -> None:
    """Write a noisy picture of a category's colour, with a patch of another's where one is named."""
    generator = np.random.default_rng(seed)
    pixels = np.array(COLOURS[name]) + generator.integers(-30, 31, (96, 128, 3))
    if other:
        pixels[:, :56] = np.array(COLOURS[other]) + generator.integers(-30, 31, (96, 56, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=92)


def paint_all(root: Path, pictures: int) -> dict[str, str]:
    """Write the examples, the pictures and some companions; return each picture's category by its name."""
    names = list(COLOURS)
    for number, name in enumerate(names):
        for each in range(EXAMPLES):
            paint(root / "examples" / name / f"{each}.jpg", name, 10_000_000 + 100 * number + each)
    truth: dict[str, str] = {}
    for number in range(pictures):
        name = names[number % len(names)]
        # One in twelve shows two things at once: that is what corrections are for.
        other = names[(number // 12 + 1) % len(names)] if number % 12 == 5 else ""
        file = root / "pictures" / f"IMG_{number:05}.jpg"
        paint(file, name, number, other if other != name else "")
        truth[file.name] = name
        if number % 50 == 0:
            file.with_suffix(".xmp").write_text(f"a note on {number}")
    return truth


def fingerprints(root: Path) -> dict[str, str]:
    """Return the hash of each file below a folder, by its relative path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@dataclass
class Evening:
    """The program and the hand that uses it."""

    app: QApplication
    out: Path
    theme: str
    keys: int = 0
    clicks: int = 0
    parts: list[tuple[str, int, int, float]] = field(default_factory=list)
    _began: tuple[int, int, float] = (0, 0, 0.0)

    def start(self) -> None:
        self.bridge = MainThread()
        self.lanes = Lanes.start(self.bridge.post)
        self.shell = Shell(self.lanes, self.bridge.post, self.app.property("appearance"))
        self.shell.start(None)
        self.window.resize(1366, 768)
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    def end(self) -> None:
        self.shell.close()
        self.lanes.close()
        self.bridge.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    @property
    def window(self) -> MainWindow:
        assert self.shell.window is not None
        return self.shell.window

    def wait(self, done: Callable[[], object]) -> None:
        assert wait_until(lambda: bool(done()), PATIENCE_MS), "it took too long"

    def key(self, widget: Any, key: Any, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self.keys += 1
        QTest.keyClick(widget, key, keys)

    def click(self, widget: Any) -> None:
        self.clicks += 1
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def press(self, name: str) -> None:
        self.click(next(b for b in self.window.findChildren(QPushButton, name) if b.isVisible()))

    def part(self, name: str) -> None:
        """End one part of the evening, and begin the next."""
        now = time.perf_counter()
        keys, clicks, began = self._began
        if began:
            self.parts.append((name, self.keys - keys, self.clicks - clicks, now - began))
        self._began = self.keys, self.clicks, now

    def shoot(self, name: str) -> None:
        """Save a picture of the window with the dialog over it."""
        from PySide6.QtGui import QPainter

        wait_until(lambda: False, 300)
        picture = self.window.grab()
        painter = QPainter(picture)
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and widget is not self.window:
                painter.drawPixmap(self.window.rect().center() - widget.rect().center(), widget.grab())
        painter.end()
        picture.save(str(self.out / f"{name}-{self.theme}.png"))

    def settled(self) -> bool:
        gallery, predictor = self.window.workspace.gallery, self.window.workspace.predictor
        scores = predictor.scores
        seen = gallery.count and not gallery.listing and gallery.embedded == gallery.count
        return bool(seen and scores is not None and scores.known.all() and not predictor.status.busy)


def decide(evening: Evening, root: Path, truth: dict[str, str], corrections: int) -> int:
    """Teach, accept the sure pile, and correct; return how many shown labels were wrong before."""
    window = evening.window
    space, page = window.workspace, window.query.folder
    space.intake.add_files([str(root / "examples")])
    evening.clicks += 1  # one drop
    evening.wait(lambda: sum(len(each.examples) for each in space.session.document.categories) == 30)
    evening.wait(evening.settled)
    evening.part("teach 6 categories with 5 examples each, wait for all answers")
    evening.shoot("1-taught")
    evening.click(page.piles.choice.button("sure"))
    wait_until(lambda: False, 300)
    evening.shoot("2-sure")
    page.view.setFocus()
    evening.key(page.view, Qt.Key.Key_Return, _CONTROL)
    evening.wait(lambda: len(space.session.document.labels) > 0)
    evening.part("accept the sure ones")
    evening.click(page.piles.choice.button("all"))
    evening.click(page.piles.teaching)  # the keys shall say it, and not teach it
    wrong = correct(evening, truth, corrections)
    evening.part(f"correct {corrections}")
    evening.shoot("3-corrected")
    return wrong


def correct(evening: Evening, truth: dict[str, str], corrections: int) -> int:
    """Press the key of the right category on what shows a wrong one, then on others; return how many were."""
    space, page = evening.window.workspace, evening.window.query.folder
    keys = {each.name: each.shortcut for each in space.session.document.categories}
    model = page.model
    tiles = [model.tile(at) for at in range(model.rowCount())]
    wrong = [at for at, tile in enumerate(tiles) if tile.category != truth[tile.name]]
    chosen = (wrong + [at for at in range(len(tiles)) if at not in set(wrong)])[:corrections]
    names = {at: tiles[at].name for at in chosen}
    rows = {at: int(model.order[at]) for at in chosen}
    for at in chosen:
        place = model.order.tolist().index(rows[at])
        page.view.setCurrentIndex(model.index(place))
        evening.clicks += 1
        evening.key(page.view, keys[truth[names[at]]])
    said = space.session.document
    owners = {each.name: each.id for each in said.categories}
    for at in chosen:
        picture = space.gallery.ids[rows[at]]
        label = said.labels.get(picture) if picture is not None else None
        assert label is not None, names[at]
        assert label.category == owners[truth[names[at]]], names[at]
    return len(wrong)


def sort(evening: Evening, target: Path) -> None:
    """Move everything that is proposed into folders."""
    from fewshot_gui.gui.sorting.dialog import SortDialog

    window = evening.window
    evening.key(window, Qt.Key.Key_M, _CONTROL)
    dialog = window.findChild(SortDialog)
    assert dialog is not None
    evening.wait(lambda: dialog.plan.planned is not None)
    evening.shoot("4-plan")
    for combo, value in ((dialog.choices.scope, "all"), (dialog.choices.way, "move")):
        evening.clicks += 2
        combo.setCurrentIndex(combo.findData(value))
    dialog.choices.none.setChecked(True)
    evening.clicks += 1
    dialog.choices.destination.setText(str(target))
    evening.wait(lambda: not dialog.plan._soon.isActive() and dialog.plan.planned is not None)
    evening.shoot("5-plan-move")
    evening.click(dialog.plan.go)
    evening.wait(lambda: dialog.progress.bar.value() > 0 or dialog.pages.currentWidget() is dialog.receipt)
    if dialog.pages.currentWidget() is dialog.progress:
        dialog.progress.grab().save(str(evening.out / f"6-progress-{evening.theme}.png"))
    evening.wait(lambda: dialog.pages.currentWidget() is dialog.receipt)
    evening.shoot("7-receipt")
    evening.click(dialog.receipt.close_button)
    evening.part("plan and move")


def take_back(evening: Evening) -> None:
    """Open what was sorted before, and take it all back."""
    from fewshot_gui.gui.sorting.history import HistoryDialog

    evening.key(evening.window, Qt.Key.Key_M, _CONTROL | _SHIFT)
    evening.wait(lambda: evening.window.findChild(HistoryDialog))
    history = evening.window.findChild(HistoryDialog)
    assert history is not None
    evening.wait(lambda: history.receipt.receipt is not None)
    evening.shoot("8-history")
    evening.click(history.receipt.all_back)
    evening.wait(lambda: history.receipt.isVisible() and "taken back" in history.receipt.title.text())
    evening.shoot("9-taken-back")
    evening.click(history.receipt.close_button)
    evening.part("after a restart: take everything back")


def run(out: Path, root: Path, pictures: int, corrections: int, theme: str) -> int:
    """Have the evening; return 0 where every file is where it should be."""
    truth = paint_all(root, pictures)
    before = fingerprints(root / "pictures")
    evening = Evening(build_application(theme), out, theme)  # type: ignore[arg-type]
    evening.start()
    evening.part("")
    evening.window.workspace.gallery.open(str(root / "pictures"))
    evening.clicks += 2
    wrong = decide(evening, root, truth, corrections)
    sort(evening, root / "sorted")
    there = fingerprints(root / "sorted")
    right = sum(truth.get(path.rpartition("/")[2]) == path.partition("/")[0] for path in there)
    lost = sorted(before.values()) != sorted([*there.values(), *fingerprints(root / "pictures").values()])
    evening.end()
    evening.start()
    evening.part("restart")
    take_back(evening)
    evening.end()
    back = fingerprints(root / "pictures") == before and not (root / "sorted").exists()
    print(f"{'what':64} {'keys':>6} {'clicks':>6} {'seconds':>8}")
    for name, keys, clicks, seconds in evening.parts:
        print(f"{name:64} {keys:6} {clicks:6} {seconds:8.1f}")
    seconds = sum(part[3] for part in evening.parts)
    print(f"{f'in all, {pictures} pictures':64} {evening.keys:6} {evening.clicks:6} {seconds:8.1f}")
    print(f"wrong before: {wrong}; moved: {len(there)} files, {right} pictures to the right folder")
    print(f"lost or changed: {'YES' if lost else 'none'}; taken back to the byte: {'yes' if back else 'NO'}")
    return 0 if back and not lost else 1


def main() -> int:
    """Have the evening in folders of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--corrections", type=int, help="100 of 2,000 by default")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parsed = parser.parse_args()
    parsed.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FEWSHOT_DATA"] = os.environ["FEWSHOT_CACHE"] = f"{folder}/data"
        corrections = parsed.corrections or max(1, parsed.pictures // 20)
        return run(parsed.out, Path(folder), parsed.pictures, corrections, parsed.theme)


if __name__ == "__main__":
    sys.exit(main())
