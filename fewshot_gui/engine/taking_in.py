"""From a file of weights that another program made to a backbone of the user's; not for the main thread."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from fewshot_gui.core.backbones.architectures import named_architecture
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.own_bundles import is_taken, near_name, own_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.foreign_fit import FitReport


class DoesNotFitError(Exception):
    """Weights that no network here takes.

    Attributes:
        path: of the file.
        architecture: of the network that was named; None where none was.
        report: what does not fit into it; None where no network resembles the weights.
    """

    def __init__(
        self, path: Path, architecture: Mapping[str, Any] | None = None, report: FitReport | None = None
    ) -> None:
        super().__init__(f"{path}: these weights fit no network that is known here")
        self.path, self.architecture, self.report = path, architecture, report


def take_in(path: Path, architecture: str = "") -> BundleInfo:
    """Return the bundle in the user's folder that was made of a file of weights; the file stays as it is.

    Args:
        path: safetensors, .pth, .pt or .onnx.
        architecture: "torchvision:NAME" or "timm:NAME"; empty lets the weights tell.

    Raises:
        DoesNotFitError: no network is known that takes these weights, or the named one does not.
        ForeignWeightsError: the file is no weights, or there is no such network.
        OSError: the bundle cannot be written.
    """
    from fewshot_gui.core.backbones import foreign  # noqa: PLC0415 - torch takes seconds to import

    out = free_place(path.stem)
    if path.suffix.lower() == ".onnx":
        return foreign.convert_onnx(path, title=path.stem, licence="", out=out)
    tensors = foreign.read_weights(path)
    wanted = _network_of(path, architecture, tensors)
    try:
        return foreign.convert(path, wanted, title=path.stem, licence="", out=out, tensors=tensors)
    except ForeignWeightsError as error:
        if error.report is None:
            raise
        raise DoesNotFitError(path, wanted, error.report) from error


def _network_of(path: Path, architecture: str, tensors: Mapping[str, Tensor]) -> Mapping[str, Any]:
    from fewshot_gui.core.backbones import foreign  # noqa: PLC0415 - torch takes seconds to import

    if not architecture:
        guessed = foreign.guess_architecture(tensors, path.name)
        if guessed is None:
            raise DoesNotFitError(path)
        return guessed
    named = named_architecture(architecture)
    if named is None:
        raise ForeignWeightsError(ForeignProblem.CANNOT_BUILD, str(path), architecture)
    return foreign.sized_architecture(named, tensors)


def free_place(stem: str) -> Path:
    """Return where a new bundle of the user's goes: under this name as near as can be, and a free one."""
    name = near_name(stem)
    numbered = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return own_path(next(each for each in numbered if not is_taken(each)))
