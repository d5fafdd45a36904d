"""Meta-gradients against hand-computed values, finite differences, higher and torchopt."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.gradient import pieces
from fewshot_gui.core.learners.gradient.functional import adapt, functional_network, network_params
from fewshot_gui.core.learners.gradient.learned_rule import LearnedUpdate, preprocess
from fewshot_gui.core.learners.gradient.meta_step import step_weights
from fewshot_gui.core.learners.gradient.methods import METHODS, SettingsError, build_method
from fewshot_gui.core.learners.gradient.reptile import minibatches
from fewshot_gui.core.learners.gradient.rules import AdaptiveDescent, PolyakDescent
from fewshot_gui.core.learners.gradient.start import head_logits, prototype_head

if TYPE_CHECKING:
    from types import ModuleType

    from fewshot_gui.core.learners.gradient.functional import Params
    from fewshot_gui.core.learners.gradient.tasks import Tasks

CASES = [
    ("maml", {"steps": 3, "lr": 0.2, "head": "learned"}),
    ("maml", {"steps": 2, "lr": 0.2, "head": "zero"}),
    ("maml", {"steps": 2, "lr": 0.05, "head": "prototype"}),
    ("maml", {"steps": 3, "lr": 0.2, "head": "learned", "multi_step": 0.5}),
    ("maml", {"steps": 2, "lr": 0.2, "head": "learned", "rates": "layer-step"}),
    ("anil", {"steps": 3, "lr": 0.2, "head": "learned"}),
    ("anil", {"steps": 3, "lr": 0.2, "head": "zero"}),
    ("meta-sgd", {"steps": 2, "lr": 0.2, "head": "learned"}),
]


def initial(name: str, settings: dict[str, Any], network: nn.Module, ways: int) -> Params:
    weights = dict(network.named_parameters())
    generator = torch.Generator().manual_seed(5)
    own = build_method(name, settings).initial(12, ways, generator, weights)
    dtype = next(iter(weights.values())).dtype
    return {**network_params(network), **{key: value.to(dtype) for key, value in own.items()}}


def naive_loss(
    name: str, settings: dict[str, Any], network: nn.Module, params: Params, tasks: Tasks
) -> float:
    """Return the meta-loss by a derivation of its own: plain loops, autograd and no class of the package."""
    model, total = functional_network(network), 0.0

    def loss_of(weights: Params, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = functional.linear(model(weights, images), weights["head.weight"], weights["head.bias"])
        return functional.cross_entropy(logits, labels)

    for task in range(len(tasks)):
        weights = {key: value.clone().requires_grad_() for key, value in params.items()}
        if settings.get("head") == "zero":
            zeros = {"head.weight": torch.zeros(tasks.ways, 12), "head.bias": torch.zeros(tasks.ways)}
            weights |= {key: value.double().requires_grad_() for key, value in zeros.items()}
        moved = ("head.",) if name == "anil" else ("network.", "head.")
        names = [key for key in weights if key.startswith(moved)]
        losses = []
        for step in range(settings["steps"]):
            loss = loss_of(weights, tasks.support[task], tasks.support_labels[task])
            slopes = torch.autograd.grad(loss, [weights[key] for key in names])
            for key, slope in zip(names, slopes, strict=True):
                rate = naive_rate(name, settings, params, key, step)
                weights[key] = (weights[key] - rate * slope).detach().requires_grad_()
            losses.append(float(loss_of(weights, tasks.query[task], tasks.query_labels[task]).detach()))
        total += sum(losses) / len(losses) if "multi_step" in settings else losses[-1]
    return total / len(tasks)


def naive_rate(
    name: str, settings: dict[str, Any], params: Params, key: str, step: int
) -> torch.Tensor | float:
    if name == "meta-sgd":
        return params["lr." + key]
    return params["lr." + key][step] if "rates" in settings else settings["lr"]


@pytest.mark.parametrize(("name", "settings"), [case for case in CASES if case[1]["head"] != "prototype"])
def test_a_meta_gradient_is_the_slope_of_the_meta_loss(
    name: str, settings: dict[str, Any], tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(), draw_tasks()
    params = initial(name, settings, network, tasks.ways)
    step = build_method(name, settings).meta_step(functional_network(network), params, tasks, progress=0.0)
    assert step.loss == pytest.approx(naive_loss(name, settings, network, params, tasks), rel=1e-9)
    assert set(step.gradients) == set(params)
    generator = torch.Generator().manual_seed(1)
    for key in params:  # each tensor along a random direction
        direction = torch.randn(params[key].shape, generator=generator, dtype=torch.float64)
        ends = [
            naive_loss(name, settings, network, {**params, key: params[key] + sign * 1e-6 * direction}, tasks)
            for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / 2e-6
        assert float((step.gradients[key] * direction).sum()) == pytest.approx(
            expected, rel=1e-5, abs=1e-8
        ), key


def test_the_meta_gradient_goes_through_the_scale_of_a_prototype_head(
    tiny_network: Any, draw_tasks: Any
) -> None:
    """A scale taken for a constant rewards longer embeddings, which change no answer: training diverged."""
    network, tasks = tiny_network(), draw_tasks()
    settings = {"steps": 2, "lr": 0.05, "head": "prototype"}
    params = initial("maml", settings, network, tasks.ways)
    method, model = build_method("maml", settings), functional_network(network)
    gradients = method.meta_step(model, params, tasks).gradients
    generator = torch.Generator().manual_seed(1)
    for key in params:
        direction = torch.randn(params[key].shape, generator=generator, dtype=torch.float64)
        ends = [
            method.meta_step(model, {**params, key: params[key] + sign * 1e-6 * direction}, tasks).loss
            for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / 2e-6
        assert float((gradients[key] * direction).sum()) == pytest.approx(expected, rel=1e-5, abs=1e-8), key


@pytest.mark.parametrize(("name", "settings"), [*CASES, ("fomaml", {"steps": 2, "head": "zero"})])
def test_all_tasks_at_once_give_the_same_as_one_after_the_other(
    name: str, settings: dict[str, Any], tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(), draw_tasks()
    params = initial(name, settings, network, tasks.ways)
    method, model = build_method(name, settings), functional_network(network)
    one, other = (method.meta_step(model, params, tasks, progress=0.0, batch=way) for way in (False, True))
    assert one.loss == pytest.approx(other.loss, rel=1e-12)
    assert one.accuracy == other.accuracy
    for key in params:
        torch.testing.assert_close(one.gradients[key], other.gradients[key], rtol=1e-10, atol=1e-12)


def test_the_fast_way_gives_the_gradient_of_adapt(tiny_network: Any, draw_tasks: Any) -> None:
    network, tasks = tiny_network(), draw_tasks(count=1)
    settings = {"steps": 3, "lr": 0.2, "head": "learned"}
    params = initial("maml", settings, network, tasks.ways)
    model = functional_network(network)
    leaf = {key: value.clone().requires_grad_() for key, value in params.items()}

    def logits(w: Params, images: torch.Tensor) -> torch.Tensor:
        return head_logits(w, model(w, images))

    adapted = adapt(logits, leaf, tasks.support[0], tasks.support_labels[0], steps=3, lr=0.2)
    loss = functional.cross_entropy(logits(adapted, tasks.query[0]), tasks.query_labels[0])
    expected = torch.autograd.grad(loss, list(leaf.values()))
    step = build_method("maml", settings).meta_step(model, params, tasks)
    for key, gradient in zip(leaf, expected, strict=True):
        torch.testing.assert_close(step.gradients[key], gradient, rtol=1e-10, atol=1e-12)


def test_gradcheck_of_adapt_by_weights_and_by_rates() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    y = torch.tensor([0, 1, 1, 0])
    weight = torch.randn(2, 3, generator=generator, dtype=torch.float64).requires_grad_()
    rate = torch.rand(2, 3, generator=generator, dtype=torch.float64).requires_grad_()

    def adapted(weight: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
        params = adapt(lambda p, x: x @ p["w"].T, {"w": weight}, x, y, steps=3, lr={"w": rate})
        return params["w"]

    assert torch.autograd.gradcheck(adapted, (weight, rate))


def test_one_step_of_a_linear_model_by_hand() -> None:
    """Two classes, w = 0: p = 1/2, so the gradient is (p - y) x, and one step of rate 1 gives +-x / 2."""
    x, y = torch.tensor([[2.0, 4.0]], dtype=torch.float64), torch.tensor([0])
    start = {"w": torch.zeros(2, 2, dtype=torch.float64)}
    params = adapt(lambda p, x: x @ p["w"].T, start, x, y, steps=1, lr=1.0)
    assert torch.equal(params["w"], torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64))
    assert torch.equal(adapt(lambda p, x: x @ p["w"].T, start, x, y, steps=0, lr=1.0)["w"], start["w"])


def test_the_second_order_is_really_second_and_the_first_is_its_definition(
    tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(), draw_tasks(count=1)
    settings = {"steps": 3, "lr": 0.2, "head": "learned"}
    params, model = initial("maml", settings, network, tasks.ways), functional_network(network)
    second = build_method("maml", settings).meta_step(model, params, tasks)
    first = build_method("fomaml", settings).meta_step(model, params, tasks)
    same = build_method("maml", {**settings, "first_order": True}).meta_step(model, params, tasks)

    def logits(w: Params, images: torch.Tensor) -> torch.Tensor:
        return head_logits(w, model(w, images))

    ends = adapt(logits, params, tasks.support[0], tasks.support_labels[0], steps=3, lr=0.2)
    leaf = {key: value.detach().requires_grad_() for key, value in ends.items()}
    loss = functional.cross_entropy(logits(leaf, tasks.query[0]), tasks.query_labels[0])
    definition = dict(zip(leaf, torch.autograd.grad(loss, list(leaf.values())), strict=True))
    assert first.loss == second.loss
    for key in params:
        torch.testing.assert_close(first.gradients[key], definition[key], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(first.gradients[key], same.gradients[key])
        assert float((first.gradients[key] - second.gradients[key]).norm()) > 1e-4, key


def peer(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def by_higher(classifier: nn.Module, tasks: Tasks, *, first_order: bool) -> list[torch.Tensor]:
    higher = peer("higher")
    classifier.zero_grad()
    optimiser = torch.optim.SGD(classifier.parameters(), lr=0.1)
    for task in range(len(tasks)):
        with higher.innerloop_ctx(
            classifier, optimiser, copy_initial_weights=False, track_higher_grads=not first_order
        ) as (patched, descent):
            for _ in range(3):
                descent.step(
                    functional.cross_entropy(patched(tasks.support[task]), tasks.support_labels[task])
                )
            loss = functional.cross_entropy(patched(tasks.query[task]), tasks.query_labels[task]) / len(tasks)
            if not first_order:
                loss.backward()
                continue
            slopes = torch.autograd.grad(loss, list(patched.parameters()))
            for parameter, slope in zip(classifier.parameters(), slopes, strict=True):
                parameter.grad = slope if parameter.grad is None else parameter.grad + slope
    return [parameter.grad.clone() for parameter in classifier.parameters() if parameter.grad is not None]


def by_torchopt(classifier: nn.Module, tasks: Tasks) -> list[torch.Tensor]:
    torchopt = peer("torchopt")
    classifier.zero_grad()
    descent = torchopt.MetaSGD(classifier, lr=0.1)
    weights = torchopt.extract_state_dict(classifier, by="reference")
    state = torchopt.extract_state_dict(descent, by="reference")
    for task in range(len(tasks)):
        for _ in range(3):
            descent.step(
                functional.cross_entropy(classifier(tasks.support[task]), tasks.support_labels[task])
            )
        answer = classifier(tasks.query[task])
        (functional.cross_entropy(answer, tasks.query_labels[task]) / len(tasks)).backward()
        torchopt.recover_state_dict(classifier, weights)
        torchopt.recover_state_dict(descent, state)
    return [parameter.grad.clone() for parameter in classifier.parameters() if parameter.grad is not None]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("norm", ["none", "task"])
@pytest.mark.parametrize("other", ["higher", "torchopt", "higher first order"])
def test_updates_equal_those_of_independent_libraries(
    other: str, norm: str, tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(norm), draw_tasks()
    head = nn.Linear(12, 3).double()
    first_order = other.endswith("first order")
    classifier = nn.Sequential(network, head)
    expected = (
        by_torchopt(classifier, tasks)
        if other == "torchopt"
        else by_higher(classifier, tasks, first_order=first_order)
    )
    params = {**network_params(network), "head.weight": head.weight.detach(), "head.bias": head.bias.detach()}
    method = build_method("maml", {"steps": 3, "lr": 0.1, "head": "learned", "first_order": first_order})
    step = method.meta_step(functional_network(network), params, tasks)
    assert step.transductive == (norm == "task")
    for ours, theirs in zip(step.gradients.values(), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-10)


REPTILE = {"steps": 1, "lr": 0.3, "head": "learned", "optimiser": "sgd"}


def test_reptile_with_one_step_is_the_first_order_gradient_on_the_support_set(
    tiny_network: Any, draw_tasks: Any
) -> None:
    network, tasks = tiny_network(), draw_tasks()
    params, model = initial("reptile", REPTILE, network, 3), functional_network(network)
    step = build_method("reptile", REPTILE).meta_step(model, params, tasks)
    leaf = {key: value.clone().requires_grad_() for key, value in params.items()}
    loss = torch.stack(
        [
            functional.cross_entropy(head_logits(leaf, model(leaf, images)), labels)
            for images, labels in zip(tasks.support, tasks.support_labels, strict=True)
        ]
    ).mean()
    for key, gradient in zip(leaf, torch.autograd.grad(loss, list(leaf.values())), strict=True):
        torch.testing.assert_close(step.gradients[key], 0.3 * gradient)


def test_reptile_keeps_together_what_shares_statistics(
    tiny_network: Any, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, tasks = tiny_network("task"), draw_tasks()
    params, model = initial("reptile", REPTILE, network, 3), functional_network(network)
    whole = build_method("reptile", REPTILE).meta_step(model, params, tasks)
    monkeypatch.setattr(pieces, "_PIXELS_AT_ONCE", 64)
    parted = build_method("reptile", REPTILE).meta_step(model, params, tasks)
    assert parted.transductive
    assert parted.loss == whole.loss
    assert all(torch.equal(parted.gradients[key], whole.gradients[key]) for key in params)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_reptile_with_a_meta_step_of_one_lands_on_the_mean_of_the_tasks(
    optimiser: str, tiny_network: Any, draw_tasks: Any
) -> None:
    """The adapted weights come from torch's own optimisers."""
    network, tasks = tiny_network(), draw_tasks()
    settings = {**REPTILE, "steps": 4, "lr": 0.05, "optimiser": optimiser}
    params, model = initial("reptile", settings, network, 3), functional_network(network)
    step = build_method("reptile", settings).meta_step(model, params, tasks)
    ends = []
    for images, labels in zip(tasks.support, tasks.support_labels, strict=True):
        leaf = {key: value.clone().requires_grad_() for key, value in params.items()}
        descent = (
            torch.optim.SGD(leaf.values(), lr=0.05)
            if optimiser == "sgd"
            else torch.optim.Adam(leaf.values(), lr=0.05, betas=(0.0, 0.999))
        )
        for _ in range(4):
            descent.zero_grad()
            functional.cross_entropy(head_logits(leaf, model(leaf, images)), labels).backward()
            descent.step()
        ends.append({key: value.detach() for key, value in leaf.items()})
    for key, value in params.items():
        torch.testing.assert_close(value - step.gradients[key], (ends[0][key] + ends[1][key]) / 2)


