"""Foreign weights become bundles that answer as the network did; what does not fit is reported by kind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones import foreign, foreign_fit
from fewshot_gui.core.backbones.bundle import (
    BundleError,
    BundleProblem,
    describe_bundle,
    load_bundle,
    normalised_input,
)
from fewshot_gui.core.backbones.foreign import (
    ForeignProblem,
    ForeignWeightsError,
    convert,
    crop_ratio_of,
    fit,
    guess_architecture,
    preprocessing_of,
    read_weights,
    sized_architecture,
)
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.core.backbones.preprocessing import Preprocessing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"kind": "torchvision", "model": "mobilenet_v3_small"}
TINY = {"kind": "timm", "model": "test_vit"}
SEEN = Preprocessing(32, 3, (0.5,) * 3, (0.25,) * 3)


def full_state(architecture: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the weights as they are published: with a classifier, random."""
    torch.manual_seed(0)
    if architecture["kind"] == "torchvision":
        import torchvision

        state: dict[str, torch.Tensor] = torchvision.models.get_model(architecture["model"]).state_dict()
        return state
    timm = pytest.importorskip("timm")
    found: dict[str, torch.Tensor] = timm.create_model(architecture["model"]).state_dict()
    return found


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("foreign") / "mobilenet.pth"
    torch.save(full_state(SMALL), path)
    return path


def converted(path: Path, out: Path, architecture: dict[str, Any] | None = None, seen: Any = SEEN) -> Any:
    return convert(path, architecture or SMALL, seen, title="Theirs", licence="BSD", out=out)


def problem_of(path: Path, out: Path, *rest: Any) -> ForeignWeightsError:
    with pytest.raises(ForeignWeightsError) as caught:
        converted(path, out, *rest)
    assert not out.exists()
    assert not list(out.parent.glob(".*")) if out.parent.exists() else True
    return caught.value


@pytest.mark.parametrize(
    ("architecture", "side"),
    [
        (SMALL, 32),
        ({"kind": "torchvision", "model": "shufflenet_v2_x0_5"}, 32),
        ({**TINY, "img_size": 64}, 64),  # its positions are resampled from 160
        ({"kind": "timm", "model": "test_convnext"}, 64),
        ({"kind": "timm", "model": "test_efficientnet"}, 64),
    ],
    ids=lambda value: value["model"] if isinstance(value, dict) else "",
)
def test_a_bundle_answers_as_the_network_did(tmp_path: Path, architecture: dict[str, Any], side: int) -> None:
    path, seen = tmp_path / "w.pth", Preprocessing(side, 3, (0.5,) * 3, (0.25,) * 3)
    torch.save(full_state(architecture), path)
    info = converted(path, tmp_path / "new" / "theirs.safetensors", architecture, seen)
    assert info == describe_bundle(tmp_path / "new" / "theirs.safetensors")
    bundle = load_bundle(info.path)
    pictures = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    from fewshot_gui.core.backbones.networks import build_network

    network = build_network(architecture).eval()
    network.load_state_dict(fit(architecture, read_weights(path)).tensors)
    with torch.no_grad():
        raw = network(normalised_input(torch.from_numpy(pictures), seen))
    expected = torch.nn.functional.normalize(raw, dim=1).numpy()
    assert bundle.embed(pictures).shape == (2, info.dimension)
    assert float((bundle.embed(pictures) * expected).sum(1).min()) > 0.999


