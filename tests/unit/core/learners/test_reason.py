"""What a choice of learner rests on, as values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fewshot_gui.core.learners.reason import Choice, Reason, Why, choice_of


@pytest.mark.parametrize(("shots", "name"), [(1, "prototypical"), (4.5, "prototypical"), (5, "ridge")])
def test_the_rule_goes_by_shots(shots: float, name: str) -> None:
    assert Reason(Why.RULE, 3, shots).by_rule == name


def test_accuracies_are_told_as_counts() -> None:
    reason = Reason(Why.CROSS_VALIDATION, 2, 10, 20, {"ridge": 0.7, "simpleshot": 0.9})
    assert (reason.right("simpleshot"), reason.right("ridge")) == (18, 14)
    with pytest.raises(KeyError):
        reason.right("nearest")


def test_a_classifier_that_was_not_chosen_has_no_choice() -> None:
    reason = Reason(Why.RULE, 3, 5)
    assert choice_of(SimpleNamespace(chosen="ridge", reason=reason)) == Choice("ridge", reason)
    assert choice_of(SimpleNamespace()) is None
    assert choice_of(None) is None
