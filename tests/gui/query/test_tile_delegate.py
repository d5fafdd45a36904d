"""How a tile looks: each kind of answer has a sign that is not its colour."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from fewshot_gui.gui.query.gallery_model import GalleryModel
from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache
from fewshot_gui.gui.query.tile_delegate import CAPTION, TileDelegate

if TYPE_CHECKING:
    from types import SimpleNamespace

    from PySide6.QtGui import QColor
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

SIDE = 120
ROWS = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]


class Bench:
    """A delegate, its model, and a sheet to paint on."""

    def __init__(self, world: SimpleNamespace, appearance: Appearance) -> None:
        self.model = GalleryModel(world.session, world.gallery, world.predictor)
        self.cache = ThumbnailCache(world.library, parent=self.model)
        self.delegate = TileDelegate(self.cache, appearance, self.model)
        self.appearance = appearance
        world.gallery.show("/a", 4)
        world.predictor.say(world.scores(ROWS, rejected=[1], taught={2: 0}, unseen=[3]))

    def paint(self, position: int, state: QStyle.StateFlag = QStyle.StateFlag.State_Enabled) -> QImage:
        image = QImage(SIDE + 16, SIDE + CAPTION + 16, QImage.Format.Format_RGB32)
        image.fill(self.appearance.theme.surface)
        option = QStyleOptionViewItem()
        option.rect = QRect(8, 8, SIDE, SIDE + CAPTION)
        option.state = state
        painter = QPainter(image)
        self.delegate.paint(painter, option, self.model.index(position))
        painter.end()
        return image


@pytest.fixture
def bench(world: SimpleNamespace, appearance: Appearance) -> Bench:
    return Bench(world, appearance)


def columns_of(image: QImage, colour: QColor, row: int) -> list[int]:
    return [x for x in range(image.width()) if image.pixelColor(x, row).rgb() == colour.rgb()]


def test_bar_is_as_long_as_the_probability(bench: Bench) -> None:
    bar = columns_of(bench.paint(0), bench.appearance.theme.category(0), 8 + SIDE + 5 + 18 + 4)
    assert len(bar) == pytest.approx(0.9 * (SIDE - 4), abs=4)


def test_each_answer_looks_different(bench: Bench) -> None:
    images = [bench.paint(position) for position in range(4)]
    assert len({bytes(image.constBits()) for image in images}) == 4


def test_rejected_picture_has_a_broken_frame(bench: Bench) -> None:
    muted = bench.appearance.theme.muted
    dashes = columns_of(bench.paint(1), muted, 9)
    gaps = [one for one, other in itertools.pairwise(dashes) if other - one > 1]
    assert len(gaps) >= 5
    assert columns_of(bench.paint(0), muted, 9) == []


def test_taught_picture_carries_a_badge(bench: Bench) -> None:
    colour = bench.appearance.theme.category(0)
    assert len(columns_of(bench.paint(2), colour, 8 + 8 + 4)) >= 8
    assert columns_of(bench.paint(0), colour, 8 + 8 + 4) == []


def test_chosen_picture_has_a_ring_of_the_accent(bench: Bench) -> None:
    accent = bench.appearance.theme.accent
    chosen = bench.paint(0, QStyle.StateFlag.State_Enabled | QStyle.StateFlag.State_Selected)
    assert len(columns_of(chosen, accent, 6)) > SIDE // 2
    assert columns_of(bench.paint(0), accent, 6) == []


def test_hover_and_focus_show(bench: Bench) -> None:
    plain = bytes(bench.paint(0).constBits())
    for state in (QStyle.StateFlag.State_MouseOver, QStyle.StateFlag.State_HasFocus):
        assert bytes(bench.paint(0, QStyle.StateFlag.State_Enabled | state).constBits()) != plain


def test_broken_picture_says_why(bench: Bench, world: SimpleNamespace, qtbot: QtBot) -> None:
    skeleton = bytes(bench.paint(3).constBits())
    with qtbot.waitSignal(bench.cache.arrived):
        bench.cache.want([world.gallery.files[3]], SIDE)
        world.library.refuse(RuntimeError("cut"))
    assert bytes(bench.paint(3).constBits()) != skeleton


def test_every_kind_of_problem_has_its_words() -> None:
    kinds = ["missing", "no-permission", "empty", "truncated", "not-a-picture", "too-large", "unsupported"]
    assert len({problem_words(kind) for kind in [*kinds, "whatever"]}) == len(kinds) + 1


def test_dark_theme_changes_the_colours(bench: Bench) -> None:
    light = bytes(bench.paint(0).constBits())
    bench.appearance.choose("dark")
    assert bytes(bench.paint(0).constBits()) != light


@pytest.mark.parametrize("count", [1, 12_345])
def test_drag_picture_has_the_size_asked_for(bench: Bench, world: SimpleNamespace, count: int) -> None:
    pixmap = bench.delegate.drag_picture(world.gallery.files[0], count, 72, 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (144, 2.0)
