"""From a rung of the ladder to a bundle of the user's, with the real network library and random weights."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.backbones import foreign
from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.engine.downloads import fetch as module
from fewshot_gui.engine.downloads.download import drop, part_path, raw_path
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.downloads.fetch import arrived_bytes, fetch, fetched, unfinished_folder
from tests.unit.loopback import MODEL, cut, rung_at

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.ladder import Rung
    from tests.unit.loopback import Served

pytestmark = pytest.mark.usefixtures("home")


def get(rung: Rung, **changes: Any) -> Any:
    return fetch(rung, **{"progress": lambda _done, _total: None, "cancelled": lambda: False, **changes})


def test_a_rung_becomes_a_bundle_of_the_users(small: Rung, served: Served, home: Path) -> None:
    info = get(small)
    assert info.path == home / "small.safetensors"
    assert (info.name, info.title, info.dimension) == ("small", "Tiny", small.dimension)
    assert info.preprocessing == small.preprocessing
    assert info.training["licence"] == small.licence
    assert list((home / "downloads").iterdir()) == []
    embeddings = load_bundle("small").embed(np.zeros((2, 32, 32, 3), np.uint8))
    assert embeddings.shape == (2, small.dimension)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-4)
    assert fetched(small) == get(small) == info
    assert len(served.asked) == 1


def test_what_has_arrived_is_known_and_gone_on_from(small: Rung, served: Served) -> None:
    assert arrived_bytes(small) == 0
    served.behave = [cut(5000)]
    with pytest.raises(DownloadError):
        get(small)
    assert arrived_bytes(small) == 5000
    assert fetched(small) is None
    told: list[int] = []
    get(small, progress=lambda done, _total: told.append(done))
    assert told[0] == 5000
    assert arrived_bytes(small) == 0


def test_a_damaged_bundle_is_made_again(small: Rung, home: Path) -> None:
    home.mkdir()
    (home / "small.safetensors").write_bytes(b"half")
    assert fetched(small) is None
    assert get(small).dimension == small.dimension


def test_weights_that_do_not_fit_are_not_kept(served: Served, home: Path) -> None:
    rung = rung_at(f"{served.url}/a.pth", architecture={"kind": "torchvision", "model": MODEL})
    with pytest.raises(ForeignWeightsError):
        get(rung)
    assert list((home / "downloads").iterdir()) == []
    assert list(home.glob("*.safetensors")) == []


@pytest.mark.parametrize(
    "kind", [ForeignProblem.NEEDS_PACKAGE, ForeignProblem.CANNOT_BUILD, ForeignProblem.DOES_NOT_RUN]
)
@pytest.mark.parametrize("source", ["torchvision", "timm"])
def test_what_only_another_package_can_use_is_kept(
    small: Rung, served: Served, monkeypatch: pytest.MonkeyPatch, kind: ForeignProblem, source: Any
) -> None:
    rung = replace(small, source=source)

    def refused(path: Path, *_rest: Any, **_more: Any) -> Any:
        raise ForeignWeightsError(kind, str(path), "the package here does not know it")

    with monkeypatch.context() as patched:
        patched.setattr(foreign, "convert", refused)
        with pytest.raises((DownloadError, ForeignWeightsError)) as caught:
            get(rung)
    upgrade = source == "timm" and kind != ForeignProblem.DOES_NOT_RUN
    assert caught.value.kind is (DownloadProblem.NEEDS_TIMM if upgrade else kind)
    assert arrived_bytes(rung) == len(served.content)
    assert get(rung).name == "small"
    assert len(served.asked) == 1, "nothing is downloaded again"


def test_all_is_here_before_it_is_converted(small: Rung, served: Served, home: Path) -> None:
    told: list[tuple[int, int | None, bool]] = []

    def progress(done: int, total: int | None) -> None:
        told.append((done, total, raw_path(small, unfinished_folder()).is_file()))

    get(small, progress=progress)
    size = len(served.content)
    assert told[-1] == (size, size, True)
    assert not told[-2][2]


def test_cancelled_after_the_last_byte(small: Rung, served: Served, home: Path) -> None:
    whole: list[bool] = []

    def progress(done: int, total: int | None) -> None:
        whole.append(done == total)

    with pytest.raises(DownloadError) as caught:
        get(small, progress=progress, cancelled=lambda: bool(whole) and whole[-1])
    assert caught.value.kind is DownloadProblem.CANCELLED
    assert fetched(small) is None
    assert arrived_bytes(small) == len(served.content), "all of it, to go on from or to discard"
    assert get(small).name == "small"
    assert len(served.asked) == 1


def test_what_is_all_here_can_be_discarded(small: Rung, home: Path) -> None:
    raw = raw_path(small, unfinished_folder())
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"12345")
    part_path(small, unfinished_folder()).write_bytes(b"1")
    assert arrived_bytes(small) == 5
    assert drop(small, unfinished_folder())
    assert list(raw.parent.iterdir()) == []
    assert arrived_bytes(small) == 0


def test_without_timm_nobody_is_asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "timm" else find(name))
    with pytest.raises(DownloadError) as caught:
        get(rung_at(f"{served.url}/a.safetensors", source="timm"))
    assert caught.value.kind is DownloadProblem.NEEDS_TIMM
    assert served.asked == []


def test_a_bundle_that_cannot_be_written(small: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_options: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(foreign, "convert", full)
        with pytest.raises(DownloadError) as caught:
            get(small)
    assert caught.value.kind is DownloadProblem.DISK_FULL
    assert get(small).name == "small"  # and nothing is asked for again


def test_parts_lie_apart_from_bundles(small: Rung, home: Path) -> None:
    assert part_path(small, unfinished_folder()).parent == home / "downloads"
    assert hashlib.sha256(small.url.encode()).hexdigest()[:8] in part_path(small, home).name


def test_damaged_weights_are_made_again(small: Rung, served: Served, home: Path) -> None:
    """Its head still reads well, so it was said to be here already."""
    path = get(small).path
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert fetched(small) is None
    assert get(small).name == "small"
    assert fetched(small) is not None
    assert len(served.asked) == 2


def test_nobody_else_touches_a_download_while_it_is_made_a_bundle(
    small: Rung, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that convert the same file took it away from one another."""
    convert, refused = foreign.convert, []

    def watched(*arguments: Any, **more: Any) -> Any:
        for attempt in (lambda: get(small), lambda: drop(small, unfinished_folder())):
            with pytest.raises(DownloadError) as caught:
                attempt()
            refused.append(caught.value.kind)
        return convert(*arguments, **more)

    monkeypatch.setattr(foreign, "convert", watched)
    assert get(small).name == "small"
    assert refused == [DownloadProblem.BUSY] * 2
