"""The way to the sorting desk: nothing of it at the start, all of it at the first need."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.gui.sorting.dialog import SortDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = """
import sys
import fewshot_gui.gui.app
late = ("lxml", "watchdog", "fewshot_gui.engine.sorter", "fewshot_gui.gui.sorting.desk", "torch",
        "fewshot_gui.gui.backbones.dialog", "fewshot_gui.engine.downloads", "importlib.metadata")
print([name for name in late if name in sys.modules])
"""


def test_the_program_starts_without_what_only_a_click_needs() -> None:
    hidden = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(
        [sys.executable, "-c", START], env=hidden, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_the_desk_is_made_by_the_first_click(start: Callable[[], Any]) -> None:
    evening = start()
    assert evening.shell.sorting._desk is None
    assert evening.shell.sorting.may_leave()
    evening.open()
    evening.ask("sortAction")
    assert evening.dialog(SortDialog).isVisible()
    assert evening.shell.desk.window is evening.window
    evening.shell.new_session()
    assert evening.shell.desk.window is evening.shell.window, "it moves with the window"


def test_a_journal_is_looked_at_once_the_window_is_drawn(start: Callable[[], Any], tmp_path: Path) -> None:
    with Journal(tmp_path / "data" / "sorting.sqlite"):
        pass
    evening = start()
    assert evening.shell.sorting._desk is None
    evening.wait(lambda: evening.shell.sorting._desk is not None)


def test_a_window_that_is_gone_recovers_nothing(start: Callable[[], Any], tmp_path: Path) -> None:
    with Journal(tmp_path / "data" / "sorting.sqlite"):
        pass
    evening = start()
    evening.shell.close()
    evening.shell.sorting._recover()
    assert evening.shell.sorting._desk is None
