"""An export in a process of its own: what it is given, and what it says."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fewshot_gui.core.backbones.bundle_info import BundleInfo
from fewshot_gui.core.images.resize import resize_whole
from fewshot_gui.engine.exports import model, model_task, use_model
from fewshot_gui.engine.exports.model_task import ModelReply, ModelTask, command, export

COLOURS = {"rot": (200, 30, 30), "grün": (30, 170, 40)}


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))


@pytest.fixture
def task(mean_colour: Path, tmp_path: Path) -> ModelTask:
    """Two categories of three pictures each, one of which has no file."""
    from fewshot_gui.core.backbones.bundle import load_bundle
    from fewshot_gui.core.images.reader import read_image

    bundle, generator = load_bundle(str(mean_colour)), np.random.default_rng(0)
    paths, rows = [], []
    for name, colour in COLOURS.items():
        for number in range(3):
            path = tmp_path / f"{name}{number}.png"
            pixels = np.clip(np.array(colour) + generator.integers(-15, 16, (24, 24, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            paths.append(str(path))
            rows.append(bundle.embed(bundle.preprocessing.prepare(read_image(path))[None])[0])
    paths[-1] = ""
    out = tmp_path / "Meine Farben.onnx"
    labels = np.repeat(np.arange(2), 3)
    arrays = np.stack(rows), labels, np.arange(6)
    return ModelTask(str(out), "ridge", str(mean_colour), list(COLOURS), paths, None, *arrays)


def test_a_task_comes_back_as_it_was_written(task: ModelTask, tmp_path: Path) -> None:
    odd = ModelTask(
        "a\udce4.onnx", "auto", "photo", ["ä", "\u05d0"], ["", "\udc80"], 0.25,
        task.rows, task.labels, np.zeros(6, np.int64),
    )  # fmt: skip
    odd.write(tmp_path / "task.npz")
    read = ModelTask.read(tmp_path / "task.npz")
    assert (read.out, read.learner, read.backbone) == (odd.out, odd.learner, odd.backbone)
    assert (read.categories, read.paths, read.threshold) == (odd.categories, odd.paths, odd.threshold)
    assert np.array_equal(read.rows, odd.rows)
    assert np.array_equal(read.labels, odd.labels)
    assert np.array_equal(read.views, odd.views)


def test_the_process_writes_the_model_and_says_how_it_agrees(task: ModelTask, tmp_path: Path) -> None:
    task.write(tmp_path / "task.npz")
    ended = subprocess.run(command(tmp_path / "task.npz"), capture_output=True, check=False, timeout=120)
    assert ModelReply.read(ended.stdout) == ModelReply(compared=5, same=5)
    program = tmp_path / "Meine Farben.py"
    spec = importlib.util.spec_from_file_location("exported_by_task", program)
    assert spec is not None
    assert spec.loader is not None
    found: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    answer = found.Model(task.out).answers([task.paths[4]])[0]
    assert answer.label == "grün"


def test_a_category_whose_name_is_no_valid_unicode_is_exported(task: ModelTask, tmp_path: Path) -> None:
    replace(task, categories=["gr\udcfcn", "rot"]).write(tmp_path / "task.npz")
    ended = subprocess.run(command(tmp_path / "task.npz"), capture_output=True, check=False, timeout=120)
    assert ModelReply.read(ended.stdout) == ModelReply(compared=5, same=5)


@pytest.mark.parametrize("name", ["Meine Farben.onnx", "Meine Farben.py"])
def test_what_lies_there_and_is_no_export_stays(task: ModelTask, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    assert export(task) == ModelReply("taken", str(tmp_path / name))
    assert (tmp_path / name).read_bytes() == b"mine"
    assert len(list(tmp_path.glob("Meine*"))) == 1


def test_an_export_of_an_earlier_version_is_replaced_with_its_program(
    task: ModelTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, the program of another version counted as somebody's own."""
    program = Path(task.out).with_suffix(".py")
    with monkeypatch.context() as patch:
        patch.setattr(model, "_program", lambda: b"# an earlier version\n")
        assert export(task).trouble is None
    assert program.read_bytes() == b"# an earlier version\n"
    program.write_bytes(b"# an earlier version\n# and a line of my own\n")
    assert export(task) == ModelReply("taken", str(program))
    program.write_bytes(b"# an earlier version\n")
    assert export(task).trouble is None
    assert program.read_bytes() == Path(use_model.__file__).read_bytes()