def test_weights_are_fitted_once_and_not_read_again(
    tmp_path: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[Any] = []
    real = foreign_fit._fit
    monkeypatch.setattr(
        foreign_fit, "_fit", lambda *given, **how: fitted.append(given) or real(*given, **how)
    )
    tensors = read_weights(small_file)
    monkeypatch.delattr(foreign, "read_weights")
    out = tmp_path / "b.safetensors"
    info = convert(small_file, SMALL, title="", licence="", out=out, tensors=tensors)
    assert len(fitted) == 1
    assert info.preprocessing == preprocessing_of(SMALL), "what is published, where nothing else is known"


def test_what_the_bundle_says_of_itself(tmp_path: Path, small_file: Path) -> None:
    info = converted(small_file, tmp_path / "theirs.safetensors")
    assert (info.title, info.dimension, info.normalise, info.preprocessing) == ("Theirs", 576, True, SEEN)
    assert info.training["licence"] == "BSD"
    assert info.training["converted_from"] == "mobilenet.pth"
    assert len(info.training["file_sha256"]) == 64
    assert info.training["crop_ratio"] == 0.875
    assert 0 < info.temperature < 1 < info.novelty + 0.5
    assert info.adaptable


def test_half_floats_and_counters_of_any_kind_are_taken(tmp_path: Path, small_file: Path) -> None:
    state = read_weights(small_file)
    halves = {
        key: value.bfloat16() if value.is_floating_point() else value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked") and not key.startswith("classifier.")
    }
    path = tmp_path / "halves.pth"
    torch.save(halves, path)
    assert fit(SMALL, read_weights(path)).report.fits
    assert load_bundle(converted(path, tmp_path / "b.safetensors").path).dimension == 576


def test_what_float16_cannot_hold_is_kept(tmp_path: Path, small_file: Path) -> None:
    state = read_weights(small_file)
    state["features.0.1.running_var"] = torch.full((16,), 1e-9)
    state["features.0.0.weight"] = state["features.0.0.weight"] * 1e6
    path = tmp_path / "extreme.pth"
    torch.save(state, path)
    bundle = load_bundle(converted(path, tmp_path / "b.safetensors").path)
    assert np.isfinite(bundle.embed(np.full((1, 32, 32, 3), 90, np.uint8))).all()


def test_what_does_not_fit_is_reported(small_file: Path) -> None:
    state = dict(read_weights(small_file))
    state["features.0.0.weight"] = torch.zeros(16, 3, 5, 5)
    state["extra.weight"] = torch.zeros(1)
    del state["features.1.block.0.0.weight"]
    report = fit(SMALL, state, guess=False).report
    assert not report.fits
    assert report.missing == ("features.1.block.0.0.weight",)
    assert report.unexpected == ("extra.weight",)
    assert report.wrong_shape == (("features.0.0.weight", (16, 3, 5, 5), (16, 3, 3, 3)),)
    assert "1 missing (features.1.block.0.0.weight)" in str(report)
    assert "(16, 3, 5, 5), not (16, 3, 3, 3)" in str(report)


def test_weights_of_a_deeper_network_do_not_fit_a_shallower_one() -> None:
    import torchvision

    with torch.device("meta"):
        deep = torchvision.models.get_model("resnet34").state_dict()
    report = fit({"kind": "torchvision", "model": "resnet18"}, deep).report
    assert not report.fits
    assert not report.missing
    assert report.guess == {"kind": "torchvision", "model": "resnet34"}
    assert "they look like torchvision:resnet34" in str(report)


@pytest.mark.parametrize("model", ["mobilenet_v3_large", "efficientnet_v2_s", "convnext_tiny", "vit_b_16"])
def test_weights_of_torchvision_are_recognised(model: str) -> None:
    import torchvision

    with torch.device("meta"):
        state = torchvision.models.get_model(model, num_classes=7).state_dict()
    assert guess_architecture(state) == {"kind": "torchvision", "model": model}


@pytest.mark.parametrize(
    "model",
    ["vit_small_patch14_dinov2", "vit_small_patch16_dinov3", "vit_base_patch16_siglip_224", "test_vit"],
)
def test_weights_of_timm_are_recognised(model: str) -> None:
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        state = timm.create_model(model).state_dict()
    assert guess_architecture(state, f"{model}.safetensors") == {"kind": "timm", "model": model}


def test_weights_of_timm_tell_how_their_pictures_were_prepared() -> None:
    """Of one network many weights are handed out, and not all of them with the same mean."""
    timm = pytest.importorskip("timm")
    model, tag = "vit_tiny_patch16_224", "augreg_in21k"
    state = timm.create_model(model).state_dict()
    found = guess_architecture(state, f"{model}.{tag}.safetensors")
    assert found == {"kind": "timm", "model": f"{model}.{tag}"}
    assert preprocessing_of(found).mean == (0.5,) * 3
    assert fit(found, state).report.fits


def test_the_tag_of_weights_says_their_mean() -> None:
    pytest.importorskip("timm")
    means = [
        preprocessing_of({"kind": "timm", "model": f"vit_small_patch16_224{tag}"}).mean
        for tag in ("", ".dino")
    ]
    assert means[0] == (0.5,) * 3
    assert means[1] == pytest.approx((0.485, 0.456, 0.406))


def test_a_vit_of_torchvision_that_was_named_gets_its_size() -> None:
    state = {
        "encoder.pos_embedding": torch.zeros(1, 577, 768),
        "conv_proj.weight": torch.zeros(768, 3, 16, 16),
    }
    named = {"kind": "torchvision", "model": "vit_b_16"}
    assert sized_architecture(named, state) == {**named, "image_size": 384}
    assert sized_architecture(SMALL, state) == SMALL


def test_a_vit_of_torchvision_tells_its_size() -> None:
    import torchvision

    with torch.device("meta"):
        state = torchvision.models.get_model("vit_b_16", image_size=384).state_dict()
    found = guess_architecture(state)
    assert found == {"kind": "torchvision", "model": "vit_b_16", "image_size": 384}
    assert preprocessing_of(found).side == 384


def test_nobody_knows_these() -> None:
    assert guess_architecture({"a.weight": torch.zeros(3, 3)}) is None


def test_integers_in_place_of_weights_are_refused(tmp_path: Path, small_file: Path) -> None:
    state = {key: value.to(torch.int8) for key, value in read_weights(small_file).items()}
    path = tmp_path / "quantised.pth"
    torch.save(state, path)
    assert problem_of(path, tmp_path / "b.safetensors").kind == ForeignProblem.INTEGER_WEIGHTS


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, small_file: Path) -> None:
    state = dict(read_weights(small_file))
    state["features.0.0.weight"] = torch.full((16, 3, 3, 3), torch.nan)
    path = tmp_path / "nan.pth"
    torch.save(state, path)
    problem = problem_of(path, tmp_path / "b.safetensors")
    assert problem.kind == ForeignProblem.NOT_FINITE
    assert "features.0.0.weight" in problem.detail


