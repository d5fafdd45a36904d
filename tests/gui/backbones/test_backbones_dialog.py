"""The dialog of backbones: what each row offers, what a click asks, and what is said when it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem, describe_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.foreign_fit import FitReport
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.fetching import Fetching, Phase
from fewshot_gui.engine.speeds import Speeds
from fewshot_gui.engine.taking_in import DoesNotFitError
from fewshot_gui.gui.backbones import dialog as dialog_module
from fewshot_gui.gui.backbones import entries as entries_module
from fewshot_gui.gui.backbones.dialog import BackbonesDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.backbones.row import BackboneRow
    from fewshot_gui.gui.theme import Appearance

SMALL, LARGE = LADDER[0], LADDER[3]
PHOTO = describe_bundle("photo")
DRAWING = describe_bundle("omniglot-conv4")
USER = Path("/user/models")


class FakeFetcher:
    """Does what a test says, and writes down what it was asked."""

    def __init__(self) -> None:
        self.changed: Event[[str]] = Event()
        self.landed: Event[[BundleInfo]] = Event()
        self.removed: Event[[str]] = Event()
        self.states: dict[str, Fetching] = {}
        self.asked: list[Any] = []
        self.ends: list[tuple[Callable[[Any], None], Callable[[Exception], None]]] = []
        self.error: Exception | None = None

    def state(self, name: str) -> Fetching | None:
        return self.states.get(name)

    def say(self, name: str, *values: Any, **more: Any) -> None:
        self.states[name] = Fetching(*values, **more)
        self.changed.emit(name)

    def recall(self, _rungs: Any) -> None:
        self.asked.append("recall")

    def start(self, rung: Rung) -> None:
        self.asked.append(("start", rung.name))

    def cancel(self, name: str) -> None:
        self.asked.append(("cancel", name))

    def drop(self, rung: Rung) -> None:
        self._do("drop", rung.name)

    def remove(self, info: BundleInfo) -> None:
        self._do("remove", info.name)

    def _do(self, what: str, name: str) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append((what, name))

    def take_in(self, path: Path, architecture: str, then: Any, failed: Any) -> None:
        self.asked.append(("take in", path.name, architecture))
        self.ends.append((then, failed))


@pytest.fixture
def fetcher() -> FakeFetcher:
    return FakeFetcher()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[BundleInfo]:
    """The backbones that are on this computer."""
    found = [DRAWING, PHOTO]
    monkeypatch.setattr(entries_module, "installed_sound", lambda: found)
    monkeypatch.setenv("FEWSHOT_MODELS", str(USER))
    monkeypatch.setenv("FEWSHOT_CACHE", "/nowhere")  # else the times of this computer would be told
    monkeypatch.setattr(entries_module, "LADDER", (SMALL, LARGE))
    monkeypatch.setattr(
        dialog_module, "describe_bundle", lambda name: next(i for i in found if i.name == name)
    )
    return found


@pytest.fixture
def dialog(
    qtbot: QtBot, session: Session, fetcher: FakeFetcher, here: list[BundleInfo], appearance: Appearance
) -> BackbonesDialog:
    result = BackbonesDialog(session, fetcher, lambda: True)  # type: ignore[arg-type]
    qtbot.addWidget(result)
    result.show()
    return result


def own(rung: Rung) -> BundleInfo:
    return replace(PHOTO, name=rung.name, title=rung.title, path=USER / f"{rung.name}.safetensors")


def row(dialog: BackbonesDialog, name: str) -> BackboneRow:
    return dialog.list.rows[name]


def offered(dialog: BackbonesDialog, name: str) -> list[str]:
    return [button.text() for button in row(dialog, name).buttons() if not button.isHidden()]


def land(dialog: BackbonesDialog, here: list[BundleInfo], rung: Rung, fetcher: FakeFetcher) -> None:
    here.append(own(rung))
    fetcher.states[rung.name] = Fetching(Phase.DONE)
    fetcher.landed.emit(here[-1])


# Rows -------------------------------------------------------------------------------------------------------


def test_what_is_here_comes_first_and_drawings_last(dialog: BackbonesDialog) -> None:
    assert list(dialog.list.rows) == ["photo", SMALL.name, LARGE.name, "omniglot-conv4"]
    assert not dialog.isModal()


def test_the_one_in_use_comes_first_and_those_to_compare_with_after_the_usual_ones(
    qtbot: QtBot, session: Session, fetcher: FakeFetcher, here: list[BundleInfo], appearance: Appearance
) -> None:
    here[:] = [
        replace(DRAWING, name="omniglot-anil"), DRAWING, replace(PHOTO, name="photo-mini"), PHOTO,
        replace(own(SMALL), name="mine"),
    ]  # fmt: skip
    dialog = BackbonesDialog(session, fetcher, lambda: True)  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    names = ["photo", "mine", "photo-mini", SMALL.name, LARGE.name, "omniglot-conv4", "omniglot-anil"]
    assert list(dialog.list.rows) == names
    assert dialog.focusWidget() is row(dialog, SMALL.name).download
    dialog.show()
    row(dialog, "photo-mini").use.click()
    assert list(dialog.list.rows) == names, "nothing moves under the pointer"
    dialog.close()
    dialog.refresh()
    assert list(dialog.list.rows)[:3] == ["photo-mini", "photo", "mine"]


def test_a_row_says_what_was_measured_here(dialog: BackbonesDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "about 2 times slower than Photos" in row(dialog, SMALL.name).accessibleName()
    speeds = Speeds(20.0, {PHOTO.hash: 6.2})
    monkeypatch.setattr(dialog_module, "read_speeds", lambda _folder: speeds)
    dialog.refresh()
    assert "about 6 ms for a picture here" in row(dialog, "photo").accessibleName()
    assert "about 17 ms for a picture here" in row(dialog, SMALL.name).accessibleName()


def test_the_facts_of_a_row_are_not_cut(dialog: BackbonesDialog) -> None:
    dialog.resize(dialog.minimumSizeHint().width(), 640)
    QApplication.processEvents()
    for line in dialog.list.rows.values():
        assert line.facts.height() >= line.facts.heightForWidth(line.facts.width()), line.entry.name


def test_each_row_offers_what_can_be_done_with_it(dialog: BackbonesDialog) -> None:
    assert offered(dialog, "photo") == ["In use"]
    assert not row(dialog, "photo").use.isEnabled()
    assert offered(dialog, "omniglot-conv4") == ["Use it"]
    assert offered(dialog, LARGE.name) == ["Download"]


def test_everything_has_a_name_for_scripts_and_screen_readers(dialog: BackbonesDialog) -> None:
    for name in ("backboneList", "backboneLoadFile", "backbonesClose", f"backboneDownload:{LARGE.name}"):
        assert dialog.findChild(QWidget, name) is not None, name
    assert row(dialog, LARGE.name).download.accessibleName() == f"Download: {LARGE.title}"
    assert LARGE.title in row(dialog, LARGE.name).accessibleName()
    assert "346.3 MB" in row(dialog, LARGE.name).accessibleName()
    assert "comes with the program" in row(dialog, "photo").accessibleName()


def test_using_one_is_a_step_of_the_session(dialog: BackbonesDialog, session: Session) -> None:
    row(dialog, "omniglot-conv4").use.click()
    assert session.document.settings.backbone == "omniglot-conv4"
    assert offered(dialog, "omniglot-conv4") == ["In use"]
    assert offered(dialog, "photo") == ["Use it"]
    session.undo()
    assert offered(dialog, "photo") == ["In use"]


# Downloads --------------------------------------------------------------------------------------------------


def test_nothing_is_downloaded_before_a_click(dialog: BackbonesDialog, fetcher: FakeFetcher) -> None:
    assert fetcher.asked == ["recall"]
    row(dialog, LARGE.name).download.click()
    assert fetcher.asked[1:] == [("start", LARGE.name)]


def test_a_download_shows_how_far_it_is_and_can_be_cancelled(
    dialog: BackbonesDialog, fetcher: FakeFetcher
) -> None:
    line = row(dialog, LARGE.name)
    fetcher.say(LARGE.name, Phase.DOWNLOADING, 100_000_000, 400_000_000)
    assert offered(dialog, LARGE.name) == ["Cancel"]
    assert (line.progress.value(), line.note.text()) == (250, "100.0 MB of 400.0 MB")
    fetcher.say(LARGE.name, Phase.PREPARING, 400_000_000, 400_000_000)
    assert line.progress.maximum() == 0
    assert "making it ready" in line.note.text()
    line.cancel.click()
    assert fetcher.asked[-1] == ("cancel", LARGE.name)
    fetcher.say(LARGE.name, Phase.PAUSED, 100_000_000, 400_000_000)
    assert offered(dialog, LARGE.name) == ["Discard", "Go on"]
    assert line.note.text() == "100.0 MB are here already; it goes on from there."
    assert line.progress.isHidden()
    line.discard.click()
    assert fetcher.asked[-1] == ("drop", LARGE.name)
    fetcher.error = DownloadError(DownloadProblem.BUSY, LARGE.url)
    line.discard.click()
    assert dialog.note.text() == "Another window is downloading it already."


def test_news_of_a_download_touch_its_row_alone(
    dialog: BackbonesDialog, fetcher: FakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(dialog_module, "entries", lambda *_: pytest.fail("the folders are read once more"))
    for name, line in dialog.list.rows.items():
        monkeypatch.setattr(line, "show_entry", lambda *_given, name=name, **_how: shown.append(name))
    fetcher.say(LARGE.name, Phase.DOWNLOADING, 1, 2)
    assert shown == [LARGE.name]


def test_no_connection_is_one_calm_sentence(dialog: BackbonesDialog, fetcher: FakeFetcher) -> None:
    fetcher.say(LARGE.name, Phase.FAILED, error=DownloadError(DownloadProblem.OFFLINE, LARGE.url))
    assert row(dialog, LARGE.name).note.text() == (
        "There is no connection. What is here goes on working; try again when you are online."
    )
    assert offered(dialog, LARGE.name) == ["Download"]


def test_what_has_landed_is_offered_with_a_word_on_its_speed(
    dialog: BackbonesDialog, fetcher: FakeFetcher, here: list[BundleInfo], session: Session
) -> None:
    land(dialog, here, LARGE, fetcher)
    line = row(dialog, LARGE.name)
    assert offered(dialog, LARGE.name) == ["Remove…", "Use it"]
    assert line.use.property("role") == "primary"
    assert line.note.text().startswith("Slow without a graphics card: about 75 times slower than Photos.")
    line.use.click()
    assert session.document.settings.backbone == LARGE.name
    assert not line.remove.isEnabled(), "it is in use"
    land(dialog, here, SMALL, fetcher)
    assert row(dialog, SMALL.name).note.isHidden(), "that one is fast"


def test_on_a_graphics_card_nothing_is_said_of_speed(
    qtbot: QtBot, session: Session, fetcher: FakeFetcher, here: list[BundleInfo], appearance: Appearance
) -> None:
    dialog = BackbonesDialog(session, fetcher, lambda: False)  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    land(dialog, here, LARGE, fetcher)
    assert row(dialog, LARGE.name).note.isHidden()


def test_removing_is_asked_first(
    dialog: BackbonesDialog, fetcher: FakeFetcher, here: list[BundleInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(dialog, here, SMALL, fetcher)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    row(dialog, SMALL.name).remove.click()
    assert ("remove", SMALL.name) not in fetcher.asked
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    row(dialog, SMALL.name).remove.click()
    assert fetcher.asked[-1] == ("remove", SMALL.name)
    fetcher.error = PermissionError(1, "not allowed")
    row(dialog, SMALL.name).remove.click()
    assert dialog.note.text() == "It could not be removed: not allowed"
    here.pop()
    fetcher.states.clear()
    fetcher.removed.emit(SMALL.name)
    assert offered(dialog, SMALL.name) == ["Download"]


# The keyboard -----------------------------------------------------------------------------------------------


def test_the_keyboard_goes_from_row_to_row_and_keeps_its_place(
    dialog: BackbonesDialog, fetcher: FakeFetcher
) -> None:
    assert dialog.focusWidget() is row(dialog, SMALL.name).download, "what is in use cannot be pressed"
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Down)
    assert dialog.focusWidget() is row(dialog, LARGE.name).download
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Space)
    assert fetcher.asked[-1] == ("start", LARGE.name)
    fetcher.say(LARGE.name, Phase.DOWNLOADING, 1, 2)
    assert dialog.focusWidget() is row(dialog, LARGE.name).cancel
    fetcher.say(LARGE.name, Phase.PAUSED, 1, 2)
    assert dialog.focusWidget() is row(dialog, LARGE.name).download
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Up)
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Up)
    assert dialog.focusWidget() is row(dialog, SMALL.name).download, "there is none above that can be pressed"


def test_the_focus_stays_with_its_backbone_when_the_list_is_made_anew(
    dialog: BackbonesDialog, fetcher: FakeFetcher, here: list[BundleInfo]
) -> None:
    row(dialog, LARGE.name).download.setFocus()
    land(dialog, here, LARGE, fetcher)
    assert dialog.focusWidget() is row(dialog, LARGE.name).use
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isHidden()


# A file -----------------------------------------------------------------------------------------------------


def choose(monkeypatch: pytest.MonkeyPatch, dialog: BackbonesDialog, path: str) -> None:
    def none_of_ours(name: str) -> Any:
        raise BundleError(BundleProblem.NOT_A_BUNDLE, name, "of another program")

    monkeypatch.setattr(dialog_module, "describe_bundle", none_of_ours)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))
    dialog.load.click()


def test_a_file_becomes_a_backbone(
    dialog: BackbonesDialog, fetcher: FakeFetcher, here: list[BundleInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, dialog, "/somewhere/mine.pth")
    assert fetcher.asked[-1] == ("take in", "mine.pth", "")
    assert not dialog.load.isEnabled()
    assert dialog.note.text() == "Reading mine.pth…"
    here.append(replace(PHOTO, name="mine", title="mine", path=USER / "mine.safetensors"))
    fetcher.landed.emit(here[-1])
    fetcher.ends[-1][0](here[-1])
    assert dialog.note.text() == "mine is here."
    assert dialog.focusWidget() is row(dialog, "mine").use
    assert "brought here by you" in row(dialog, "mine").accessibleName()


def test_what_does_not_fit_is_told_part_by_part_and_can_be_tried_as_another_network(
    dialog: BackbonesDialog, fetcher: FakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, dialog, "/somewhere/mine.pth")
    report = FitReport(
        False, ("a.weight",), ("b.bias",), (("c", (), (3, 4)),), {"kind": "timm", "model": "vit"}
    )
    named = {"kind": "torchvision", "model": "resnet50"}
    fetcher.ends[-1][1](DoesNotFitError(Path("/somewhere/mine.pth"), named, report))
    shown = dialog.report
    assert not shown.isHidden()
    assert shown.title.text() == "mine.pth does not fit"
    assert "torchvision:resnet50" in shown.words.text()
    assert shown.details.toPlainText().splitlines() == [
        "c: a single number in the file, 3 × 4 in the network",
        "a.weight: missing from the file",
        "b.bias: unknown to the network",
    ]
    assert shown.network.text() == "timm:vit", "what they look like"
    assert dialog.focusWidget() is shown.network
    QTest.keyClick(shown.network, Qt.Key.Key_Return)
    assert not dialog.isHidden(), "Return is not Close"
    assert fetcher.asked[-1] == ("take in", "mine.pth", "timm:vit")
    fetcher.ends[-1][1](DoesNotFitError(Path("/somewhere/mine.pth")))
    assert "resemble no network" in dialog.report.words.text()
    assert dialog.report.details.isHidden()
    assert not dialog.report.again.isEnabled()


def test_a_misspelt_network_can_be_corrected(
    dialog: BackbonesDialog, fetcher: FakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line to correct it in went away, and the file had to be chosen once more."""
    choose(monkeypatch, dialog, "/somewhere/mine.pth")
    fetcher.ends[-1][1](DoesNotFitError(Path("/somewhere/mine.pth")))
    dialog.report.network.setText("timm:resnet5O")
    QTest.keyClick(dialog.report.network, Qt.Key.Key_Return)
    fetcher.ends[-1][1](ForeignWeightsError(ForeignProblem.CANNOT_BUILD, "/somewhere/mine.pth", "resnet5O"))
    assert not dialog.report.isHidden()
    assert "resnet5O" in dialog.report.words.text()
    assert dialog.focusWidget() is dialog.report.network
    assert dialog.report.network.text() == "timm:resnet5O"
    assert dialog.note.isHidden()


