"""Files of foreign weights: read without running them, and refused by kind where they are something else."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.foreign_reading import read_weights

if TYPE_CHECKING:
    from pathlib import Path


def weights() -> dict[str, torch.Tensor]:
    return {"a.weight": torch.arange(4000.0).reshape(40, 100), "a.bias": torch.ones(2)}


def problem_of(path: Path) -> ForeignProblem:
    with pytest.raises(ForeignWeightsError) as caught:
        read_weights(path)
    assert caught.value.path == str(path)
    assert caught.value.detail
    return caught.value.kind


def saved(path: Path, content: Any, **how: Any) -> Path:
    torch.save(content, path, **how)
    return path


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "misnamed.bin"])
def test_weights_are_read_whatever_their_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        save_file(weights(), path)
    else:
        saved(path, weights())
    found = read_weights(path)
    assert found.keys() == weights().keys()
    assert torch.equal(found["a.weight"], weights()["a.weight"])


def test_the_format_of_before_2020_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "old.pth", weights(), _use_new_zipfile_serialization=False)
    assert torch.equal(read_weights(path)["a.bias"], torch.ones(2))


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.model.", "_orig_mod."])
@pytest.mark.parametrize("nest", ["", "state_dict", "model"])
def test_wrappers_are_taken_off(tmp_path: Path, prefix: str, nest: str) -> None:
    named = {f"{prefix}{key}": value for key, value in weights().items()}
    path = saved(tmp_path / "w.pth", {nest: named, "epoch": 3} if nest else named)
    assert read_weights(path).keys() == weights().keys()


def test_of_a_training_checkpoint_only_the_weights_are_taken(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    path = saved(
        tmp_path / "checkpoint.pth",
        {
            "optimizer": optimiser.state_dict(),
            "state_dict": model.state_dict(),
            "epoch": 7,
            "args": {"lr": 0.1},
        },
    )
    assert read_weights(path).keys() == {"weight", "bias"}


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_with_code_is_not_run(tmp_path: Path, protocol: int) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "it ran"
    path.write_bytes(pickle.dumps({"w": Trap(str(trace))}, protocol=protocol))
    assert problem_of(path) in {ForeignProblem.HOLDS_CODE, ForeignProblem.DAMAGED}
    assert not trace.exists()
    saved(path, {"w": torch.ones(1), "x": Trap(str(trace))})
    assert problem_of(path) == ForeignProblem.HOLDS_CODE
    assert not trace.exists()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    assert problem_of(saved(tmp_path / "model.pth", nn.Linear(2, 2))) == ForeignProblem.HOLDS_CODE


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ForeignProblem.EMPTY),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", ForeignProblem.WEB_PAGE),
        (b"\n  <html lang=en>", ForeignProblem.WEB_PAGE),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            ForeignProblem.LFS_POINTER,
        ),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), ForeignProblem.NOT_WEIGHTS),
        (b"PK\x03\x04" + bytes(90), ForeignProblem.DAMAGED),
        (b"\x80\x02}q", ForeignProblem.DAMAGED),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f{", ForeignProblem.DAMAGED),
    ],
)
def test_what_is_no_weights_is_told_apart(tmp_path: Path, content: bytes, kind: ForeignProblem) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    assert problem_of(path) == kind


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_damaged(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    if name.endswith("pth"):
        saved(path, weights())
    else:
        save_file(weights(), path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert problem_of(path) == ForeignProblem.DAMAGED


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "nowhere.pth") == ForeignProblem.MISSING
    assert problem_of(tmp_path) == ForeignProblem.MISSING


def test_a_file_in_a_closed_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_how: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    for name in ("open", "stat"):
        monkeypatch.setattr(type(tmp_path), name, refused)
    assert problem_of(tmp_path / "model.pth") == ForeignProblem.DAMAGED


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2], torch.ones(3)])
def test_a_file_without_named_tensors_is_told(tmp_path: Path, content: Any) -> None:
    assert problem_of(saved(tmp_path / "w.pth", content)) == ForeignProblem.NO_TENSORS


def test_a_numpy_archive_is_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, w=np.ones(3))
    assert problem_of(path) == ForeignProblem.DAMAGED
