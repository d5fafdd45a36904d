"""The power goes: a program that is killed at any moment loses at most what it was just doing."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.command_codec import decode
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.timeline import Timeline
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Says each action before it is done, and "saved" once all of them are on disk; never ends by itself.
PERSON = """
import json, os, random, sys
from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.command_codec import encode, kind_of
from fewshot_gui.engine.commands import *
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.engine.worker import Worker

def say(*words):
    sys.stdout.write(json.dumps(words) + "\\n")
    sys.stdout.flush()

def command():
    category = CategoryId(str(chance.randrange(6)))
    kind = chance.randrange(10)
    if kind < 2:
        return AddCategory(category, f"name {category}")
    if kind < 6:
        picture = PictureId(f"{chance.getrandbits(128):032x}")
        session.keep_picture(StoredPicture(picture, os.urandom(chance.randrange(9000)), os.urandom(500)))
        return AddExamples(category, (Example(picture, "camera"),))
    return (RenameCategory(category, f"other {chance.random()}"), SetThreshold(chance.random()),
            SetThreshold(None), RemoveCategory(category))[kind - 6]

path, seed = sys.argv[1:]
chance = random.Random(int(seed))
session = Session.open(path, Worker("disk", lambda call: None))
say("open")
while True:
    for _ in range(chance.choice((1, 1, 1, 2, 20))):
        action = chance.choice(("do", "do", "do", "undo", "redo"))
        if action != "do":
            say(action)
            getattr(session, action)()
            continue
        new = command()
        try:
            new.apply(session.document)
        except CommandError:
            continue
        say("do", kind_of(new), encode(new))
        session.do(new)
    assert session.flush()
    say("saved")
"""


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("disk", lambda call: call())
    yield worker
    assert worker.close(30)


def words_until_killed(path: Path, seed: int, lines: int) -> list[list[Any]]:
    """What the program said; it is killed as soon as it has said so many lines."""
    command = [sys.executable, "-c", PERSON, str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as person:
        assert person.stdout is not None
        said = [person.stdout.readline() for _ in range(lines)]
        person.kill()
        said += person.stdout.readlines()
    assert said[0] == '["open"]\n'
    return [json.loads(line) for line in said if line.endswith("\n")]


def act(timeline: Timeline, words: list[Any]) -> None:
    if words[0] == "do":
        timeline.do(decode(words[1], words[2]))
    elif words[0] == "undo" and timeline.undo_command:
        timeline.undo()
    elif words[0] == "redo" and timeline.redo_command:
        timeline.redo()


def check_pages(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def check_against(timeline: Timeline, said: list[list[Any]], session: Session) -> None:
    """The file holds all that was saved, and of the rest the beginning; the timeline then does too."""
    last_saved = max((index for index, words in enumerate(said) if words == ["saved"]), default=0)
    for words in said[: last_saved + 1]:
        act(timeline, words)
    expected = [timeline.document, timeline.undo_command, timeline.redo_command]
    for words in said[last_saved + 1 :]:
        if expected == [session.document, session.undo_command, session.redo_command]:
            break
        act(timeline, words)
        expected = [timeline.document, timeline.undo_command, timeline.redo_command]
    assert expected == [session.document, session.undo_command, session.redo_command]


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_program_loses_at_most_what_was_in_flight(tmp_path: Path, worker: Worker, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "a.fewshot"
    assert Session.create(path, worker).close()
    timeline = Timeline()
    for round_ in range(8):
        said = words_until_killed(path, seed * 100 + round_, chance.randrange(1, 80))
        session = Session.open(path, worker)
        check_against(timeline, said, session)
        assert all(session.picture(picture) for picture in session.document.pictures())
        assert all(session.original(picture) for picture in session.document.pictures())
        assert session.close()
        check_pages(path)
    assert len(timeline) > 0


ONE_UNDO = """
import sys
from fewshot_gui.engine.commands import *
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.worker import Worker
session = Session.create(sys.argv[1], Worker("disk", lambda call: None))
session.do(AddCategory("a", "a"))
session.do(AddCategory("b", "b"))
session.undo()
assert session.flush()
print("saved", flush=True)
sys.stdin.read()
"""


def test_an_undo_survives_a_kill(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "a.fewshot"
    with subprocess.Popen(
        [sys.executable, "-c", ONE_UNDO, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as person:
        assert person.stdout is not None
        assert person.stdout.readline() == "saved\n"
        person.kill()
    session = Session.open(path, worker)
    assert [category.name for category in session.document.categories] == ["a"]
    session.redo()
    assert [category.name for category in session.document.categories] == ["a", "b"]
    assert session.close()


CREATE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from fewshot_gui.engine.session_schema import create
print("begun", flush=True)
for number in itertools.count():
    create(Path(sys.argv[1]) / f"{number}.fewshot")
"""


def test_a_kill_while_creating_leaves_whole_sessions_only(tmp_path: Path, worker: Worker) -> None:
    for round_ in range(5):
        folder = tmp_path / str(round_)
        folder.mkdir()
        command = [sys.executable, "-c", CREATE_FOR_EVER, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as person:
            assert person.stdout is not None
            assert person.stdout.readline() == "begun\n"
            while len(list(folder.glob("*.fewshot"))) <= round_:
                assert person.poll() is None
            person.kill()
        for path in sorted(folder.glob("[0-9]*.fewshot")):
            session = Session.open(path, worker)
            assert not session.can_undo
            assert session.close()