def test_an_onnx_model_is_taken_with_a_word_on_its_pictures(
    dialog: BackbonesDialog, fetcher: FakeFetcher, here: list[BundleInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, dialog, "/somewhere/mine.onnx")
    info = replace(PHOTO, name="mine", architecture={"kind": "onnx"}, path=USER / "mine.safetensors")
    here.append(info)
    fetcher.landed.emit(info)
    fetcher.ends[-1][0](info)
    assert "--mean" in dialog.note.text()


def test_a_file_that_is_no_weights_is_told_in_one_sentence(
    dialog: BackbonesDialog, fetcher: FakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, dialog, "/somewhere/page.pth")
    fetcher.ends[-1][1](ForeignWeightsError(ForeignProblem.WEB_PAGE, "/somewhere/page.pth", "?"))
    assert dialog.note.text().startswith("This is a web page that was saved in place of the file.")
    assert dialog.report.isHidden()
    asked = len(fetcher.asked)
    choose(monkeypatch, dialog, "")
    assert len(fetcher.asked) == asked


def test_one_of_this_program_is_used_where_it_lies(
    dialog: BackbonesDialog, fetcher: FakeFetcher, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialog_module, "describe_bundle", lambda _name: PHOTO)
    dialog.load_file("/somewhere/else.safetensors")
    assert session.document.settings.backbone == "/somewhere/else.safetensors"
    assert len(fetcher.ends) == 0


def test_a_damaged_one_is_not_used(
    dialog: BackbonesDialog, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> Any:
        raise BundleError(BundleProblem.DAMAGED, name, "torn")

    monkeypatch.setattr(dialog_module, "describe_bundle", broken)
    row(dialog, "omniglot-conv4").use.click()
    assert dialog.note.text() == "This backbone cannot be used: torn"
    assert session.document.settings.backbone == "photo"


# Its end ----------------------------------------------------------------------------------------------------


def test_a_dialog_that_is_gone_hears_nothing(
    session: Session, fetcher: FakeFetcher, here: list[BundleInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = BackbonesDialog(session, fetcher, lambda: True)  # type: ignore[arg-type]
    choose(monkeypatch, gone, "/somewhere/mine.pth")
    shiboken6.delete(gone)
    assert not fetcher.changed._listeners
    fetcher.ends[-1][0](PHOTO)
    fetcher.say(LARGE.name, Phase.DOWNLOADING, 1, 2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_small_screen(dialog: BackbonesDialog, appearance: Appearance, theme: Any) -> None:
    appearance.choose(theme)
    assert dialog.minimumSizeHint().width() <= 1366
    assert dialog.minimumSizeHint().height() <= 700
    assert not dialog.grab().isNull()
