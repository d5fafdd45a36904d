"""The gradient methods as learners: what the window and the commands see."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import pytest
import torch

from fewshot_gui.core.learners.base import Classifier, SupportError, SupportSet
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.gradient import pieces
from fewshot_gui.core.learners.gradient.functional import adapt, functional_network, network_params
from fewshot_gui.core.learners.gradient.learner import GradientLearner, _last_sound
from fewshot_gui.core.learners.gradient.methods import METHODS, SettingsError, build_method
from fewshot_gui.core.learners.gradient.start import head_logits
from fewshot_gui.core.learners.stepwise import StepwiseClassifier, StepwiseLearner

if TYPE_CHECKING:
    from torch import nn

    from fewshot_gui.core.learners.gradient.tasks import Tasks

OWN: dict[str, dict[str, Any]] = {
    "maml": {"steps": 3, "lr": 0.2, "head": "learned"},
    "fomaml": {"steps": 3, "lr": 0.2},
    "anil": {"steps": 3, "lr": 0.2},
    "meta-sgd": {"steps": 3, "lr": 0.2},
    "reptile": {"steps": 3, "test_steps": 3, "lr": 0.02},
    "meta-lstm": {"steps": 3, "hidden": 3},
}


def learner_of(name: str, network: nn.Module, *, own: bool = True, ways: int = 5) -> GradientLearner:
    network = network.eval().requires_grad_(False)
    settings = OWN[name] if own else {}
    weights = dict(network.named_parameters())
    generator = torch.Generator().manual_seed(0)
    tensors = build_method(name, settings).initial(12, ways, generator, weights) if own else {}
    dtype = next(network.parameters()).dtype
    context = LearnerContext(
        learner=name if own else "",
        head=settings,
        head_tensors={key: value.to(dtype) for key, value in tensors.items()},
        head_temperature=1.7,
        network=network,
        input_shape=(1, 8, 8),
        dimension=64,
    )
    return GradientLearner(name, settings, context)


def support_of(tasks: Tasks, task: int = 0) -> SupportSet:
    names = tuple(f"class {way}" for way in range(tasks.ways))
    return SupportSet(tasks.support[task].flatten(1), tasks.support_labels[task], names)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("name", METHODS)
def test_a_learner_fits_and_its_classifier_answers(
    name: str, own: bool, tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(dtype=torch.float32), draw_tasks(dtype=torch.float32)
    before = copy.deepcopy(network.state_dict())
    learner, support = learner_of(name, network, own=own), support_of(tasks)
    told: list[tuple[int, int, float]] = []
    shares: list[float] = []
    classifier = learner.fit_watched(support, lambda *step: told.append(step), progress=shares.append)
    assert isinstance(classifier, Classifier)
    assert isinstance(classifier, StepwiseClassifier)
    assert isinstance(learner, StepwiseLearner)
    assert classifier.classes == support.classes
    assert told == [(k, classifier.steps, classifier.losses[k]) for k in range(1, classifier.steps + 1)]
    assert len(classifier.losses) == classifier.steps + 1
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    prediction = classifier.predict(tasks.query[0].flatten(1))
    assert prediction.probabilities.shape == (6, 3)
    torch.testing.assert_close(prediction.probabilities.sum(1), torch.ones(6))
    assert prediction.nearest.shape == (6, 5)
    torch.testing.assert_close(
        classifier.novelty(tasks.query[0].flatten(1)), prediction.nearest_distance[:, 0]
    )
    assert classifier.temperature == (1.7 if own else pytest.approx(1.0))
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
    if name != "meta-lstm":  # its rule is random here
        assert classifier.losses[-1] < classifier.losses[0]


def test_the_answer_is_that_of_plain_adapt(tiny_network: Any, draw_tasks: Any) -> None:
    network, tasks = tiny_network(), draw_tasks()
    learner, model = learner_of("maml", network, ways=3), functional_network(network)
    params = {**network_params(network), **learner.context.head_tensors}

    def logits(weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
        return head_logits(weights, model(weights, images))

    adapted = adapt(logits, params, tasks.support[0], tasks.support_labels[0], steps=3, lr=0.2)
    scores = learner.fit(support_of(tasks)).predict(tasks.query[0].flatten(1)).scores
    torch.testing.assert_close(scores, logits(adapted, tasks.query[0]).detach())


@pytest.mark.parametrize("name", METHODS)
def test_step_k_is_a_fit_with_k_steps(name: str, tiny_network: Any, draw_tasks: Any) -> None:
    tasks = draw_tasks()
    learner = learner_of(name, tiny_network())
    whole, query = learner.fit(support_of(tasks)), tasks.query[0].flatten(1)
    settings = {**OWN[name], "steps": OWN[name]["steps"], "test_steps": 2}
    fresh = GradientLearner(name, settings, learner.context).fit(support_of(tasks))
    early = whole.at_step(2)
    torch.testing.assert_close(early.predict(query).scores, fresh.predict(query).scores)
    assert early.losses == pytest.approx(fresh.losses)
    assert early.steps == 2
    torch.testing.assert_close(early.at_step(3).predict(query).scores, whole.predict(query).scores)
    for strange in (-1, 4):
        with pytest.raises(IndexError, match="steps 0 to 3"):
            whole.at_step(strange)


@pytest.mark.parametrize("norm", ["none", "task"])
@pytest.mark.parametrize("name", METHODS)
def test_an_answer_does_not_depend_on_the_other_queries(
    name: str, norm: str, tiny_network: Any, draw_tasks: Any
) -> None:
    tasks = draw_tasks(shots=3)
    learner = learner_of(name, tiny_network(norm))
    assert not getattr(learner, "transductive", False), "though its training used them all"
    classifier, query = learner.fit(support_of(tasks)), tasks.query[0].flatten(1)
    alone = classifier.predict(query[:1]).scores
    among = classifier.predict(torch.cat([query[:1], 30 * torch.randn(9, 64, dtype=torch.float64)])).scores
    torch.testing.assert_close(among[:1], alone)


def test_with_batch_statistics_the_examples_keep_their_embeddings(tiny_network: Any, draw_tasks: Any) -> None:
    support = support_of(draw_tasks(shots=3))
    classifier = learner_of("fomaml", tiny_network("task")).fit(support)
    torch.testing.assert_close(classifier.embed(support.embeddings), classifier.support.embeddings)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("ways", [1, 2, 7])
def test_any_number_of_ways(ways: int, own: bool, tiny_network: Any, draw_tasks: Any) -> None:
    tasks = draw_tasks(ways=ways)
    classifier = learner_of("fomaml", tiny_network(), own=own).fit(support_of(tasks))
    assert classifier.predict(tasks.query[0].flatten(1)).probabilities.shape == (2 * ways, ways)
    assert all(math.isfinite(loss) for loss in classifier.losses)


def test_more_categories_than_the_learned_layer_has_rows_are_an_error(
    tiny_network: Any, draw_tasks: Any
) -> None:
    learner = learner_of("maml", tiny_network(), ways=3)
    with pytest.raises(SupportError, match="at most 3 categories here, and 4 have examples; choose another"):
        learner.fit(support_of(draw_tasks(ways=4)))
    learner.fit(support_of(draw_tasks(ways=2)))


def test_an_empty_category_takes_no_part(tiny_network: Any, draw_tasks: Any) -> None:
    tasks = draw_tasks(ways=3)
    full = support_of(tasks)
    gap = SupportSet(full.embeddings, torch.tensor([0, 2, 3])[full.labels], ("a", "empty", "b", "c"))
    learner, query = learner_of("maml", tiny_network(), ways=3), tasks.query[0].flatten(1)
    with_gap, without = learner.fit(gap).predict(query), learner.fit(full).predict(query)
    torch.testing.assert_close(with_gap.probabilities[:, [0, 2, 3]], without.probabilities)
    assert bool((with_gap.scores[:, 1] == -math.inf).all())
    assert bool((with_gap.distances[:, 1] == math.inf).all())


class Stop(Exception):  # noqa: N818 - cancelling is not an error
    pass


@pytest.mark.parametrize("name", METHODS)
def test_cancel_is_asked_before_every_few_pictures_and_stops(
    name: str, tiny_network: Any, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_PIXELS_AT_ONCE", 2 * 64)
    learner, support = learner_of(name, tiny_network()), support_of(draw_tasks(shots=4))
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    learner.fit(support, cancel=count)
    assert asked >= 12 // 2 + 3  # within the first pass over 12 pictures, and before each step

    for allowed in range(0, asked, 5):
        left = allowed

        def stop() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stop

        with pytest.raises(Stop):
            learner.fit(support, cancel=stop)
        assert left == -1


def test_pieces_change_nothing(tiny_network: Any, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = draw_tasks(shots=4)
    learner, query = learner_of("fomaml", tiny_network()), tasks.query[0].flatten(1)
    whole = learner.fit(support_of(tasks)).predict(query).scores
    monkeypatch.setattr(pieces, "_PIXELS_AT_ONCE", 5 * 64)
    torch.testing.assert_close(learner.fit(support_of(tasks)).predict(query).scores, whole)


def test_large_networks_and_pictures_are_taken_fewer_at_a_time() -> None:
    small, large = torch.zeros(200, 1, 28, 28), torch.zeros(200, 3, 84, 84)
    assert pieces.pictures_at_once(small) == 25
    assert pieces.pictures_at_once(large) == 2
    assert pieces.pictures_at_once(large, 10_000_000) == 1
    assert pieces.pictures_at_once(torch.zeros(200, 3, 84, 84, device="meta")) == 99


def test_no_query_is_an_empty_answer(tiny_network: Any, draw_tasks: Any) -> None:
    classifier = learner_of("fomaml", tiny_network()).fit(support_of(draw_tasks()))
    assert classifier.predict(torch.zeros(0, 64)).probabilities.shape == (0, 3)


def test_a_bundle_without_a_network_is_an_error() -> None:
    with pytest.raises(SettingsError, match="none was given"):
        _ = GradientLearner("maml", {}, LearnerContext()).network


@pytest.mark.parametrize("name", [name for name in METHODS if name != "meta-lstm"])
def test_shuffled_labels_give_chance(name: str, tiny_network: Any, draw_tasks: Any) -> None:
    tasks = draw_tasks(count=12, ways=3, queries=10, noise=1.0, shuffled=True)
    learner = learner_of(name, tiny_network(), own=False)
    right = 0
    for task in range(len(tasks)):
        answer = learner.fit(support_of(tasks, task)).predict(tasks.query[task].flatten(1))
        right += int((answer.scores.argmax(1) == tasks.query_labels[task]).sum())
    spread = (360 * (1 / 3) * (2 / 3)) ** 0.5
    assert abs(right - 120) < 4 * spread


@pytest.mark.parametrize("name", METHODS)
def test_meta_training_learns_to_learn(name: str, tiny_network: Any, draw_tasks: Any) -> None:
    """Adapting to new tasks of the same world gets better than it was before training."""
    network = tiny_network(dtype=torch.float32)
    settings = OWN[name] | ({"lr": 0.1} if name in {"anil", "fomaml", "meta-sgd", "maml"} else {})
    method, model = build_method(name, settings), functional_network(network)
    generator = torch.Generator().manual_seed(0)
    own = method.initial(12, 3, generator, dict(network.named_parameters()))
    params = {key: value.clone() for key, value in {**network_params(network), **own}.items()}
    optimiser = (
        torch.optim.SGD(params.values(), lr=0.5)
        if name == "reptile"
        else torch.optim.Adam(params.values(), lr=0.01)
    )
    losses = []
    for seed in range(60):
        tasks = draw_tasks(count=4, shots=3, seed=seed, noise=0.7, dtype=torch.float32)
        step = method.meta_step(model, params, tasks)
        for key, gradient in step.gradients.items():
            params[key].grad = gradient
        optimiser.step()
        losses.append(step.loss)
    assert sum(losses[-15:]) < 0.93 * sum(losses[:15])


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        ([1.0, 0.6, 0.3], 2),
        ([1.0, 0.3, 0.4], 2),  # a little up again
        ([1.0, 0.3, 9.0, 0.9], 1),
        ([1.0, 2.0, 3.0], 0),
        ([1.0, 0.5, math.nan], 1),
        ([math.inf, math.nan], 0),
        ([0.7], 0),
        ([0.5, 0.5], 1),
        ([0.5, 0.45, 0.52], 2),  # too little to matter
    ],
)
def test_steps_that_went_astray_are_taken_back(losses: list[float], kept: int) -> None:
    assert _last_sound(losses) == kept


def test_too_large_a_step_answers_as_before_it(tiny_network: Any, draw_tasks: Any) -> None:
    """Before, one such task in five of 20-way 5-shot was answered by chance."""
    tasks = draw_tasks(shots=3)
    learner = learner_of("fomaml", tiny_network())
    learner = GradientLearner("fomaml", {"steps": 3, "lr": 1e4, "head": "prototype"}, learner.context)
    classifier = learner.fit(support_of(tasks))
    assert classifier.losses[-1] == min(classifier.losses)
    assert classifier.steps < 3
    still = classifier.predict(tasks.query[0].flatten(1)).probabilities
    assert bool(still.isfinite().all())