def test_a_program_without_its_model_is_ours_only_as_we_write_it_today(tmp_path: Path) -> None:
    program = tmp_path / "a.py"
    program.write_bytes(b"# an earlier version\n")
    assert not model.is_own_program(program)
    (tmp_path / "a.onnx").write_bytes(b"a model that names none")
    assert not model.is_own_program(program)
    program.write_bytes(Path(use_model.__file__).read_bytes())
    assert model.is_own_program(program)


def test_a_name_that_the_terminal_cannot_show_is_printed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before, the program ended there, with a traceback."""

    class Sure:
        """A model that knows one category."""

        def __init__(self, _path: str) -> None:
            pass

        def answers(self, _paths: list[str]) -> list[use_model.Answer]:
            return [use_model.Answer("Größe", {"Größe": 1.0}, 0.0)]

    written = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(use_model, "Model", Sure)
        patch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", newline="", write_through=True))
        assert use_model.main(["a.onnx", "ü.png"]) == 0
        assert written.getvalue() == b"Gr\\xf6\\xdfe\t1.000\t\\xfc.png\n"
        patch.setattr(sys, "stdout", None)  # as under pythonw
        assert use_model.main(["a.onnx", "ü.png"]) == 0


@pytest.mark.parametrize("side", [48, 80, 224])
def test_the_program_looks_at_a_whole_picture_as_we_do(side: int) -> None:
    """Rounded another way, pictures of 352 x 187 were one row shorter."""
    generator = np.random.default_rng(0)
    for height, width in [(187, 352), (374, 704), *generator.integers(20, 400, (40, 2)).tolist()]:
        pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
        theirs = use_model.looked(pixels, side, whole=True, zoom=1.0, turn=0.0)
        assert np.array_equal(theirs, resize_whole(pixels, side)), (height, width)


def test_a_model_that_cannot_be_traced_is_told(task: ModelTask, untraceable: None) -> None:
    assert export(task) == ModelReply("learner")
    assert not Path(task.out).exists()


def test_a_bundle_that_is_gone_and_a_learner_that_does_not_fit_it_are_told(task: ModelTask) -> None:
    assert export(replace(task, backbone="nowhere.safetensors")).trouble == "backbone"
    assert export(replace(task, learner="snail")).trouble == "backbone"


def test_a_backbone_that_is_an_onnx_model_is_named_as_what_stands_in_the_way(
    task: ModelTask, mean_colour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, another learner was recommended, one after the other."""
    monkeypatch.setattr(BundleInfo, "adaptable", False)
    reply = export(task)
    assert reply.trouble == "backbone"
    assert "choose another backbone" in reply.detail


def test_a_full_disk_is_told(task: ModelTask, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(task.out)).write_bytes(b"")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "write_model", full)
    assert export(task) == ModelReply("system", "No space left on device")


@pytest.mark.parametrize("said", [b"", b"warning: a driver\n", b"[1, 2", b"1", b"{}", b'{"epoch": 1}'])
def test_a_process_that_died_said_nothing(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        ModelReply.read(said)


def test_what_others_print_before_the_reply_is_passed_over() -> None:
    reply = ModelReply.read(
        b'a library says hello\n{"trouble": "taken", "detail": "x", "compared": 0, "same": 0}\n'
    )
    assert reply == ModelReply("taken", "x")


def test_the_command_names_the_module_by_which_python_finds_it(tmp_path: Path) -> None:
    assert command(tmp_path)[1:4] == ["-P", "-m", model_task.__name__]
