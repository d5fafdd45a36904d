"""Pictures of the window in every size and theme: python tests/e2e/screenshots.py OUT_DIR [NAME ...].

A picture is named WHAT-WIDTHxHEIGHT-THEME.png; with names, only those that begin with one of them are made.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication, QWidget

    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.shell import Shell

SMALL, LARGE = (1366, 768, 1), (3840, 2160, 2)
PATIENCE_MS = 120_000
SETTLE_MS = 400  # for the last thumbnails to be painted


@dataclass(frozen=True)
class Shot:
    """One picture: what it shows, on which screen (pixels and scale), in which theme."""

    what: str
    width: int
    height: int
    scale: int
    theme: str

    @property
    def name(self) -> str:
        return f"{self.what}-{self.width}x{self.height}-{self.theme}"


def all_shots() -> list[Shot]:
    """Return every picture there is."""
    kinds = (
        "window", "empty", "draw", "camera", "problems", "many", "menu",
        "sort", "receipt", "export", "model", "map", "import", "arrivals", "grace",
        "large", "table", "learners", "compare", "steps", "backbones", "backbones-file", "auto",
    )  # fmt: skip
    return [
        Shot(kind, *size, theme) for kind in kinds for size in (SMALL, LARGE) for theme in ("light", "dark")
    ]


def main() -> int:
    """Make the pictures, each in a process of its own: Qt takes the scale of the screen at its start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help="beginnings of the names of those to make; all by default")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    parsed.out.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in all_shots() if not parsed.names or shot.name.startswith(tuple(parsed.names))]
    if parsed.one:
        return take(wanted[0], parsed.out)
    failed = [shot.name for shot in wanted if not _take_apart(shot, parsed.out)]
    print(f"{len(wanted) - len(failed)} pictures in {parsed.out}; failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _take_apart(shot: Shot, out: Path) -> bool:
    command = [sys.executable, __file__, str(out), shot.name, "--one"]
    screen = {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(shot.scale)}
    with tempfile.TemporaryDirectory() as data:
        places = {"FEWSHOT_DATA": data, "FEWSHOT_MODELS": str(Path(data) / "backbones")}
        ended = subprocess.run(command, env=os.environ | screen | places, check=False)
    return ended.returncode == 0


def take(shot: Shot, out: Path) -> int:
    """Start the program, bring it to what is to be seen, and save the picture; return 0 once it is there."""
    from fewshot_gui.engine.workspace import Lanes
    from fewshot_gui.gui.app import build_application
    from fewshot_gui.gui.main_thread import MainThread
    from fewshot_gui.gui.shell import Shell

    app = build_application(shot.theme)  # type: ignore[arg-type]
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    shell = Shell(lanes, bridge.post, app.property("appearance"))
    try:
        shell.start(None, sample=shot.what not in {"empty", "draw", "camera", "many"})
        assert shell.window is not None
        shell.window.resize(shot.width // shot.scale, shot.height // shot.scale)
        ready = SCENES[shot.what](app, shell, shell.window)
        return 0 if ready and _save(shell.window, out / f"{shot.name}.png") else 1
    finally:
        shell.close()
        lanes.close()
        bridge.close()


def _save(window: MainWindow, path: Path) -> bool:
    """Save the window with the dialogs and menus over it."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QApplication

    from fewshot_gui.gui.report import wait_until

    wait_until(lambda: False, SETTLE_MS)  # only the first paint starts the loading of the backbone
    for lane in (window.workspace.lanes.model, window.workspace.lanes.decode):
        wait_until(lambda lane=lane: lane.pending == 0, PATIENCE_MS)
    wait_until(lambda: False, SETTLE_MS)
    picture = window.grab()
    over: list[QWidget] = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    painter = QPainter(picture)
    for widget in over:
        place = widget.pos() - window.pos()
        if widget.windowType() != Qt.WindowType.Popup:
            place = window.rect().center() - widget.rect().center()
        painter.drawPixmap(place, widget.grab())
    painter.end()
    return bool(picture.save(str(path)))


# What is to be seen ----------------------------------------------------------------------------------------


def _classified(window: MainWindow) -> bool:
    from fewshot_gui.gui.report import wait_until

    gallery, predictor = window.workspace.gallery, window.workspace.predictor

    def complete() -> bool:
        scores = predictor.scores
        seen = gallery.count and not gallery.listing and gallery.embedded == gallery.count
        return bool(seen and scores and scores.version and scores.known.all() and not predictor.status.busy)

    return wait_until(complete, PATIENCE_MS)


def sample(_app: QApplication, _shell: Shell, window: MainWindow) -> bool:
    """Show the sample with a picture chosen."""
    ready = _classified(window)
    view = window.query.folder.view
    view.setFocus()
    view.setCurrentIndex(view.model().index(2, 0))
    return ready


def empty(_app: QApplication, _shell: Shell, _window: MainWindow) -> bool:
    """Show what a person sees who starts the program for the first time."""
    return True


def many(_app: QApplication, _shell: Shell, window: MainWindow) -> bool:
    """Show the sample with fourteen categories of long and short names."""
    from fewshot_gui.engine.commands import AddCategory, new_category_id

    for name in ("A name that is far too long for its card, and for its chip", "Ø", "Straße", "日本語の名前"):
        window.workspace.session.do(AddCategory(new_category_id(), name))
    for number in range(10):
        window.workspace.session.do(AddCategory(new_category_id(), f"Category {number + 1}"))
    return True


def draw(_app: QApplication, _shell: Shell, window: MainWindow) -> bool:
    """Show the draw page with a symbol on the paper."""
    from fewshot_gui.engine.commands import AddCategory, new_category_id
    from fewshot_gui.engine.sources.drawing import Stroke

    for name in ("Hook", "Cross", "Spiral"):
        window.workspace.session.do(AddCategory(new_category_id(), name))
    window.show_source("draw")
    page = window.query.draw
    for line in (((0.2, 0.2), (0.5, 0.5), (0.8, 0.8)), ((0.8, 0.2), (0.5, 0.5), (0.2, 0.8))):
        page.canvas._set(page.canvas.sketch.drawn(Stroke(line)))
    return True


def camera(_app: QApplication, _shell: Shell, window: MainWindow) -> bool:
    """Show the camera page of a computer without a camera."""
    from fewshot_gui.gui.report import wait_until

    window.show_source("camera")
    return wait_until(lambda: window.query.camera.empty.title.text() == "No camera found", PATIENCE_MS)


def problems(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the problems dialog over the sample."""
    ready = sample(app, shell, window)
    for kind in ("empty", "truncated", "not-a-picture", "too-large"):
        window.workspace.problems.add(f"/home/ada/Pictures/holidays 2024/{kind}.jpg", kind, "")
    window.named_actions["problemsAction"].trigger()
    return ready


def menu(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the menu of a card over the sample."""
    from PySide6.QtCore import QPoint

    ready = sample(app, shell, window)
    card = window.support.cards.cards[0]
    card.open_menu(card.mapToGlobal(QPoint(220, 40)))
    return ready


def sort(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the plan of the sample, with a name that is taken."""
    from fewshot_gui.gui.report import wait_until
    from fewshot_gui.gui.sorting.dialog import SortDialog

    ready = sample(app, shell, window)
    target = Path(os.environ["FEWSHOT_DATA"]) / "sorted"
    category = window.workspace.session.document.categories[0]
    for file in window.workspace.gallery.files:
        taken = target / category.name / Path(file.path).name
        taken.parent.mkdir(parents=True, exist_ok=True)
        taken.write_bytes(b"another picture")
    window.named_actions["sortAction"].trigger()
    dialog = window.findChild(SortDialog)
    assert dialog is not None
    dialog.choices.destination.setText(str(target))
    dialog.choices.same_name.setCurrentIndex(1)
    dialog.choices.none.setChecked(True)
    dialog.choices.scope.setCurrentIndex(2)
    wait_until(lambda: False, SETTLE_MS)
    return ready and wait_until(lambda: dialog.plan.planned is not None, PATIENCE_MS)


def receipt(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the receipt of the sample."""
    from fewshot_gui.gui.report import wait_until
    from fewshot_gui.gui.sorting.dialog import SortDialog

    ready = sort(app, shell, window)
    dialog = window.findChild(SortDialog)
    assert dialog is not None
    dialog.apply()
    return ready and wait_until(lambda: dialog.pages.currentWidget() is dialog.receipt, PATIENCE_MS)


def export(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the export dialog over the sample."""
    ready = sample(app, shell, window)
    window.named_actions["exportAction"].trigger()
    return ready


def model(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show a model of the sample that was written."""
    from fewshot_gui.gui.dialogs.model_export import ModelDialog
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    window.named_actions["modelAction"].trigger()
    dialog = window.findChild(ModelDialog)
    assert dialog is not None
    dialog.write(Path(os.environ["FEWSHOT_DATA"]) / "Flowers and leaves.onnx")
    return ready and wait_until(dialog.shown.isVisible, PATIENCE_MS)


def picture_map(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the map of the sample."""
    from fewshot_gui.gui.map.dialog import MapDialog
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    window.named_actions["mapAction"].trigger()
    dialog = window.findChild(MapDialog)
    assert dialog is not None
    dialog.view.pointed.emit(7)
    return ready and wait_until(lambda: not dialog.view.thumbnails.asked, PATIENCE_MS)


def bring_in(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the import dialog with lines that have no picture."""
    from fewshot_gui.gui.report import wait_until
    from fewshot_gui.gui.sorting.import_dialog import ImportDialog

    ready = sample(app, shell, window)
    table = Path(os.environ["FEWSHOT_DATA"]) / "labels.csv"
    table.write_text("path,category\nholiday/IMG_1.jpg,Beach\nholiday/IMG_2.jpg,Snow\n", encoding="utf-8")
    window.named_actions["importAction"].trigger()
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    dialog.read(table)
    return ready and wait_until(dialog.unmatched.isVisible, PATIENCE_MS)


def arrivals(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the line that says what has arrived."""
    ready = sample(app, shell, window)
    assert shell.desk.strip is not None
    shell.desk.strip.show_arrived(12, 9)
    return ready


def grace(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the question whether arrivals are sorted by themselves."""
    ready = arrivals(app, shell, window)
    shell.desk.ask_grace()
    return ready


def large(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show a picture of the sample large."""
    ready = sample(app, shell, window)
    page = window.query.folder
    page.enlarge(page.view.currentIndex())
    return ready


def table(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show what the sample's categories are taken for."""
    from fewshot_gui.gui.inspector.table_dialog import show_table
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    wait_until(lambda: window.workspace.predictor.report is not None, PATIENCE_MS)
    show_table(window)
    return ready


def learners(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the list of the learners."""
    ready = sample(app, shell, window)
    window.header.selectors.learner.showPopup()
    return ready


def compare(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the usual learners and three more side by side."""
    from fewshot_gui.gui.compare.dialog import compare_learners
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    dialog = compare_learners(window)
    for name in ("nearest", "logistic", "mahalanobis"):
        dialog.choices.boxes[name].setChecked(True)
    dialog.start()
    return ready and wait_until(lambda: not dialog.running, PATIENCE_MS)


def steps(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show what MAML's third step on the sample says."""
    from fewshot_gui.engine.commands import ChooseLearner
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    predictor = window.workspace.predictor
    window.workspace.session.do(ChooseLearner("maml"))
    adapted = wait_until(lambda: predictor.inner_loop is not None and _classified(window), PATIENCE_MS)
    window.inspector.inner_loop.slider.setValue(3)
    return ready and adapted


def backbones(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show the backbones: one new here, one on its way, one that failed; nothing is downloaded."""
    from fewshot_gui.core.backbones.bundle_info import bundle_path
    from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
    from fewshot_gui.engine.fetching import Fetching, Phase

    ready = sample(app, shell, window)
    states = {
        "vit-b-16": Fetching(Phase.DONE),
        "efficientnet-v2-s": Fetching(Phase.DOWNLOADING, 31_400_000, 86_721_000),
        "convnext-tiny": Fetching(Phase.WAITING, 0, 114_419_000),
        "dinov2-small": Fetching(Phase.PAUSED, 12_000_000, 88_250_000),
        "dinov2-base": Fetching(
            Phase.FAILED, error=DownloadError(DownloadProblem.OFFLINE, "https://example.org/")
        ),
    }
    folder = Path(os.environ["FEWSHOT_MODELS"])
    folder.mkdir()
    (folder / "vit-b-16.safetensors").write_bytes(bundle_path("photo").read_bytes())
    shell.backbones.fetcher._states.update(states)
    window.named_actions["backbonesAction"].trigger()
    return ready


def backbones_file(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show what of a file of weights does not fit."""
    from fewshot_gui.core.backbones.foreign_fit import FitReport
    from fewshot_gui.engine.taking_in import DoesNotFitError

    ready = sample(app, shell, window)
    dialog = shell.backbones.show()
    assert dialog is not None
    report = FitReport(
        fits=False,
        missing=("layer4.2.conv1.weight", "layer4.2.bn1.weight"),
        unexpected=("head.bias",),
        wrong_shape=(("conv1.weight", (64, 3, 3, 3), (64, 3, 7, 7)),),
        guess={"kind": "torchvision", "model": "resnet18"},
    )
    named = {"kind": "torchvision", "model": "resnet50"}
    path = Path("my-resnet.pth")
    return ready and dialog.report.show_error(path, DoesNotFitError(path, named, report))


def chosen_learner(app: QApplication, shell: Shell, window: MainWindow) -> bool:
    """Show which learner the program chose for the sample, and why."""
    from fewshot_gui.engine.commands import ChooseLearner
    from fewshot_gui.gui.report import wait_until

    ready = sample(app, shell, window)
    window.workspace.session.do(ChooseLearner("auto"))
    status = window.workspace.predictor
    return ready and wait_until(lambda: status.status.choice is not None and _classified(window), PATIENCE_MS)


SCENES: dict[str, Callable[[QApplication, Shell, MainWindow], bool]] = {
    "window": sample,
    "empty": empty,
    "draw": draw,
    "camera": camera,
    "problems": problems,
    "many": many,
    "menu": menu,
    "sort": sort,
    "receipt": receipt,
    "export": export,
    "model": model,
    "map": picture_map,
    "import": bring_in,
    "arrivals": arrivals,
    "grace": grace,
    "large": large,
    "table": table,
    "learners": learners,
    "compare": compare,
    "steps": steps,
    "backbones": backbones,
    "backbones-file": backbones_file,
    "auto": chosen_learner,
}

if __name__ == "__main__":
    sys.exit(main())
