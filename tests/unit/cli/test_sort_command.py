"""`fewshot-gui sort`: plan, apply, undo, recover, receipt; a plan alone writes nothing."""

from __future__ import annotations

import csv
import hashlib
import json
import ntpath
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli import sort_plan, sort_runs
from fewshot_gui.cli.main import main
from fewshot_gui.cli.sort_words import CONFLICTS, REASONS, conflict_words, count_words
from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.engine.exports.csv_table import write_csv
from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.sorting import transfer
from fewshot_gui.engine.sorting.journal import Journal, journal_path
from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind, Machine, Plan, SameName, Way
from fewshot_gui.engine.sorting.states import Reason
from fewshot_gui.engine.sorting.transfer import Hooks

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.receipt import Receipt


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in root.rglob("*")
    }


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four files, and in labels.csv what they are."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jpg", "a.xmp", "b.jpg", "c.jpg", "d.jpg"):
        (folder / name).write_text(f"content of {name}")
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ("path", "predicted", "probability"),
                (folder / "a.jpg", "cats", "0.9"),
                (folder / "b.jpg", "dogs?", "0.6"),
                (folder / "c.jpg", "", "0.5"),
                (folder / "gone.jpg", "cats", "1.0"),
            ]
        )
    return tmp_path


def plan_words(pictures: Path, *more: str) -> list[str]:
    return ["sort", "plan", "--labels", str(pictures / "labels.csv"), "--to", str(pictures / "to"), *more]


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    values = json.loads(capsys.readouterr().out)
    assert isinstance(values, dict)
    return values