def test_other_weights_and_unknown_networks_are_refused(tmp_path: Path, small_file: Path) -> None:
    out = tmp_path / "b.safetensors"
    other = {"kind": "torchvision", "model": "mobilenet_v3_large"}
    problem = problem_of(small_file, out, other)
    assert problem.kind == ForeignProblem.DOES_NOT_FIT
    assert "they look like torchvision:mobilenet_v3_small" in problem.detail
    assert problem.report is not None
    assert problem.report.guess == SMALL
    strange = {"kind": "torchvision", "model": "nothing"}
    assert problem_of(small_file, out, strange).kind == ForeignProblem.CANNOT_BUILD


def test_a_file_that_goes_while_it_is_converted_is_told(tmp_path: Path, small_file: Path) -> None:
    tensors = read_weights(small_file)
    with pytest.raises(ForeignWeightsError) as caught:
        convert(tmp_path / "gone", SMALL, SEEN, title="", licence="", out=tmp_path / "b", tensors=tensors)
    assert caught.value.kind == ForeignProblem.MISSING


def test_a_size_that_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vit.pth"
    torch.save(full_state(TINY), path)
    problem = problem_of(path, tmp_path / "b.safetensors", {**TINY, "dynamic_img_size": False}, SEEN)
    assert problem.kind == ForeignProblem.DOES_NOT_RUN
    assert "32 x 32" in problem.detail


def test_a_bundle_of_a_package_that_is_not_here_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vit.pth"
    torch.save(full_state(TINY), path)
    info = converted(path, tmp_path / "b.safetensors", {**TINY, "img_size": 32})
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(BundleError, match="needs timm") as caught:
        load_bundle(info.path)
    assert caught.value.kind == BundleProblem.NEEDS_PACKAGE


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path as AnyPath

    def full(*_arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AnyPath, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        converted(small_file, tmp_path / "b.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_published_preprocessing() -> None:
    assert preprocessing_of(SMALL) == Preprocessing(224, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert crop_ratio_of(SMALL) == 0.875
    pytest.importorskip("timm")
    siglip = preprocessing_of({"kind": "timm", "model": "vit_base_patch16_siglip_224.webli"})
    assert (siglip.side, siglip.mean) == (224, (0.5,) * 3)
    assert (
        preprocessing_of({"kind": "timm", "model": "vit_small_patch14_dinov2", "img_size": 224}).side == 224
    )
    for kind in ("torchvision", "timm"):
        with pytest.raises(NetworkError):
            preprocessing_of({"kind": kind, "model": "nothing"})


def test_importing_this_imports_no_library() -> None:
    code = (
        "import sys; from fewshot_gui.core.backbones import foreign, catalogue; catalogue.installed_sound();"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'timm', 'onnxruntime')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert foreign.__all__
