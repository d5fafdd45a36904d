"""The thumbnail cache: asks for what is in view, drops what is not, and keeps within its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache, square

if TYPE_CHECKING:
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

FILES = [PictureFile(f"/a/{number}.jpg", 1, number) for number in range(6)]


@pytest.fixture
def cache(qapp: object, world: SimpleNamespace) -> ThumbnailCache:
    return ThumbnailCache(world.library, budget=3 * 4 * 100 * 100)


def fetch(cache: ThumbnailCache, world: SimpleNamespace, files: list[PictureFile], qtbot: QtBot) -> None:
    cache.want(files, 100)
    world.library.answer()
    qtbot.waitUntil(lambda: all(cache.pixmap(file) is not None for file in files))


def test_wanted_pictures_arrive_as_squares(
    cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(cache.arrived) as arrived:
        cache.want(FILES[:1], 50, 2.0)
        world.library.answer()
    pixmap = cache.pixmap(FILES[0])
    assert pixmap is not None
    assert (pixmap.width(), pixmap.height(), pixmap.devicePixelRatio()) == (100, 100, 2.0)
    assert arrived.args == [(FILES[0],)]
    assert pixmap.toImage().pixelColor(50, 50).red() == 200
    assert pixmap.toImage().pixelColor(0, 0).alpha() == 0


def test_what_is_scrolled_away_is_cancelled(cache: ThumbnailCache, world: SimpleNamespace) -> None:
    cache.want(FILES[:3], 100)
    cache.want(FILES[2:4], 100)
    assert world.library.open_wishes == FILES[2:4]
    assert cache.asked == 2


def test_same_wish_is_asked_once(cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot) -> None:
    cache.want(FILES[:2], 100)
    cache.want(FILES[:2], 100)
    assert len(world.library.wishes) == 2
    fetch(cache, world, FILES[:2], qtbot)
    cache.want(FILES[:2], 100)
    assert world.library.wishes == []


def test_another_size_asks_again_and_keeps_the_old_meanwhile(
    cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot
) -> None:
    fetch(cache, world, FILES[:1], qtbot)
    cache.want(FILES[:1], 60)
    assert cache.pixmap(FILES[0]) is not None
    assert len(world.library.wishes) == 1


def test_memory_is_bounded_oldest_first(cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot) -> None:
    fetch(cache, world, FILES[:3], qtbot)
    cache.pixmap(FILES[0])
    fetch(cache, world, FILES[3:4], qtbot)
    assert cache.pixmap(FILES[1]) is None
    assert cache.pixmap(FILES[0]) is not None
    assert cache.bytes_held == 3 * 4 * 100 * 100


def test_broken_picture_keeps_its_reason(cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot) -> None:
    error = RuntimeError("cut")
    error.kind = "truncated"  # type: ignore[attr-defined]
    with qtbot.waitSignal(cache.arrived):
        cache.want(FILES[:1], 100)
        world.library.refuse(error)
    assert cache.problem(FILES[0]) == "truncated"
    cache.want(FILES[:1], 100)
    assert world.library.wishes == []


def test_a_broken_picture_is_asked_for_again_when_its_disk_may_be_back(
    cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot
) -> None:
    """Before, it stayed broken until another folder was opened."""
    fetch(cache, world, FILES[1:2], qtbot)
    with qtbot.waitSignal(cache.arrived):
        cache.want(FILES[:2], 100)
        world.library.refuse(RuntimeError("unplugged"))
    cache.retry()
    assert cache.problem(FILES[0]) is None
    assert world.library.open_wishes == FILES[:1], "what is there is not asked for"
    world.library.answer()
    qtbot.waitUntil(lambda: cache.pixmap(FILES[0]) is not None)


def test_forgetting_drops_everything(cache: ThumbnailCache, world: SimpleNamespace, qtbot: QtBot) -> None:
    fetch(cache, world, FILES[:2], qtbot)
    cache.want(FILES[3:4], 100)
    cache.forget()
    assert cache.pixmap(FILES[0]) is None
    assert cache.bytes_held == 0
    assert world.library.open_wishes == []


def test_square_is_the_centre_of_the_picture() -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = (10, 200, 30)
    image = square(pixels, 4)
    assert {image.pixelColor(x, y).green() for x in range(4) for y in range(4)} == {200}