def test_a_plan_tells_all_and_writes_nothing(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(pictures)
    assert main(plan_words(pictures)) == 0
    words = capsys.readouterr().out
    assert contents(pictures) == before
    assert not journal_path().exists()
    assert f"{pictures}/in/a.jpg -> {pictures}/to/cats/a.jpg" in words
    assert f"{pictures}/in/a.xmp -> {pictures}/to/cats/a.xmp" in words
    assert f"{pictures}/in/b.jpg -> {pictures}/to/dogs_/b.jpg" in words
    assert f"{pictures}/in/gone.jpg: is not there any more" in words
    assert "cats: 1 picture and 1 file with them" in words
    assert "dogs?: gets a folder whose name every system takes: dogs_" in words
    assert "gets a folder whose name every system takes: 1 category\n" in words
    assert "is not there any more: 1 file\n" in words
    assert "3 files to go (copy), 1 to stay; nothing has been done yet" in words


def test_a_plan_writes_itself_alone(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(pictures)
    out = pictures / "plan.json"
    assert main(plan_words(pictures, "--out", str(out), "--way", "move", "--json")) == 0
    values = said(capsys)
    plan = Plan.from_json(out.read_text())
    assert contents(pictures).keys() - before.keys() == {"plan.json"}
    assert plan.way is Way.MOVE
    assert (values["run"], values["files"], values["left_out"]) == (plan.id, 3, 1)
    assert values["plan"] == [[file.source, file.target] for file in plan.files]
    assert main(plan_words(pictures, "--out", str(out))) == 2
    assert Plan.from_json(out.read_text()) == plan


def test_only_what_is_sure(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(plan_words(pictures, "--sure", "0.7", "--json")) == 0
    assert said(capsys)["categories"] == {
        "cats": {"folder": str(pictures / "to" / "cats"), "pictures": 1, "companions": 1}
    }


def test_what_is_not_sure_is_counted(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = "not in the plan, as none of these or less sure than --sure: "
    assert main(plan_words(pictures, "--sure", "0.999")) == 0
    assert left in capsys.readouterr().out
    assert main(plan_words(pictures, "--sure", "0.999", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["unsure"] > 0


def test_too_little_room_is_told_with_how_much_is_missing() -> None:
    conflict = Conflict("a.jpg", ConflictKind.NO_SPACE, "4096")
    assert conflict_words(conflict) == "stays, as there is not enough room on the disk: 4.1 KB missing"
    assert count_words(ConflictKind.NO_SPACE, 2) == "stays, as there is not enough room on the disk: 2 files"


def test_a_taken_name_is_renamed_or_skipped(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "to" / "cats").mkdir(parents=True)
    (pictures / "to" / "cats" / "a.jpg").write_text("another")
    main(plan_words(pictures, "--json"))
    assert [f"{pictures}/in/a.jpg", f"{pictures}/to/cats/a (2).jpg"] in said(capsys)["plan"]  # type: ignore[operator]
    main(plan_words(pictures, "--json", "--same-name", "skip"))
    assert said(capsys)["files"] == 1


def test_paths_of_a_table_are_found_from_here_too(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pictures / "tables").mkdir()
    table = pictures / "tables" / "labels.csv"
    table.write_text("path,predicted,probability\nin/a.jpg,cats,0.9\n")
    monkeypatch.chdir(pictures)
    out = pictures / "plan.json"
    assert main(["sort", "plan", "--labels", str(table), "--to", "to", "--out", str(out)]) == 0
    assert Plan.from_json(out.read_text()).files[0].source == str(pictures / "in" / "a.jpg")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sure", "2"], "between 0 and 1"),
        (["--support", "/x"], "give either"),
        (["--out", "/nowhere/plan.json"], "make it first"),
        (["--labels", "/nowhere.csv"], "/nowhere.csv"),
    ],
)
def test_bad_use_is_one_line(
    pictures: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert main(plan_words(pictures, *more)) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert len(told.err.splitlines()) == 1
    assert not told.out


def test_a_destination_that_cannot_be_used_is_told(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "to").write_text("a file")
    assert main(plan_words(pictures)) == 1
    assert "cannot be used" in capsys.readouterr().out


def test_who_decided_when_and_with_which_weights_goes_from_the_table_into_the_receipt(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at, out = "2026-01-02T03:04:05+00:00", pictures / "plan.json"
    (pictures / "labels.csv").unlink()
    picture = str(pictures / "in" / "a.jpg")
    rows = [Labelled(picture, "cats", SaidBy.ACCEPTED, 0.9, at, "ridge", "photo", "0123456789abcdef")]
    write_csv(pictures / "labels.csv", rows)
    assert main(plan_words(pictures, "--way", "sidecar", "--out", str(out))) == 0
    [file] = Plan.from_json(out.read_text()).files
    assert (file.by, file.at, file.machine) == ("accepted", at, Machine("ridge", "photo", "0123456789abcdef"))
    assert main(["sort", "apply", str(out), "--dry-run"]) == 0
    assert main(["sort", "apply", str(out)]) == 0
    capsys.readouterr()
    assert main(["sort", "receipt", "--last", "--json"]) == 0
    receipt = said(capsys)
    line = dict(zip(receipt["columns"], receipt["files"][0], strict=True))  # type: ignore[call-overload,index]
    assert (line["at"], line["weights"]) == (at, "0123456789abcdef")
    assert at in (pictures / "in" / "a.jpg.xmp").read_text()


def test_examples_in_place_of_a_table(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = tmp_path / "query"
    query.mkdir()
    for name in ("red", "blue"):
        (data / name / "5.png").rename(query / f"{name}.png")
    words = ["sort", "plan", "--support", str(data), "--query", str(query), "--to", str(tmp_path / "to")]
    assert main([*words, "--backbone", str(mean_colour), "--threshold", "1", "--json"]) == 0
    targets = {target.removeprefix(f"{tmp_path}/to/") for _source, target in said(capsys)["plan"]}  # type: ignore[attr-defined]
    assert targets == {"red/red.png", "blue/blue.png"}
    out = tmp_path / "plan.json"
    assert main([*words, "--backbone", str(mean_colour), "--threshold", "1", "--out", str(out)]) == 0
    [machine] = {file.machine for file in Plan.from_json(out.read_text()).files}
    assert machine == Machine("mahalanobis", str(mean_colour), describe_bundle(mean_colour).hash)
    assert all(datetime.fromisoformat(file.at).tzinfo for file in Plan.from_json(out.read_text()).files)


def test_a_picture_that_cannot_be_read_is_told_and_counted(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = tmp_path / "query"
    query.mkdir()
    (data / "red" / "5.png").rename(query / "red.png")
    (query / "broken.png").write_bytes(b"broken")
    words = ["sort", "plan", "--support", str(data), "--query", str(query), "--to", str(tmp_path / "to")]
    assert main([*words, "--backbone", str(mean_colour), "--threshold", "1", "--json"]) == 1
    told = capsys.readouterr()
    assert (json.loads(told.out)["files"], json.loads(told.out)["problems"]) == (1, 1)
    assert "broken.png" in told.err


def test_a_category_and_none_of_these_go_to_the_trash_and_come_home(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = contents(pictures / "in"), pictures / "plan.json"
    more = ["--way", "move", "--trash", "cats", "--trash-none", "--out", str(out)]
    assert main(plan_words(pictures, *more)) == 0
    words = capsys.readouterr().out
    assert f"{pictures}/in/a.jpg -> the trash" in words
    assert f"{pictures}/in/c.jpg -> the trash" in words
    assert "1 file to go (move), 3 to the trash, 1 to stay" in words
    assert main(["sort", "apply", str(out), "--dry-run"]) == 0
    assert "3 to the trash" in capsys.readouterr().out
    assert contents(pictures / "in") == before

    assert main(["sort", "apply", str(out)]) == 0
    assert "4 done, 3 of them in the trash" in capsys.readouterr().out
    assert contents(pictures / "in").keys() == {"d.jpg"}
    kept = [path for path in (journal_path().parent / "quarantine").rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == ["a.jpg", "a.xmp", "c.jpg"]
    assert main(["sort", "undo", "--last"]) == 0
    assert contents(pictures / "in") == before


def test_what_the_machine_calls_none_of_these_is_not_thrown_away_where_it_must_be_sure(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(plan_words(pictures, "--sure", "0.4", "--trash-none")) == 0
    assert "the trash" not in capsys.readouterr().out
    assert main(plan_words(pictures, "--trash", "nobody")) == 0
    assert "--trash nobody: no picture belongs to it" in capsys.readouterr().err
    assert main(plan_words(pictures, "--way", "sidecar", "--trash-none")) == 2


def test_every_conflict_and_reason_has_words_of_its_own() -> None:
    assert set(CONFLICTS) == set(ConflictKind)
    assert set(REASONS) == set(Reason)
    assert len(set(CONFLICTS.values())) == len(ConflictKind)


# Runs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(pictures: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    out = pictures / "plan.json"
    assert main(plan_words(pictures, "--way", "move", "--out", str(out))) == 0
    capsys.readouterr()
    return out


def test_a_dry_run_writes_nothing_not_even_a_journal(
    plan: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MediaDash#10: a dry run moved files anyway."""
    before = contents(pictures)
    assert main(["sort", "apply", str(plan), "--dry-run"]) == 0
    assert "3 files to go (move), 0 to stay; nothing has been done yet" in capsys.readouterr().out
    (pictures / "in" / "b.jpg").write_text("changed since")
    before = contents(pictures)
    assert main(["sort", "apply", str(plan), "--dry-run"]) == 1
    assert "was changed since" in capsys.readouterr().out
    assert contents(pictures) == before
    assert not journal_path().exists()


def test_apply_then_undo_is_as_before(plan: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(pictures / "in")
    assert main(["sort", "apply", str(plan)]) == 0
    assert contents(pictures / "to").keys() == {"cats", "cats/a.jpg", "cats/a.xmp", "dogs_", "dogs_/b.jpg"}
    assert contents(pictures / "in").keys() == {"c.jpg", "d.jpg"}
    assert "3 done" in capsys.readouterr().out
    assert main(["sort", "undo", "--last"]) == 0
    assert "3 taken back" in capsys.readouterr().out
    assert contents(pictures / "in") == before
    assert not (pictures / "to" / "cats").exists()


def test_single_files_are_taken_back(plan: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sort", "apply", str(plan)])
    assert main(["sort", "undo", "--last", str(pictures / "to" / "dogs_" / "b.jpg")]) == 0
    assert (pictures / "in" / "b.jpg").exists()
    assert (pictures / "to" / "cats" / "a.jpg").exists()
    run = Plan.from_json(plan.read_text()).id
    assert main(["sort", "undo", run[:8], str(pictures / "in" / "nobody.jpg")]) == 2
    assert "is no file of run" in capsys.readouterr().err


def test_the_exit_code_of_undo_is_about_what_came_back(plan: Path, pictures: Path) -> None:
    """Not about what had not gone when the plan was applied."""
    (pictures / "in" / "b.jpg").unlink()
    assert main(["sort", "apply", str(plan)]) == 1
    (pictures / "to" / "cats" / "a.jpg").write_text("worked on since")
    assert main(["sort", "undo", "--last", str(pictures / "to" / "cats" / "a.xmp")]) == 0
    assert main(["sort", "undo", "--last"]) == 1
    (pictures / "to" / "cats" / "a.jpg").unlink()
    assert main(["sort", "undo", "--last"]) == 1


def test_a_file_of_a_run_that_was_stopped_comes_back_without_a_word_of_that(
    plan: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "BATCH_FILES", 1)
    real = sort_runs.apply_plan

    def stopped(plan: Plan, journal: Journal, hooks: Hooks, same_name: SameName) -> Receipt:
        told: list[int] = []
        stopping = Hooks(progress=lambda done, *_: told.append(done), cancelled=lambda: 2 in told)
        return real(plan, journal, stopping, same_name)

    monkeypatch.setattr(sort_runs, "apply_plan", stopped)
    assert main(["sort", "apply", str(plan)]) == 130
    assert main(["sort", "undo", "--last", str(pictures / "in" / "a.jpg")]) == 0
    assert (pictures / "in" / "a.jpg").is_file()


def test_a_category_that_is_no_unicode_goes_all_the_way(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = pictures / "labels.csv", pictures / "plan.json"
    table.write_bytes(b"path,category\nin/d.jpg,caf\xe9\n")
    assert main(plan_words(pictures, "--out", str(out))) == 0
    assert "caf?: 1 picture" in capsys.readouterr().out
    assert main(["sort", "apply", str(out)]) == 0
    assert main(["sort", "receipt", "--last"]) == 0
    assert [path.name for path in (pictures / "to").rglob("*.jpg")] == ["d.jpg"]


def test_a_table_on_another_drive_than_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no relative path from one drive to another."""
    with monkeypatch.context() as windows:
        windows.setattr(os, "path", ntpath)
        found = sort_plan._place("D:\\gone\\a.jpg", Path("C:\\tables"))
    assert found == "D:\\gone\\a.jpg"


def test_a_receipt_in_words_as_json_and_as_a_table(
    plan: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sort", "apply", str(plan)])
    run = Plan.from_json(plan.read_text()).id
    capsys.readouterr()
    assert main(["sort", "receipt", run]) == 0
    assert f"done: {pictures}/in/a.jpg -> {pictures}/to/cats/a.jpg" in capsys.readouterr().out
    assert main(["sort", "receipt", "--last", "--json"]) == 0
    assert len(said(capsys)["files"]) == 3  # type: ignore[arg-type]
    table = pictures / "receipt.csv"
    assert main(["sort", "receipt", "--last", "--csv", str(table)]) == 0
    with table.open(newline="", encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert main(["sort", "receipt", "--last", "--csv", str(table)]) == 2  # nothing is overwritten


@pytest.mark.parametrize("words", [["undo", "--last"], ["receipt", "--last"], ["receipt", "0123"]])
def test_without_a_run_nothing_is_made(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sort", *words]) == 2
    assert "there is no run" in capsys.readouterr().err
    assert not journal_path().exists()


def test_recover_has_nothing_to_do_before_and_after(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {"finished": 0, "put_back": 0, "left": 0, "rolled_back": [], "resumable": []}
    assert main(["sort", "recover", "--json"]) == 0
    assert said(capsys) == nothing
    assert not journal_path().exists()
    main(["sort", "apply", str(plan)])
    capsys.readouterr()
    assert main(["sort", "recover", "--json"]) == 0
    assert said(capsys) == nothing


def test_a_run_must_be_named_and_known(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sort", "apply", str(plan)])
    for words in (["receipt"], ["receipt", "zz"]):
        assert main(["sort", *words]) == 2
    assert "name a run" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_what_is_no_plan_is_not_applied(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text)
    for more in ([], ["--dry-run"]):
        assert main(["sort", "apply", str(wrong), *more]) == 2
    assert "not a plan" in capsys.readouterr().err
