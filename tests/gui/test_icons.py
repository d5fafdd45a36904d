"""Every icon exists, is of the family, takes the colour it is asked in, and stays crisp."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage

from fewshot_gui.core.data_files import assets_folder
from fewshot_gui.gui.icons import ICON_NAMES, IconName, icon

pytestmark = pytest.mark.usefixtures("qapp")


def _drawn(name: IconName, colour: str, side: int, ratio: float = 1.0) -> QImage:
    return icon(name, QColor(colour)).pixmap(QSize(side, side), ratio).toImage()


@pytest.mark.parametrize("name", ICON_NAMES)
def test_a_drawing_is_of_the_family(name: str) -> None:
    root = ET.parse(assets_folder() / "icons" / f"{name}.svg").getroot()
    assert root.get("viewBox") == "0 0 24 24"
    assert root.get("stroke") == "currentColor"
    assert root.get("stroke-width") == "1.75"
    assert root.get("stroke-linecap") == root.get("stroke-linejoin") == "round"


@pytest.mark.parametrize("name", ICON_NAMES)
def test_an_icon_is_drawn_inside_its_edges(name: IconName) -> None:
    image = _drawn(name, "#ff0000", 24)
    inked = [(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 40]
    assert len(inked) > 12
    assert all(1 <= x <= 22 and 1 <= y <= 22 for x, y in inked)


def test_an_icon_takes_its_colour() -> None:
    image = _drawn("add", "#12ab56", 24)
    assert image.pixelColor(12, 12).name() == "#12ab56"
    assert image.pixelColor(0, 0).alpha() == 0


def test_an_icon_is_sharp_on_a_fine_screen() -> None:
    image = _drawn("add", "#000000", 24, 2.0)
    assert image.width() == 48
    # The stroke of 1.75 units is 3.5 px wide here: its middle is solid, one unit beside it is empty.
    assert image.pixelColor(24, 24).alpha() == 255
    assert image.pixelColor(28, 16).alpha() == 0


def test_the_same_icon_is_drawn_once() -> None:
    assert icon("add", QColor("#010203")).cacheKey() == icon("add", QColor("#010203")).cacheKey()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        icon("no such icon", QColor("black"))  # type: ignore[arg-type]


def test_no_drawing_lies_about_unused() -> None:
    drawn = {path.stem for path in (assets_folder() / "icons").glob("*.svg")}
    style = {f"{kind}-{shade}" for kind in ("arrow", "tick") for shade in ("light", "dark")}
    assert drawn == set(ICON_NAMES) | style
