"""A teacher: what its embeddings become, that a pupil nears them, and what is said when there is none."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.training.recipe import RecipeError, Teaching
from fewshot_gui.core.training.stage import Stage
from fewshot_gui.core.training.teacher import (
    is_targets,
    load_targets,
    save_targets,
    targets_key,
    taught_targets,
    teacher_embeddings,
)
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

PLAIN = Teaching()


def rows(count: int = 60, dimension: int = 6) -> NDArray[np.float32]:
    scales = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])[:dimension]
    drawn = np.random.default_rng(0).normal(size=(count, dimension)) * scales
    return (drawn + 3).astype(np.float32)


def test_targets_are_of_length_one_and_keep_the_angles() -> None:
    given = rows()
    targets = taught_targets(given, 6, PLAIN).astype(np.float64)
    centred = given - given.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert np.allclose(np.linalg.norm(targets, axis=1), 1, atol=2e-3)
    assert np.allclose(targets @ targets.T, unit @ unit.T, atol=5e-3)


def test_fewer_dimensions_keep_those_of_most_variance() -> None:
    given = rows()
    whole, part = (taught_targets(given, count, PLAIN).astype(np.float64) for count in (6, 3))
    first = whole[:, :3] / np.linalg.norm(whole[:, :3], axis=1, keepdims=True)
    assert np.allclose(np.abs(part), np.abs(first), atol=5e-3)


def test_whitening_brings_the_say_of_the_dimensions_together() -> None:
    given = rows(2000)
    plain, white = (
        taught_targets(given, 6, Teaching(whiten=power)).astype(np.float64).var(axis=0)
        for power in (0.0, 1.0)
    )
    assert plain.max() / plain.min() > 50
    assert white.max() / white.min() < 5


def test_a_square_root_is_taken_of_what_is_not_negative() -> None:
    given = np.array([[4.0, 0.0], [0.0, 9.0], [-1.0, 16.0]], dtype=np.float32)
    rooted = np.array([[2.0, 0.0], [0.0, 3.0], [0.0, 4.0]], dtype=np.float32)
    assert np.allclose(
        taught_targets(given, 2, Teaching(square_root=True)), taught_targets(rooted, 2, PLAIN), atol=1e-3
    )


def test_more_dimensions_than_the_teacher_has_are_refused() -> None:
    with pytest.raises(RecipeError, match="an embedding of 7 is more than the teacher's 6"):
        taught_targets(rows(), 7, PLAIN)


def test_a_pupil_nears_its_teacher_and_classifies(recipe: Recipe, world: ClassImages) -> None:
    taught = taught_targets(
        np.random.default_rng(1).normal(size=(8, 6))[world.labels].astype(np.float32), 4, PLAIN
    )
    stage = Stage(
        "distil", steps=100, learning_rate=0.02, optimiser="adam", batch=16, label_weight=1.0, warm_up=0.0
    )
    pupil = replace(
        recipe,
        network={"kind": "resnet", "widths": [8, 16], "embedding": 4},
        teacher=PLAIN,
        stages=(stage,),
    )
    records = list(Trainer(pupil, world, taught=taught).run())
    assert np.mean([r.loss for r in records[-5:]]) < 0.6 * np.mean([r.loss for r in records[:5]])
    assert np.mean([r.accuracy for r in records[-5:]]) > 0.7


def test_what_is_taught_does_not_depend_on_the_number_of_workers(recipe: Recipe, world: ClassImages) -> None:
    taught = taught_targets(
        np.random.default_rng(1).normal(size=(len(world.labels), 6)).astype(np.float32), 4, PLAIN
    )
    pupil = replace(
        recipe,
        network={"kind": "resnet", "widths": [8, 16], "embedding": 4},
        teacher=PLAIN,
        stages=(Stage("distil", steps=3, learning_rate=0.01, batch=8),),
    )
    alone, helped = (
        [r.loss for r in Trainer(pupil, world, taught=taught, workers=count).run()] for count in (0, 1)
    )
    assert alone == helped


def test_a_bundle_can_teach(world: ClassImages) -> None:
    seen: list[tuple[int, int]] = []
    embeddings = teacher_embeddings(
        "photo", world.images[:3], PLAIN, progress=lambda done, total: seen.append((done, total))
    )
    assert embeddings.shape == (3, 576)
    assert seen == [(3, 3)]


def test_targets_are_kept_for_the_same_teacher_and_pictures_alone(tmp_path: Path, world: ClassImages) -> None:
    path = tmp_path / "kept.npz"
    key = targets_key("photo", world.images, 4, PLAIN)
    targets = taught_targets(rows(), 4, PLAIN)
    assert load_targets(path, key) is None
    save_targets(path, key, targets)
    found = load_targets(path, key)
    assert found is not None
    assert np.array_equal(found, targets)
    assert load_targets(path, targets_key("photo", world.images, 5, PLAIN)) is None
    assert load_targets(path, targets_key("photo", world.images[::-1], 4, PLAIN)) is None
    whole = path.read_bytes()
    assert is_targets(path)
    for torn in (b"half a file", b"", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(torn)
        assert load_targets(path, key) is None
        assert is_targets(path) is torn.startswith(b"PK"), "one of ours that is torn is made anew"
    np.savez(path, mine=np.zeros(3))
    assert not is_targets(path)


class FakeInterpreter:
    """A model of one layer, `pool`: the mean of each colour, quantised."""

    def __init__(self, path: str, **_options: Any) -> None:
        if "broken" in path:
            raise ValueError("Could not open")
        self._shown = np.zeros((1, 8, 8, 3), np.uint8)

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": [1, 8, 8, 3]}]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        return [{"index": 5, "name": "pool", "quantization": (0.5, 10)}]

    def set_tensor(self, _index: int, values: NDArray[np.uint8]) -> None:
        assert values.shape == (1, 8, 8, 3)
        self._shown = values

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> NDArray[np.uint8]:
        assert index == 5
        return self._shown.mean(axis=(1, 2)).astype(np.uint8)


@pytest.fixture
def litert(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("ai_edge_litert.interpreter")
    module.Interpreter = FakeInterpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", type(sys)("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)


@pytest.mark.usefixtures("litert")
def test_a_tensorflow_lite_model_teaches_with_the_values_of_its_layer() -> None:
    images = np.full((2, 30, 30, 3), 50, np.uint8)
    embeddings = teacher_embeddings("a.tflite", images, Teaching(layer="pool"))
    assert np.allclose(embeddings, (50 - 10) * 0.5)


@pytest.mark.usefixtures("litert")
@pytest.mark.parametrize(
    ("name", "layer", "words"),
    [
        ("a.tflite", "head", "has no layer 'head'; there are pool"),
        ("broken.tflite", "pool", "cannot be read"),
    ],
)
def test_a_model_that_cannot_teach_is_refused(name: str, layer: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        teacher_embeddings(name, np.zeros((1, 8, 8, 3), np.uint8), Teaching(layer=layer))


def test_without_the_reader_of_such_models_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(RecipeError, match="pip install ai-edge-litert"):
        teacher_embeddings("a.tflite", np.zeros((1, 8, 8, 3), np.uint8), Teaching(layer="pool"))
