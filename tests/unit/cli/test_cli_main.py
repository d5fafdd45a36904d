"""The one parser: help, bad use, errors in one line or, when asked for, with their traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fewshot_gui import __main__ as program
from fewshot_gui.cli import models
from fewshot_gui.cli.main import COMMANDS, build_parser, main
from fewshot_gui.cli.options import told_device


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    words = capsys.readouterr().out
    assert "--json" in words
    assert f"fewshot-gui {command}" in words


def test_the_help_of_the_program_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    words = capsys.readouterr().out
    assert all(command in words for command in COMMANDS)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ([], ""),
        (["imaginary"], ""),
        (["classify"], " classify"),
        (["models"], " models"),
        (["sort", "plan"], " sort plan"),
    ],
)
def test_bad_use_is_one_line_that_names_the_command_and_exits_with_two(
    wrong: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fewshot-gui{named}: ")
    assert line.endswith(f"fewshot-gui{named} --help says more")


def test_an_error_names_the_action_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sort", "undo", "--last"]) == 2
    assert capsys.readouterr().err.startswith("fewshot-gui sort undo: nothing was sorted yet")


def test_the_help_says_how_the_window_opens_and_what_the_exit_codes_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    words = capsys.readouterr().out
    assert all(each in words for each in ("[SESSION]", "--sample", "--report", "130 interrupted"))


def test_a_traceback_only_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", "imaginary"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["models", "--debug", "info", "imaginary"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "run", interrupt)
    assert main(["models", "list"]) == 130
    monkeypatch.setattr("fewshot_gui.cli.main.build_parser", interrupt)
    assert main(["models", "list"]) == 130
    assert capsys.readouterr().err == "interrupted\n" * 2


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_parser_of_one_command_takes_its_json_flag(command: str) -> None:
    assert build_parser(command).prog == "fewshot-gui"


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ([], True),
        (["my session.fewshot"], True),
        (["--sample"], True),
        (["classify"], False),
        (["--help"], False),
        (["clasify"], False),  # misspelt
        (["models", "list"], False),
    ],
)
def test_the_first_word_decides_between_window_and_command(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], window: bool
) -> None:
    from fewshot_gui.cli import main as commands
    from fewshot_gui.gui import app

    called: list[str] = []
    monkeypatch.setattr(sys, "argv", ["fewshot-gui", *arguments])
    monkeypatch.setattr(app, "main", lambda _arguments: called.append("window") or 0)
    monkeypatch.setattr(commands, "main", lambda _arguments: called.append("command") or 0)
    assert program.main() == 0
    assert called == ["window" if window else "command"]


@pytest.mark.parametrize(("command", "kept"), [("train", 1), ("evaluate", 1), ("classify", 0), ("models", 0)])
def test_what_computes_until_it_ends_keeps_its_memory(
    command: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a setting of the whole process, which neither a window nor a caller of `main` may be given."""
    calls: list[str] = []
    monkeypatch.setattr(
        "fewshot_gui.core.training.kept_memory.keep_freed_memory", lambda: calls.append("kept")
    )
    monkeypatch.setattr("fewshot_gui.cli.main.main", lambda _: 0)
    monkeypatch.setattr(sys, "argv", ["fewshot-gui", command])
    assert program.main() == 0
    assert len(calls) == kept


def test_help_needs_neither_torch_nor_qt() -> None:
    code = (
        "import sys; sys.argv = ['fewshot-gui', 'models', 'list'];"
        "from fewshot_gui.__main__ import main; main();"
        "sys.exit(bool({'torch', 'PySide6'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


def test_a_thread_that_does_not_end_holds_nobody_up() -> None:
    code = (
        "import sys, threading; from fewshot_gui.engine.worker import Worker;"
        "from fewshot_gui.gui import app; from fewshot_gui.__main__ import main;"
        "app.main = lambda _: print('kept') or Worker('stuck', lambda call: call()).threads + 2;"
        "sys.argv = ['fewshot-gui']; main(); print('not reached')"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout.split()) == (3, [b"kept"]), ended.stderr


def test_a_device_that_is_not_there_is_told_and_the_processor_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fewshot_gui.cli.options.choose_device", lambda _wanted: "cpu")
    assert told_device("cuda") == "cpu"
    assert "no cuda device" in capsys.readouterr().err
    assert told_device("auto") == "cpu"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["classify", "evaluate", "train"])
def test_a_device_nobody_knows_is_bad_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser(command).parse_args([command, "--device", "abacus"])
    assert ended.value.code == 2
    assert "cuda" in capsys.readouterr().err
