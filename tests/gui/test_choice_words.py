"""Which learner was chosen, and why, in one sentence for a person."""

from __future__ import annotations

import pytest

from fewshot_gui.core.learners.reason import Choice, Reason, Why
from fewshot_gui.gui.choice_words import choice_words


@pytest.mark.parametrize(
    ("why", "shots", "said"),
    [
        (Why.ONE_CATEGORY, 3, "because only one category has examples."),
        (Why.TOO_FEW, 1, "because one example each is too few to compare learners on."),
        (Why.ALIKE, 11, "because frames that look alike cannot tell which learner is better."),
        (Why.RULE, 1.4, "because you gave about one example each, and no other did clearly better."),
        (
            Why.TOO_MANY,
            900,
            "because you gave about 900 examples each, too many in all to compare learners on.",
        ),
        (Why.RULE, 5, "because you gave about 5 examples each, and no other did clearly better."),
    ],
)
def test_each_ground_is_one_sentence(why: Why, shots: float, said: str) -> None:
    assert choice_words(Choice("ridge", Reason(why, 3, shots, "ridge"))) == f"Ridge regression, {said}"


def test_evidence_is_told_with_its_figures() -> None:
    reason = Reason(Why.LEAVE_ONE_OUT, 2, 4, "prototypical", 20, {"prototypical": 0.7, "ridge": 0.9})
    assert choice_words(Choice("ridge", reason)) == (
        "Ridge regression, because it was right on 18 of 20 left-out examples, Prototypes on 14."
    )
