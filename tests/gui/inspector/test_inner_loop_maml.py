"""The view of the inner loop over the real thing: MAML on the shipped network for symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.engine.commands import ChooseBackbone, ChooseLearner, Together
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.workspace import Lanes, Workspace
from fewshot_gui.gui.inspector.inner_loop import InnerLoopView
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

pytestmark = pytest.mark.timeout(300)
PATIENCE = 120_000


def draw(folder: Path, shots: int = 3) -> list[str]:
    """Two folders of symbols, a bar that stands and a bar that lies; and one with both."""
    random = np.random.default_rng(0)
    for number in range(2 * shots + 2):
        paper = np.full((56, 56, 3), 255, np.uint8)
        at = int(random.integers(16, 36))
        name = ("lying", "standing")[number % 2]
        if number % 2:
            paper[6:50, at : at + 5] = 0
        else:
            paper[at : at + 5, 6:50] = 0
        place = folder / ("query" if number >= 2 * shots else name)
        place.mkdir(exist_ok=True)
        (place / f"{number}.png").write_bytes(encode_png(paper))
    return [str(folder / name) for name in ("lying", "standing")]


@pytest.fixture
def space(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    session = Session.create(tmp_path / "maml.fewshot", lanes.disk)
    session.do(Together((ChooseBackbone("omniglot-conv4"), ChooseLearner("prototypical"))))
    workspace = Workspace(session, lanes, bridge.post)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    workspace.intake.add_files(draw(pictures))
    workspace.gallery.open(str(pictures / "query"))
    qtbot.waitUntil(lambda: len(session.document.pictures()) == 6, timeout=PATIENCE)
    yield workspace
    workspace.close(discard=True)
    assert lanes.close()
    bridge.close()


def test_maml_is_watched_cancelled_and_looked_at_step_by_step(
    qtbot: QtBot, space: Workspace, appearance: Appearance
) -> None:
    predictor = space.predictor
    view = InnerLoopView(predictor, appearance)
    qtbot.addWidget(view)
    notes: list[str] = []
    predictor.adapting.connect(lambda *_told: notes.append(view.header.note.text()))

    def rests() -> bool:
        scores = predictor.scores
        known = scores is not None and scores.count == 2 and bool(scores.known.all())
        return known and not predictor.status.busy and predictor.status.problem is None

    qtbot.waitUntil(rests, timeout=PATIENCE)
    assert view.isHidden()

    space.session.do(ChooseLearner("maml"))
    qtbot.waitUntil(lambda: rests() and predictor.inner_loop is not None, timeout=PATIENCE)
    loop = predictor.inner_loop
    assert loop is not None
    assert notes[-1] == f"Step {loop.steps} of {loop.steps}"
    assert view.slider.maximum() == loop.steps > 1
    assert view.curve.losses == loop.losses
    assert loop.losses[-1] < loop.losses[0]

    after = predictor.scores
    view.slider.setValue(0)
    qtbot.waitUntil(lambda: predictor.inner_loop is not None and predictor.inner_loop.shown_step == 0)
    qtbot.waitUntil(rests, timeout=PATIENCE)
    before = predictor.scores
    assert before is not None
    assert after is not None
    assert not np.allclose(before.probabilities, after.probabilities, atol=1e-6)
    assert view.header.note.text() == f"Step 0 of {loop.steps}"

    predictor.refresh()
    qtbot.waitUntil(lambda: predictor.status.busy)
    view.cancel.click()
    assert not predictor.status.busy
    assert view.sentence.text().startswith("Stopped")
    assert not view.again.isHidden()
