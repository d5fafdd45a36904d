"""The three panels: who gives way in a narrow window, and which widths are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from fewshot_gui.gui.panels import NARROW, WIDTHS, Panels

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Part(QFrame):
    """A panel that needs so many pixels."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.setMinimumWidth(least)


@pytest.fixture
def panels(qtbot: QtBot) -> Panels:
    result = Panels([Part(200), Part(400), Part(250)])
    qtbot.addWidget(result)
    result.resize(1400, 500)
    result.show()
    return result


def resize(panels: Panels, width: int) -> None:
    panels.resize(width, 500)
    QApplication.processEvents()


def outer(panels: Panels) -> tuple[int, int]:
    left, _middle, right = panels.sizes()
    return left, right


def parts(panels: Panels) -> list[QWidget]:
    return list(panels._parts)


def test_the_middle_one_takes_what_there_is(panels: Panels) -> None:
    assert outer(panels) == WIDTHS
    resize(panels, 1800)
    assert outer(panels) == WIDTHS
    resize(panels, NARROW)
    assert outer(panels) == WIDTHS
    assert not panels.narrow


def test_the_right_one_gives_way_and_comes_back_as_wide(panels: Panels, qtbot: QtBot) -> None:
    panels.set_widths(340, 280)
    with qtbot.waitSignal(panels.narrowed) as told:
        resize(panels, 800)
    assert told.args == [True]
    assert [part.isVisible() for part in parts(panels)] == [True, True, False]
    assert outer(panels)[0] == 340
    with qtbot.waitSignal(panels.narrowed) as told:
        resize(panels, 1500)
    assert told.args == [False]
    assert outer(panels) == (340, 280)


def test_it_needs_the_room_of_two_panels_alone(panels: Panels) -> None:
    two = panels.minimumSizeHint().width()
    assert two < 200 + 400 + 250
    resize(panels, 800)
    assert panels.minimumSizeHint().width() == two


def test_one_is_shown_in_place_of_the_other(panels: Panels) -> None:
    resize(panels, 800)
    panels.show_details(on=True)
    assert panels.details_shown
    assert [part.isVisible() for part in parts(panels)] == [False, True, True]
    assert outer(panels)[1] == WIDTHS[1]
    panels.show_details(on=False)
    assert [part.isVisible() for part in parts(panels)] == [True, True, False]


def test_in_a_wide_window_all_stay(panels: Panels) -> None:
    panels.show_details(on=True)
    assert all(part.isVisible() for part in parts(panels))


def test_what_was_folded_away_is_there_where_it_is_asked_for(panels: Panels) -> None:
    panels.set_widths(300, 0)
    assert outer(panels) == (300, 0)
    resize(panels, 800)
    panels.show_details(on=True)
    assert outer(panels)[1] == WIDTHS[1]
    resize(panels, 1400)
    assert outer(panels) == (300, 0), "and folded away again where it was"


def test_a_width_that_is_dragged_is_known(panels: Panels) -> None:
    panels.moveSplitter(350, 1)
    panels.splitterMoved.emit(350, 1)
    left, right = panels.widths
    assert (left, right) == outer(panels)
    assert left > WIDTHS[0]
    resize(panels, 800)
    panels.splitterMoved.emit(0, 1)
    assert panels.widths[1] == right, "one that is not seen keeps its width"
