"""ONNX models as backbones: taken as they come, and refused clearly where they take something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones import outside_networks
from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem, describe_bundle, load_bundle
from fewshot_gui.core.backbones.fits import Misfit, misfit, require_fit
from fewshot_gui.core.backbones.foreign import ForeignProblem, ForeignWeightsError, convert_onnx
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import IMAGENET, Preprocessing
from fewshot_gui.core.learners.facts import LearnerError, facts_of

if TYPE_CHECKING:
    from pathlib import Path

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

WEIGHTS = np.random.default_rng(0).normal(size=(5, 3, 3, 3)).astype(np.float32)


def write_model(
    path: Path,
    shape: tuple[Any, ...] = ("b", 3, 16, 16),
    *,
    second: bool = False,
    element: int = 1,
    pooled: bool = True,
    beside: bool = False,
    reshape: bool = False,
) -> Path:
    """Write a convolution, and a pooling behind it; `element` is the type of its input, 1 a float."""
    helper = onnx.helper
    inputs = [helper.make_tensor_value_info("images", element, shape)]
    nodes = [helper.make_node("Conv", ["cast", "w"], ["maps"])]
    kind = "Identity" if element == 1 else "Cast"
    nodes.insert(0, helper.make_node(kind, ["images"], ["cast"], **({} if element == 1 else {"to": 1})))
    if second:
        inputs.append(helper.make_tensor_value_info("scale", 1, (1,)))
    out = "maps"
    if pooled:
        nodes += [helper.make_node("GlobalAveragePool", ["maps"], ["pooled"])]
        nodes += [helper.make_node("Flatten", ["pooled"], ["rows"])]
        out = "rows"
    if reshape:
        nodes += [helper.make_node("ReduceMean", ["maps"], ["lost"], keepdims=0)]
        out = "lost"
    graph = helper.make_graph(
        nodes, "g", inputs, [helper.make_tensor_value_info(out, 1, None)],
        [onnx.numpy_helper.from_array(WEIGHTS, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    how = {"save_as_external_data": True, "location": "w.data", "size_threshold": 0} if beside else {}
    onnx.save_model(model, str(path), **how)
    return path


def converted(path: Path, **told: Any) -> Any:
    out = path.with_name("theirs.safetensors")
    return convert_onnx(path, told, title="Theirs", licence="MIT", out=out)


def problem_of(path: Path, **told: Any) -> ForeignWeightsError:
    with pytest.raises(ForeignWeightsError) as caught:
        converted(path, **told)
    assert not path.with_name("theirs.safetensors").exists()
    return caught.value


def expected(images: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.conv2d(images, torch.from_numpy(WEIGHTS)).mean((2, 3))


@pytest.mark.parametrize(
    "how", [{}, {"pooled": False}, {"beside": True}, {"shape": (1, 3, 16, 16)}, {"shape": (4, 3, 16, 16)}]
)
def test_a_model_answers_as_it_would_elsewhere(tmp_path: Path, how: dict[str, Any]) -> None:
    info = converted(write_model(tmp_path / "m.onnx", **how))
    assert (info.dimension, info.preprocessing.side, info.architecture) == (5, 16, {"kind": "onnx"})
    (tmp_path / "m.onnx").unlink()
    (tmp_path / "w.data").unlink(missing_ok=True)
    pictures = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8)
    found = load_bundle(info.path).embed(pictures)
    from fewshot_gui.core.backbones.bundle import normalised_input

    rows = expected(normalised_input(torch.from_numpy(pictures), info.preprocessing))
    assert np.allclose(found, torch.nn.functional.normalize(rows, dim=1).numpy(), atol=1e-5)


def test_a_free_size_is_the_usual_one_or_what_is_asked_for(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", ("b", 3, "h", "w"))
    assert converted(path).preprocessing.side == 224
    found = converted(path, side=32, mean=(0.5,) * 3, std=(0.25,) * 3).preprocessing
    assert found == Preprocessing(32, 3, (0.5,) * 3, (0.25,) * 3)


def test_what_is_not_told_is_as_the_model_has_it(tmp_path: Path) -> None:
    seen = converted(write_model(tmp_path / "m.onnx"), mean=(0.5,) * 3).preprocessing
    assert (seen.side, seen.mean, seen.std) == (16, (0.5,) * 3, IMAGENET.std)


def test_weights_beside_a_model_are_found_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime looks in the current folder, where the file itself or another one of its name may lie."""
    monkeypatch.chdir(tmp_path)
    info = converted(write_model(tmp_path / "m.onnx", beside=True))
    (tmp_path / "w.data").unlink()
    assert load_bundle(info.path).embed(np.zeros((1, 16, 16, 3), np.uint8)).shape == (1, 5)


