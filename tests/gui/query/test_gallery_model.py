"""The gallery model: what is shown where, and that no tile ever speaks of another picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fewshot_gui.engine.commands import RemoveCategory, RenameCategory
from fewshot_gui.engine.deciding.stacks import Stacks
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.scores import Scores, Special
from fewshot_gui.gui.mime import unpack
from fewshot_gui.gui.query.gallery_model import PATH_ROLE, ROW_ROLE, TILE_ROLE, Arrangement, GalleryModel
from fewshot_gui.gui.query.tile import TileState

if TYPE_CHECKING:
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

THREE = [[0.6, 0.4], [0.1, 0.9], [0.8, 0.2]]


@pytest.fixture
def model(qapp: object, world: SimpleNamespace) -> GalleryModel:
    return GalleryModel(world.session, world.gallery, world.predictor)


def rows(model: GalleryModel) -> list[int]:
    return [model.index(position).data(ROW_ROLE) for position in range(model.rowCount())]


def test_unscored_pictures_are_unseen(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 2)
    assert [model.tile(position).state for position in range(2)] == [TileState.UNSEEN] * 2
    assert model.index(1).data() == "img1.jpg"
    assert model.index(1).data(PATH_ROLE) == "/a/img1.jpg"


def test_tile_says_label_and_probability(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 4)
    world.predictor.say(world.scores([*THREE, [0.5, 0.5]], rejected=[2], taught={0: 1}, unseen=[3]))
    tiles = [model.index(position).data(TILE_ROLE) for position in range(4)]
    assert [tile.state for tile in tiles] == [
        TileState.TAUGHT, TileState.PREDICTED, TileState.REJECTED, TileState.UNSEEN,
    ]  # fmt: skip
    assert [tile.category for tile in tiles] == ["Pen", "Pen", "", ""]
    assert tiles[1].probability == pytest.approx(0.9)
    assert "None" not in model.sentence(1)
    assert "90 %" in model.sentence(1)
    assert "taught by you" in model.sentence(0)
    assert "none of these" in model.sentence(2)


def test_of_a_picture_that_cannot_be_read_its_words_say_why(
    model: GalleryModel, world: SimpleNamespace
) -> None:
    world.gallery.show("/a", 2)
    assert model.sentence(0) == "img0.jpg: not seen yet"
    model.problem_of = lambda file: "truncated" if file == model.file(0) else None
    assert model.sentence(0) == "img0.jpg: File is cut short"
    assert "File is cut short" in str(model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole))
    assert model.sentence(1) == "img1.jpg: not seen yet"


def test_new_scores_move_nothing_and_say_so(
    model: GalleryModel, world: SimpleNamespace, qtbot: QtBot
) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    model.arrange(Arrangement("confidence", descending=True))
    assert rows(model) == [1, 2, 0]
    with qtbot.waitSignals([model.stale_changed, model.dataChanged]):
        world.predictor.say(world.scores([[0.99, 0.01], [0.1, 0.9], [0.8, 0.2]], version=2))
    assert rows(model) == [1, 2, 0]
    assert model.stale
    assert model.tile(2).probability == pytest.approx(0.99)
    model.refresh()
    assert rows(model) == [0, 1, 2]
    assert not model.stale


def test_scores_that_keep_the_order_are_not_stale(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    assert not model.stale


def test_filter_shows_one_label(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE, rejected=[0]))
    model.arrange(Arrangement(only=world.ids[1]))
    assert rows(model) == [1]
    model.arrange(Arrangement(only=Special.NONE_OF_THESE))
    assert rows(model) == [0]
    model.arrange(Arrangement(only=Special.UNKNOWN))
    assert rows(model) == []


def test_more_rows_come_at_the_end(model: GalleryModel, world: SimpleNamespace, qtbot: QtBot) -> None:
    world.gallery.show("/a", 2)
    with qtbot.waitSignal(model.rowsInserted), qtbot.assertNotEmitted(model.modelReset):
        world.gallery.show("/a", 5)
    assert rows(model) == [0, 1, 2, 3, 4]
    assert not model.stale


def test_more_rows_do_not_enter_a_category(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    model.arrange(Arrangement(only=world.ids[0]))
    world.gallery.show("/a", 5)
    assert rows(model) == [0, 2]


def test_another_folder_forgets_the_predictions(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    world.gallery.show("/b", 3)
    assert [model.tile(position).state for position in range(3)] == [TileState.UNSEEN] * 3
    assert model.file(0).path == "/b/img0.jpg"


def test_predictor_may_hear_of_the_folder_first(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 1)
    world.gallery.listed.emit = lambda: None  # the list of /b has not reached the model
    world.gallery.show("/b", 3)
    world.predictor.say(world.scores(THREE))
    assert model.tile(1).file.path == "/b/img1.jpg"
    assert model.tile(1).category == "Pen"


def test_scores_of_more_rows_than_there_are_say_nothing(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 2)
    world.predictor.say(world.scores(THREE))
    assert model.tile(0).state is TileState.UNSEEN


def test_rename_shows_and_removal_leaves_no_name(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    world.session.do(RenameCategory(world.ids[1], "Pencil"))
    assert model.tile(1).category == "Pencil"
    world.session.do(RemoveCategory(world.ids[1]))
    assert model.tile(1).state is TileState.UNSEEN


def test_dragged_pictures_carry_path_id_and_row(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    dropped = unpack(model.mimeData([model.index(2)])).pictures
    assert [(each.path, each.id, each.row) for each in dropped] == [("/a/img2.jpg", f"{2:032x}", 2)]
    assert model.supportedDragActions() == Qt.DropAction.CopyAction


def test_positions_follow_the_order(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE))
    model.arrange(Arrangement("confidence", descending=True))
    assert [model.position_of(row) for row in (0, 1, 2, 9)] == [2, 0, 1, None]
    assert model.positions_of(np.array([0, 1])).tolist() == [0, 2]


def test_name_order_puts_2_before_10(model: GalleryModel, world: SimpleNamespace) -> None:
    world.gallery.show("/a", 11)
    model.arrange(Arrangement("name", descending=True))
    assert rows(model)[0] == 10
    assert rows(model)[-1] == 0


def test_an_answer_to_many_pictures_looks_at_all_labels_once_at_most(
    model: GalleryModel, world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, it did so twice for each of them, and 50,000 chosen ones held the window for minutes."""
    world.gallery.show("/a", 4)
    world.predictor.say(world.scores([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8]]))
    model.arrange(Arrangement(only=world.ids[0]))
    asked: list[Scores] = []
    labels = Scores.labels

    def count(scores: Scores) -> np.ndarray:
        asked.append(scores)
        return labels(scores)

    monkeypatch.setattr(Scores, "labels", count)
    assert [model.behind(row) for row in (0, 1)] == [[0], [1]]
    assert not asked
    model.set_stacks(Stacks(np.array([0, 0, 0, 3], np.int32)))
    asked.clear()
    assert [model.behind(0) for _ in range(3)] == [[0, 1]] * 3, "the third of the stack is called otherwise"
    assert len(asked) == 1


def test_predictions_of_rows_that_are_still_to_come_are_no_other_order(
    model: GalleryModel, world: SimpleNamespace, qtbot: QtBot
) -> None:
    """The predictor hears of a longer folder first: "Order changed" stood over a folder in order."""
    world.gallery.show("/a", 2)
    world.gallery.listed = Event()
    world.gallery.show("/a", 4)
    world.predictor.say(world.scores([[0.6, 0.4]] * 4))
    model._on_listed()
    assert rows(model) == [0, 1, 2, 3]
    assert not model.stale


def test_files_that_are_written_anew_are_told(
    model: GalleryModel, world: SimpleNamespace, qtbot: QtBot
) -> None:
    world.gallery.show("/a", 2)
    with qtbot.waitSignal(model.rewritten):
        world.gallery.listed.emit()
