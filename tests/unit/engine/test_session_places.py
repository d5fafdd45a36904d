"""Where sessions lie: the recent ones, and a free name for a new one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot_gui.engine.session_places import (
    MOST_RECENT,
    SUFFIX,
    is_same_file,
    moved_along,
    new_session_path,
    note_session,
    recent_sessions,
)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, which is not made yet."""
    folder = tmp_path / "data"
    monkeypatch.setenv("FEWSHOT_DATA", str(folder))
    return folder


def sessions(folder: Path, *names: str) -> list[str]:
    made = [folder / f"{name}{SUFFIX}" for name in names]
    for path in made:
        path.touch()
    return [str(path) for path in made]


def test_at_first_there_is_none() -> None:
    assert recent_sessions() == []


def test_the_session_used_last_comes_first_and_once(tmp_path: Path) -> None:
    one, two, three = sessions(tmp_path, "one", "two", "ü drei")
    for path in (one, two, three, one):
        note_session(path)
    assert recent_sessions() == [one, three, two]


def test_what_is_gone_is_not_offered(tmp_path: Path) -> None:
    one, two = sessions(tmp_path, "one", "two")
    note_session(one)
    note_session(two)
    Path(two).unlink()
    assert recent_sessions() == [one]


def test_only_some_are_kept(tmp_path: Path) -> None:
    made = sessions(tmp_path, *map(str, range(MOST_RECENT + 5)))
    for path in made:
        note_session(path)
    assert recent_sessions() == made[: -MOST_RECENT - 1 : -1]


@pytest.mark.parametrize("text", ["", "{", "null", "3", '{"a": 1}', "[3, null, []]", "\x00\xff"])
def test_a_damaged_list_costs_nothing(data: Path, tmp_path: Path, text: str) -> None:
    data.mkdir()
    (data / "recent.json").write_text(text, encoding="latin-1")
    assert recent_sessions() == []
    (one,) = sessions(tmp_path, "one")
    note_session(one)
    assert recent_sessions() == [one]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_whatever_the_list_holds_only_files_are_offered(data: Path, listed: object) -> None:
    data.mkdir(exist_ok=True)
    (data / "recent.json").write_text(json.dumps(listed), encoding="utf-8")
    assert all(Path(path).is_file() for path in recent_sessions())


def test_a_folder_that_cannot_be_written_is_no_error(data: Path, tmp_path: Path) -> None:
    data.write_text("in the way")
    note_session(*sessions(tmp_path, "one"))
    assert recent_sessions() == []


def test_a_name_is_not_free_while_the_log_of_a_deleted_session_has_it(data: Path) -> None:
    new_session_path().with_name(f"Untitled{SUFFIX}-wal").touch()
    assert new_session_path() == data / "sessions" / f"Untitled 2{SUFFIX}"


def test_a_new_session_gets_the_first_free_name(data: Path) -> None:
    first = new_session_path()
    assert first == data / "sessions" / f"Untitled{SUFFIX}"
    assert first.parent.is_dir()
    assert not first.exists()
    first.touch()
    assert new_session_path().name == f"Untitled 2{SUFFIX}"
    new_session_path().touch()
    assert new_session_path().name == f"Untitled 3{SUFFIX}"
    first.unlink()
    assert new_session_path() == first


def test_without_a_place_for_it_there_is_no_new_session(data: Path) -> None:
    data.write_text("in the way")
    with pytest.raises(OSError, match="data"):
        new_session_path()


def test_a_folder_that_may_not_be_entered_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = sessions(tmp_path, "one")
    note_session(one)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    assert recent_sessions() == []


def test_a_full_disk_leaves_the_former_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = sessions(tmp_path, "one", "two")
    note_session(one)

    def fill(path: Path, *_: object, **__: object) -> None:
        path.write_bytes(b"[")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fill)
    note_session(two)
    assert recent_sessions() == [one]


def test_one_file_under_two_names_is_one_session(tmp_path: Path) -> None:
    one, two = sessions(tmp_path, "one", "two")
    assert is_same_file(one, str(tmp_path / "." / "one.fewshot"))
    assert not is_same_file(one, two)
    assert not is_same_file(one, str(tmp_path / "gone.fewshot"))


@pytest.mark.parametrize(
    ("folder", "former", "session", "now"),
    [
        ("/home/ann/trip/photos", "/home/ann/trip/s.fewshot", "usb/trip/s.fewshot", "usb/trip/photos"),
        ("/home/ann/photos", "/home/ann/work/s.fewshot", "usb/work/s.fewshot", "usb/photos"),
        ("/home/ann/trip", "/home/ann/trip/s.fewshot", "usb/s.fewshot", "usb"),
        ("D:\\trip\\photos\\raw", "D:\\trip\\s.fewshot", "usb/s.fewshot", "usb/photos/raw"),
        ("D:\\photos", "D:\\s.fewshot", "usb/s.fewshot", "usb/photos"),
    ],
)
def test_a_folder_that_was_moved_with_its_session_is_found(
    tmp_path: Path, folder: str, former: str, session: str, now: str
) -> None:
    (tmp_path / now).mkdir(parents=True)
    assert moved_along(folder, former, str(tmp_path / session)) == str(tmp_path / now)


@pytest.mark.parametrize(
    ("folder", "former"),
    [
        ("/home/ann/trip/photos", "/home/ann/trip/s.fewshot"),  # nothing of that name beside the session
        ("E:\\photos", "D:\\s.fewshot"),
        ("D:\\photos", "/home/ann/s.fewshot"),
    ],
)
def test_a_folder_that_is_nowhere_keeps_its_name(tmp_path: Path, folder: str, former: str) -> None:
    assert moved_along(folder, former, str(tmp_path / "s.fewshot")) == folder


def test_a_folder_that_is_where_it_was_is_not_taken_for_another(tmp_path: Path) -> None:
    for each in ("here", "there"):
        (tmp_path / each / "photos").mkdir(parents=True)
    here = str(tmp_path / "here" / "photos")
    former, copy = str(tmp_path / "here" / "s.fewshot"), str(tmp_path / "there" / "s.fewshot")
    assert moved_along(here, former, copy) == here


def test_a_session_that_was_not_moved_asks_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.isdir", lambda _path: pytest.fail("a network folder may hang"))
    assert moved_along("/far/photos", "/home/ann/s.fewshot", "/home/ann/s.fewshot") == "/far/photos"


def test_a_session_on_a_drive_that_is_away_is_offered_again_when_that_is_back(tmp_path: Path) -> None:
    """One start without the drive, and all its categories seemed lost."""
    drive = tmp_path / "drive"
    drive.mkdir()
    (away,) = sessions(drive, "holiday")
    (here,) = sessions(tmp_path, "here")
    note_session(away)
    drive.rename(tmp_path / "unplugged")
    note_session(here)
    assert recent_sessions() == [here]
    (tmp_path / "unplugged").rename(drive)
    assert recent_sessions() == [here, away]
