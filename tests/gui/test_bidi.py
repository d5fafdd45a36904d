"""Names from the right: what stands beside them stays where it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextLayout

from fewshot_gui.gui.bidi import isolated
from fewshot_gui.gui.theme import Appearance  # noqa: TC001 - pytest-qt reads the fixture's type
from fewshot_gui.gui.widgets import ElidedLabel

ARABIC = "صور العائلة"


@pytest.mark.parametrize("name", ["", "Mug", "照片", "Straße 3"])
def test_a_name_from_the_left_stays_as_it_is(name: str) -> None:
    assert isolated(name) == name


def _left_edge(text: str, part: str, width: float = 400) -> float:
    """Return where a part of a text begins on the screen, in pixels from the left."""
    layout = QTextLayout(text)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(width)
    layout.endLayout()
    at = line.cursorToX(text.index(part))
    return float(at[0] if isinstance(at, tuple) else at)


@pytest.mark.usefixtures("qapp")
def test_the_key_behind_a_name_from_the_right_stays_behind_it() -> None:
    assert _left_edge(f"{isolated(ARABIC)}  7", "7") > _left_edge(f"{isolated('Mug')}  7", "7")
    assert not f"{isolated(ARABIC)}, 67 %".isascii()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("name", ["Mug", ARABIC])
def test_a_label_begins_at_its_left_edge_in_every_script(
    name: str, appearance: Appearance, qtbot: object
) -> None:
    label = ElidedLabel(name)
    label.setStyleSheet("color: black; background: white")
    label.resize(400, 24)
    image = label.grab().toImage()
    inked = [x for x in range(400) for y in range(24) if image.pixelColor(x, y).lightness() < 128]
    assert label.alignment() & Qt.AlignmentFlag.AlignAbsolute
    assert max(inked) < 200
    label.deleteLater()