@pytest.mark.parametrize(
    "how",
    [
        {"second": True},
        {"shape": ("b", 16, 16, 3)},
        {"shape": ("b", 3, 16, 24)},
        {"shape": ("b", 48)},
        {"element": 2},
        {"element": 7},
    ],
)
def test_other_inputs_are_listed(tmp_path: Path, how: dict[str, Any]) -> None:
    problem = problem_of(write_model(tmp_path / "m.onnx", **how))
    # Some of these ONNX Runtime itself refuses, as the convolution does not take them.
    assert problem.kind in {ForeignProblem.WRONG_INPUT, ForeignProblem.NOT_WEIGHTS}
    assert problem.kind == ForeignProblem.NOT_WEIGHTS or "images: tensor" in problem.detail


def test_another_size_than_the_models_is_refused(tmp_path: Path) -> None:
    problem = problem_of(write_model(tmp_path / "m.onnx"), side=32)
    assert problem.kind == ForeignProblem.WRONG_INPUT
    assert "16 x 16" in problem.detail
    assert "32 x 32" in problem.detail


def test_another_number_of_colours_than_the_models_is_refused(tmp_path: Path) -> None:
    problem = problem_of(write_model(tmp_path / "m.onnx"), mean=(0.5,))
    assert problem.kind == ForeignProblem.WRONG_INPUT
    assert "3 channels" in problem.detail


def test_one_number_for_all_pictures_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", reshape=True, pooled=False)
    assert problem_of(path).kind == ForeignProblem.WRONG_OUTPUT


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ForeignProblem.EMPTY),
        (b"<html>", ForeignProblem.NOT_WEIGHTS),
        (b"\0" * 99, ForeignProblem.NOT_WEIGHTS),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, kind: ForeignProblem) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert problem_of(path).kind == kind


def test_missing_files_are_told(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "nowhere.onnx").kind == ForeignProblem.MISSING
    path = write_model(tmp_path / "m.onnx", beside=True)
    (tmp_path / "w.data").unlink()
    assert problem_of(path).kind == ForeignProblem.DAMAGED


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path / "m.onnx")

    def refused(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refused)
    problem = problem_of(path)
    assert problem.kind == ForeignProblem.DAMAGED
    assert "Permission denied" in problem.detail


def test_a_model_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    real = outside_networks.onnx_session
    monkeypatch.setattr(
        outside_networks, "onnx_session", lambda model: opened.append(len(model)) or real(model)
    )
    converted(write_model(tmp_path / "m.onnx"))
    assert len(opened) == 1


def test_it_cannot_be_adapted(tmp_path: Path) -> None:
    info = converted(write_model(tmp_path / "m.onnx"))
    assert not info.adaptable
    assert info.parameters > 0
    with pytest.raises(BundleError, match="no gradients") as caught:
        describe_bundle(f"{info.path}#pixels")
    assert caught.value.kind == BundleProblem.NO_PIXELS
    assert misfit(facts_of("maml"), info) == misfit(facts_of("anil"), info) == Misfit.NO_GRADIENTS
    assert misfit(facts_of("finetune"), info) is None
    with pytest.raises(LearnerError, match="maml adapts the network, and theirs is an ONNX model"):
        require_fit("maml", info)


def test_only_a_model_is_taken_as_its_weights() -> None:
    network = build_network({"kind": "onnx"})
    with pytest.raises(RuntimeError, match="the one tensor onnx"):
        network.load_state_dict({"weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"\w"):
        network.load_state_dict({"onnx": torch.zeros(9, dtype=torch.uint8)})
