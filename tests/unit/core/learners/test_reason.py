"""What a choice of learner rests on, as values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fewshot_gui.core.learners.reason import Choice, Reason, Why, choice_of


def test_accuracies_are_told_as_counts() -> None:
    reason = Reason(Why.LEAVE_ONE_OUT, 2, 10, "ridge", 20, {"ridge": 0.7, "simpleshot": 0.9})
    assert (reason.right("simpleshot"), reason.right("ridge")) == (18, 14)
    with pytest.raises(KeyError):
        reason.right("nearest")


def test_a_classifier_that_was_not_chosen_has_no_choice() -> None:
    reason = Reason(Why.RULE, 3, 5, "ridge")
    assert choice_of(SimpleNamespace(chosen="ridge", learner=None, reason=reason)) == Choice("ridge", reason)
    assert choice_of(SimpleNamespace()) is None
    assert choice_of(None) is None