def test_minibatches_take_the_examples_in_turn_and_the_classes_evenly() -> None:
    rows = minibatches(torch.tensor([0, 0, 0, 1, 1, 1]), 2)
    assert [rows(step).tolist() for step in range(4)] == [[0, 3], [1, 4], [2, 5], [0, 3]]
    assert minibatches(torch.tensor([0, 1]), 0)(7).sort().values.tolist() == [0, 1]


def lstm_params(forget: float, let_in: float) -> Params:
    params = LearnedUpdate(4).initial(torch.Generator().manual_seed(0))
    params = {key: value.double() for key, value in params.items()}
    for name, bias in (("forget", forget), ("in", let_in)):
        params[f"lstm.{name}.weight"] = torch.zeros_like(params[f"lstm.{name}.weight"])
        params[f"lstm.{name}.bias"] = torch.tensor(bias, dtype=torch.float64)
    return params


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_a_meta_lstm_that_keeps_all_and_lets_in_a_rate_is_plain_descent(rate: float) -> None:
    let_in = math.log(rate / (1 - rate)) if rate else -1e9
    weights = {"w": torch.tensor([[1.0, -2.0]], dtype=torch.float64), "b": torch.ones(1, dtype=torch.float64)}
    slopes = {"w": torch.tensor([[0.5, 3.0]], dtype=torch.float64), "b": -torch.ones(1, dtype=torch.float64)}
    rule, meta = LearnedUpdate(4), lstm_params(1e9, let_in)
    memory = rule.start(weights)
    now = weights
    for step in range(2):
        now, memory = rule.update(step, meta, now, slopes, torch.tensor(0.7, dtype=torch.float64), memory)
    for key, value in weights.items():
        torch.testing.assert_close(now[key], value - 2 * rate * slopes[key])


