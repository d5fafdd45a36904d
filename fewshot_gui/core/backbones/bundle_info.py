"""What a bundle says of itself, found by name or path and read without torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.data_files import models_folder, user_models_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.core.learners.facts import Space

FORMAT = "fewshot-bundle-1"
OUTSIDE = ("torchvision", "timm", "onnx")
"""The kinds of networks that other libraries build; see `outside_networks`."""
PIXELS = "#pixels"
"""Behind the name or path of a bundle: its input is asked for, not its embedding."""


class BundleProblem(StrEnum):
    """Why a bundle cannot be used."""

    MISSING = "missing"
    NOT_A_BUNDLE = "not-a-bundle"
    DAMAGED = "damaged"
    DOES_NOT_FIT = "does-not-fit"
    NEEDS_PACKAGE = "needs-package"
    NO_PIXELS = "no-pixels"


class BundleError(Exception):
    """A bundle that cannot be used: what is wrong, where, and the facts."""

    def __init__(self, kind: BundleProblem, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.kind = kind
        self.path = path
        self.detail = detail


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What a bundle says of itself, read without torch.

    Attributes:
        name: the file's stem, with `PIXELS` behind it where its input is meant.
        title: for people.
        path: of the weights file.
        hash: 16 hex digits over the whole file: weights, preprocessing and all. The file of a network that
            another library builds may be large, so there over the header, which holds the hash of the
            weights (`load_bundle` checks it); in the pixels space over the preprocessing alone, as nothing
            else matters there.
        architecture: the arguments of `build_network`.
        preprocessing: from pixels to the network's input.
        dimension: D, the length of an embedding.
        normalise: embeddings are divided by their length.
        temperature: of a prototypical classifier on validation episodes.
        novelty: the distance beyond which a query is none of these, on validation episodes.
        parameters: how many weights; of an ONNX model about as many.
        size_bytes: of the file.
        training: how it was trained: command, data, steps, seconds.
        learner: the learner that it was meta-trained for; empty where it serves any.
        head: the arguments of that learner's head, or the settings of its gradient method.
        head_temperature: for the scores of that head.
        ways: the number of classes in the tasks of the meta-training; None where that does not matter.
    """

    name: str
    title: str
    path: Path
    hash: str
    architecture: dict[str, Any]
    preprocessing: Preprocessing
    dimension: int
    normalise: bool
    temperature: float
    novelty: float
    parameters: int
    size_bytes: int
    training: dict[str, Any]
    learner: str = ""
    head: dict[str, Any] = field(default_factory=dict)
    head_temperature: float = 1.0
    ways: int | None = None

    @property
    def card(self) -> str:
        """Return the model card, Markdown; empty where there is none."""
        card = self.path.with_suffix(".md")
        return card.read_text(encoding="utf-8") if card.is_file() else ""

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Return (C, H, W) of the network's input."""
        return self.preprocessing.channels, self.preprocessing.side, self.preprocessing.side

    @property
    def outside(self) -> bool:
        """Return whether another library builds the network."""
        return self.architecture.get("kind") in OUTSIDE

    @property
    def adaptable(self) -> bool:
        """Return whether gradients pass the network: not through one that ONNX Runtime computes."""
        return self.architecture.get("kind") != "onnx"

    @property
    def in_pixels(self) -> bool:
        """Return whether the pixels space is meant."""
        return self.name.endswith(PIXELS)

    def as_pixels(self) -> BundleInfo:
        """Return what is known of the same bundle where its input takes the place of its embedding.

        Of several views the first alone is adapted to: each would take as long again at every step.
        """
        seen = replace(self.preprocessing, views=self.preprocessing.views[:1])
        values = json.dumps(asdict(seen), sort_keys=True)
        return replace(
            self,
            name=f"{self.name}{PIXELS}",
            preprocessing=seen,
            hash=hashlib.sha256(f"{values}{PIXELS}".encode()).hexdigest()[:16],
            dimension=int(np.prod(self.input_shape)),
            normalise=False,
        )


def space_name(bundle: str | Path, space: Space) -> str:
    """Return what to call a bundle, named by name or path, of which that space is meant."""
    plain = bundle_of(bundle)
    return f"{plain}{PIXELS}" if space == "pixels" else plain


def bundle_of(name_or_path: str | Path) -> str:
    """Return the name or path of the bundle alone, whichever of its spaces is meant."""
    return str(name_or_path).removesuffix(PIXELS)


def bundle_path(name_or_path: str | Path) -> Path:
    """Return the weights file that a name or a path means, in whichever space.

    A name is looked up among the shipped bundles, then among the user's.

    Raises:
        BundleError: there is no such file.
    """
    plain = bundle_of(name_or_path)
    folders = (models_folder(), user_models_folder())
    candidates = (*(folder / f"{plain}.safetensors" for folder in folders), Path(plain))
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        shipped, own = (", ".join(sorted(p.stem for p in each.glob("*.safetensors"))) for each in folders)
        yours = f"; yours: {own}" if own else ""
        raise BundleError(
            BundleProblem.MISSING,
            plain,
            f"there is no such bundle; shipped: {shipped or 'none'}{yours}; or give a file",
        )
    return path


def describe_bundle(name_or_path: str | Path) -> BundleInfo:
    """Return what a bundle says of itself; torch is not imported.

    Raises:
        BundleError: missing, not a bundle of this program, or damaged; or the pixels space of a network that
            cannot be adapted.
    """
    path = bundle_path(name_or_path)
    try:
        stat = path.stat()
    except OSError as error:  # it went this moment
        raise BundleError(BundleProblem.MISSING, str(path), f"it cannot be read ({error})") from error
    info = _describe(path, stat.st_mtime_ns, stat.st_size)
    if not str(name_or_path).endswith(PIXELS):
        return info
    if not info.adaptable:
        raise BundleError(
            BundleProblem.NO_PIXELS,
            str(path),
            "an ONNX model answers but has no gradients, so it cannot be adapted; choose another learner",
        )
    return info.as_pixels()


@lru_cache(maxsize=64)
def _describe(path: Path, _mtime_ns: int, size: int) -> BundleInfo:
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            parameters = sum(int(np.prod(file.get_slice(key).get_shape())) for key in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE, str(path), f"not a safetensors file ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE,
            str(path),
            f"weights of another program; this one reads {FORMAT} files",
        )
    try:
        values = json.loads(metadata["bundle"])
        values["preprocessing"] = Preprocessing.from_dict(values["preprocessing"])
        kind = values["architecture"].get("kind")
        if kind == "onnx":
            parameters //= np.dtype(np.float32).itemsize  # the one tensor holds the bytes of the model
        known = _header_hash(metadata) if kind in OUTSIDE else _file_hash(path)
        return BundleInfo(
            name=path.stem, path=path, hash=known, parameters=parameters, size_bytes=size, **values
        )
    except OSError as error:
        raise BundleError(BundleProblem.DAMAGED, str(path), f"it cannot be read ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE, str(path), f"made by another version of this program ({error!r})"
        ) from error


def _header_hash(metadata: Mapping[str, str]) -> str:
    return hashlib.sha256(f"{metadata['bundle']}{metadata.get('sha256')}".encode()).hexdigest()[:16]


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
