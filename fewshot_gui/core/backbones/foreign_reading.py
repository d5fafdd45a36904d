"""The tensors of a file of foreign weights, read without running anything that is in it."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

# Under which training scripts keep the weights, the averaged ones first: those are what they evaluate.
_NESTS: Final = (
    "state_dict_ema", "model_ema", "teacher", "state_dict", "model_state_dict", "model", "network", "net",
    "module", "encoder",
)  # fmt: skip
_PREFIXES: Final = ("module.", "_orig_mod.", "model.", "backbone.", "network.", "net.")
"""What wrappers put before every name: DataParallel, torch.compile, Lightning."""
_HEAD_BYTES: Final = 512
_TORN: Final = (
    SafetensorError, zipfile.BadZipFile, struct.error, RuntimeError, EOFError, OSError, ValueError,
    LookupError, TypeError, AttributeError, AssertionError, OverflowError,
)  # fmt: skip
"""What reading a torn file raises: the unpickler of torch takes the order of its codes on trust."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors, .pth or .pt file by their names, on the CPU, as they are stored.

    What the file is, is told by its content. A pickle is read with weights_only: it can hold tensors and
    plain values, and nothing of it runs. Of a training checkpoint only the weights are returned; names lose
    the prefixes that wrappers put before all of them.

    Raises:
        ForeignWeightsError: there is no such file, or it is something else, damaged, or without tensors.
    """
    head = _head(path)
    try:
        content = _read(path, head)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except _TORN as error:
        raise _unreadable(path, error) from error
    tensors = _stripped(_tensors(content))
    if not tensors:
        raise ForeignWeightsError(ForeignProblem.NO_TENSORS, str(path), "there are no tensors in this file")
    return tensors


def _head(path: Path) -> bytes:
    """Return the first bytes of the file, after a look at whether it can be weights at all."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise file_error(path, error) from error
    if not head:
        raise ForeignWeightsError(ForeignProblem.EMPTY, str(path), "the file is empty")
    if head.startswith(b"version https://git-lfs"):
        raise ForeignWeightsError(
            ForeignProblem.LFS_POINTER, str(path), "only a pointer of Git LFS; run: git lfs pull"
        )
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise ForeignWeightsError(
            ForeignProblem.WEB_PAGE, str(path), "a web page was saved in place of the file; download it again"
        )
    return head


def file_error(path: Path, error: OSError) -> ForeignWeightsError:
    """Return the error of a file that the system does not hand out."""
    gone = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
    problem = ForeignProblem.MISSING if gone else ForeignProblem.DAMAGED
    return ForeignWeightsError(problem, str(path), f"it cannot be read ({error})")


def _read(path: Path, head: bytes) -> object:
    if head[8:9] == b"{":
        from safetensors.torch import load_file  # noqa: PLC0415 - torch takes seconds to import

        return load_file(path)
    if not head.startswith((b"PK\x03\x04", b"\x80")):
        raise ForeignWeightsError(
            ForeignProblem.NOT_WEIGHTS, str(path), "neither safetensors nor weights of PyTorch"
        )
    import torch  # noqa: PLC0415 - torch takes seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch tells of old formats, which are none of the user's doing
        return torch.load(path, map_location="cpu", weights_only=True)


def _refusal(path: Path, error: Exception) -> ForeignWeightsError:
    """Return the error of a pickle: torch gives the same for one that holds code and for a torn one."""
    said = str(error)
    if "weights_only" in said.lower() or "Unsupported" in said or "GLOBAL" in said:
        return ForeignWeightsError(
            ForeignProblem.HOLDS_CODE,
            str(path),
            "it holds code, not only weights, and is not opened; save the state_dict alone",
        )
    return _unreadable(path, error)


def _unreadable(path: Path, error: Exception) -> ForeignWeightsError:
    if "TorchScript" in str(error):
        return ForeignWeightsError(
            ForeignProblem.HOLDS_CODE, str(path), "a TorchScript program; save the state_dict of the model"
        )
    said = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ForeignWeightsError(
        ForeignProblem.DAMAGED, str(path), f"it is damaged or incomplete; download it again ({said})"
    )


def _tensors(content: object) -> dict[str, Tensor]:
    """Return the tensors of the state dict in `content`, itself or the one that lies in it."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    if not isinstance(content, Mapping):
        return {}
    for nest in _NESTS:
        inner = content.get(nest)
        found = _tensors(inner) if isinstance(inner, Mapping) else {}
        if found:
            return found
    dense: dict[str, Tensor] = {}
    for key, value in content.items():
        if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_quantized:
            dense[str(key)] = value.detach()
    return dense


def _stripped(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors without any prefix that all of their names share."""
    for prefix in _PREFIXES:
        if tensors and all(key.startswith(prefix) for key in tensors):
            return _stripped({key.removeprefix(prefix): value for key, value in tensors.items()})
    return dict(tensors)