@pytest.mark.parametrize("batch", [False, True])
def test_the_meta_gradient_of_the_lstm_takes_inner_gradients_for_constants(
    batch: bool, tiny_network: Any, draw_tasks: Any
) -> None:
    """Finite differences with the inner gradients held at what they were, as in the paper."""
    network, tasks = tiny_network(), draw_tasks(count=1)
    settings = {"steps": 2, "hidden": 3}
    method, model = build_method("meta-lstm", settings), functional_network(network)
    params = initial("meta-lstm", settings, network, 3)
    step = method.meta_step(model, params, tasks, batch=batch)
    rule, held = LearnedUpdate(3), []

    def loss(params: Params) -> float:
        fast = {key: value for key, value in params.items() if not key.startswith("lstm.")}
        memory = rule.start(fast)
        for number in range(2):
            if len(held) <= number:
                leaf = {key: value.clone().requires_grad_() for key, value in fast.items()}
                value = functional.cross_entropy(
                    head_logits(leaf, model(leaf, tasks.support[0])), tasks.support_labels[0]
                )
                slopes = torch.autograd.grad(value, list(leaf.values()))
                held.append((dict(zip(leaf, slopes, strict=True)), value.detach()))
            fast, memory = rule.update(number, params, fast, *held[number], memory)
        return float(
            functional.cross_entropy(head_logits(fast, model(fast, tasks.query[0])), tasks.query_labels[0])
        )

    assert step.loss == pytest.approx(loss(params))
    generator = torch.Generator().manual_seed(1)
    for key in params:
        direction = torch.randn(params[key].shape, generator=generator, dtype=torch.float64)
        up, down = (loss({**params, key: params[key] + sign * 1e-5 * direction}) for sign in (1, -1))
        found = float((step.gradients[key] * direction).sum())
        assert found == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-9), key


