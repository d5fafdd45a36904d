"""The catalogue: every name makes its learner, imports only what it needs, and refuses a bundle in words."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import pytest
import torch

from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.catalogue import LEARNERS, LearnerError, make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.facts import FACTS, facts_of, space_of
from fewshot_gui.core.learners.heads import build_head
from fewshot_gui.core.learners.stepwise import StepwiseClassifier, StepwiseLearner

EASY = tuple(
    facts.name for facts in FACTS.values() if facts.space == "embedding" and not facts.needs_own_bundle
)


@pytest.mark.parametrize("name", EASY)
def test_every_name_makes_its_learner_with_the_defaults_of_the_bundle(name: str) -> None:
    learner = make_learner(name, LearnerContext(0.25, 0.9))
    assert learner.name == name
    assert learner.default_temperature == 0.25  # type: ignore[attr-defined]
    assert learner.default_novelty == 0.9  # type: ignore[attr-defined]


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(LearnerError) as caught:
        make_learner("protonet")
    assert "'protonet'" in str(caught.value)
    assert all(name in str(caught.value) for name in LEARNERS)


def imported(code: str) -> bool:
    """Return whether torch is imported by that code, in a process of its own."""
    script = f"import sys; {code}; sys.exit('torch' in sys.modules)"
    return subprocess.run([sys.executable, "-c", script], check=False).returncode != 0


def test_names_facts_and_refusals_are_known_without_torch() -> None:
    assert not imported("import fewshot_gui.core.learners.catalogue, fewshot_gui.core.learners.stepwise")
    assert not imported("from fewshot_gui.core.backbones import fits, catalogue; catalogue.shipped_sound()")


def test_one_learner_does_not_import_the_others() -> None:
    script = (
        "import sys; from fewshot_gui.core.learners.catalogue import make_learner; make_learner('nearest');"
        "sys.exit('fewshot_gui.core.learners.ridge' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_facts_are_consistent() -> None:
    assert tuple(FACTS) == LEARNERS
    for name, facts in FACTS.items():
        assert facts_of(name) is facts
        assert facts.name == name
        assert (facts.space == "pixels") == (facts.family == "gradient")
        assert facts.needs_own_bundle or not facts.limited_ways
    assert space_of("maml") == "pixels"
    assert space_of("crystal ball") == "embedding"


@pytest.mark.parametrize("name", [name for name, facts in FACTS.items() if facts.needs_own_bundle])
def test_a_bundle_of_another_learner_is_refused_in_words(name: str) -> None:
    with pytest.raises(LearnerError, match=f"{name} works only on a bundle that was trained for it"):
        make_learner(name, LearnerContext(learner="prototypical"))
    with pytest.raises(LearnerError, match="this one was not"):
        make_learner(name)


def test_the_head_of_the_bundle_answers() -> None:
    torch.manual_seed(0)
    head = build_head({"kind": "ridge"}, 4)
    context = LearnerContext(
        learner="ridge",
        head={"kind": "ridge"},
        head_tensors=head.state_dict(),
        head_temperature=0.5,
        dimension=4,
    )  # fmt: skip
    learner: Any = make_learner("ridge", context)
    assert learner.name == "ridge"
    assert learner.default_temperature == 0.5
    support = SupportSet(torch.eye(4), torch.tensor([0, 0, 1, 1]), ("a", "b"))
    query = torch.eye(4)[:2] + 0.1
    with torch.no_grad():
        wanted = head.eval().scores(support.embeddings, support.labels, query, 2)
    assert torch.allclose(learner.fit(support).predict(query).scores, wanted)
    assert type(make_learner("ridge", LearnerContext(learner="ridge"))).__name__ == "Ridge"  # no head: plain


@pytest.mark.parametrize(
    "changes",
    [
        {"head": {"kind": "abacus"}},
        {"head_tensors": {"weight": torch.zeros(3)}},
        {"head": {"kind": "feat", "x": 1}},
    ],
)
def test_a_head_that_does_not_fit_is_a_learner_error(changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {"learner": "feat", "head": {"kind": "feat"}, "dimension": 4} | changes
    with pytest.raises(LearnerError, match="feat head of this bundle cannot be used"):
        make_learner("feat", LearnerContext(**values))


def test_a_gradient_method_gets_the_network_and_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any], LearnerContext]] = []

    def maker(name: str, settings: dict[str, Any], context: LearnerContext) -> str:
        asked.append((name, settings, context))
        return name

    module = types.SimpleNamespace(GradientLearner=maker)
    monkeypatch.setitem(sys.modules, "fewshot_gui.core.learners.gradient.learner", module)
    context = LearnerContext(learner="maml", head={"steps": 3}, network=torch.nn.Identity())
    assert make_learner("maml", context) == "maml"  # type: ignore[comparison-overlap]
    make_learner("reptile", context)
    assert asked == [("maml", {"steps": 3}, context), ("reptile", {}, context)]
    with pytest.raises(LearnerError, match="anil adapts a network, and none is given"):
        make_learner("anil")


def test_who_takes_steps_is_told_from_who_does_not() -> None:
    class Adapted:
        losses = (1.0, 0.5)
        steps = 1

        def at_step(self, _steps: int) -> Adapted:
            return self

    assert isinstance(Adapted(), StepwiseClassifier)
    plain = make_learner("nearest")
    assert not isinstance(plain, StepwiseLearner)
    support = SupportSet(torch.eye(2), torch.tensor([0, 1]), ("a", "b"))
    assert not isinstance(plain.fit(support), StepwiseClassifier)