def test_preprocessing_of_gradients_by_hand() -> None:
    tiny = 1e-6
    values = preprocess(torch.tensor([1.0, -math.exp(-5), tiny, 0.0], dtype=torch.float64))
    expected = [[0.0, 1.0], [-0.5, -1.0], [-1.0, tiny * math.exp(10)], [-1.0, 0.0]]
    torch.testing.assert_close(values, torch.tensor(expected, dtype=torch.float64))


def test_a_polyak_step_of_one_reaches_zero_on_a_linear_loss() -> None:
    rule, weights = PolyakDescent(1.0), {"w": torch.tensor([3.0, 4.0])}
    loss = (weights["w"] * torch.tensor([1.0, 2.0])).sum()
    stepped, _ = rule.update(0, {}, weights, {"w": torch.tensor([1.0, 2.0])}, loss, rule.start(weights))
    assert float((stepped["w"] * torch.tensor([1.0, 2.0])).sum()) == pytest.approx(0.0, abs=1e-5)
    still, _ = rule.update(0, {}, weights, {"w": torch.zeros(2)}, torch.tensor(0.0), {})
    assert torch.equal(still["w"], weights["w"])
    assert AdaptiveDescent(0.1).initial({"w": (2,)}) == PolyakDescent(0.1).initial({"w": (2,)}) == {}


def test_the_head_of_prototypes_orders_by_distance_to_the_class_means() -> None:
    generator = torch.Generator().manual_seed(0)
    support, labels = torch.randn(6, 4, generator=generator) + 50, torch.tensor([0, 1, 2, 0, 1, 2])
    query = torch.randn(9, 4, generator=generator) + 50
    logits = head_logits(prototype_head(support, labels, 3), query)
    means = torch.stack([support[labels == way].mean(0) for way in range(3)])
    distances = torch.cdist(query, means).square()
    scale = (means - means.mean(0)).square().sum(1).mean()
    expected = -distances / scale * 2
    torch.testing.assert_close(
        logits - logits.mean(1, keepdim=True), expected - expected.mean(1, keepdim=True), rtol=1e-3, atol=1e-3
    )


def test_the_weights_of_the_steps_fade_toward_the_last() -> None:
    assert step_weights(4, 0.0, 0.0) == {4: 1.0}
    assert step_weights(4, 0.5, 0.0) == pytest.approx({1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25})
    middle = step_weights(4, 0.5, 0.25)
    assert sum(middle.values()) == pytest.approx(1.0)
    assert middle[4] > middle[1] == pytest.approx(0.125)
    assert step_weights(4, 0.5, 0.5) == {4: 1.0}


@pytest.mark.parametrize("name", METHODS)
def test_a_fresh_head_starts_at_the_loss_of_chance(name: str, tiny_network: Any, draw_tasks: Any) -> None:
    network, tasks = tiny_network(), draw_tasks(ways=4)
    settings: dict[str, Any] = {"head": "zero"} if name == "meta-lstm" else {"head": "zero", "lr": 1e-9}
    params = initial(name, settings, network, 4)
    step = build_method(name, settings).meta_step(functional_network(network), params, tasks)
    assert step.loss == pytest.approx(math.log(4), abs=0.1 if name == "meta-lstm" else 1e-5)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("mamml", {}, "there is no gradient method"),
        ("anil", {"rate": 1}, "takes"),
        ("maml", {"steps": 0}, "1 or more"),
        ("maml", {"steps": 2.5}, "not a int"),
        ("maml", {"lr": 0}, "above 0"),
        ("maml", {"head": "none"}, "one of zero"),
        ("maml", {"multi_step": 2.0}, "share"),
        ("reptile", {"optimiser": "rmsprop"}, "adam or sgd"),
    ],
)
def test_strange_settings_are_an_error_that_says_so(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_method(name, settings)


def test_learned_rates_need_the_network() -> None:
    with pytest.raises(SettingsError, match="network must be given"):
        build_method("meta-sgd", {}).initial(4, 2, torch.Generator())
