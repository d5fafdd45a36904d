"""What is known of each learner without importing torch: its space, its family, what it asks of a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Space: TypeAlias = Literal["embedding", "pixels"]
Family: TypeAlias = Literal["automatic", "prototype", "baseline", "learned", "gradient"]


@dataclass(frozen=True, slots=True)
class LearnerFacts:
    """What is known of a learner by its name.

    Attributes:
        name: on the command line.
        family: "automatic": takes one of the others; "prototype": a mean of each class; "baseline": computed
            from the support set alone; "learned": a meta-trained head; "gradient": adapts the network itself,
            step by step.
        space: what its support set and queries are: the backbone's "embedding", or "pixels", the normalised
            input of the network, flattened from (C, H, W).
        needs_own_bundle: it works only on a bundle that was meta-trained for it.
        limited_ways: it tells apart at most as many classes as its bundle was trained with.
        ordered: it reads the examples one after the other, so that another order gives other answers.
    """

    name: str
    family: Family
    space: Space = "embedding"
    needs_own_bundle: bool = False
    limited_ways: bool = False
    ordered: bool = False


_ALL = (
    LearnerFacts("auto", "automatic"),
    LearnerFacts("prototypical", "prototype"),
    LearnerFacts("prototypical-cosine", "prototype"),
    LearnerFacts("simpleshot", "prototype"),
    LearnerFacts("mahalanobis", "prototype"),
    LearnerFacts("nearest", "baseline"),
    LearnerFacts("ridge", "baseline"),
    LearnerFacts("logistic", "baseline"),
    LearnerFacts("finetune", "baseline"),
    LearnerFacts("matching", "learned", ordered=True),
    LearnerFacts("relation", "learned", needs_own_bundle=True),
    LearnerFacts("feat", "learned", needs_own_bundle=True),
    LearnerFacts("mann", "learned", needs_own_bundle=True, limited_ways=True, ordered=True),
    LearnerFacts("snail", "learned", needs_own_bundle=True, limited_ways=True, ordered=True),
    LearnerFacts("caml", "learned", needs_own_bundle=True, limited_ways=True),
    LearnerFacts("maml", "gradient", "pixels"),
    LearnerFacts("fomaml", "gradient", "pixels"),
    LearnerFacts("anil", "gradient", "pixels"),
    LearnerFacts("meta-sgd", "gradient", "pixels"),
    LearnerFacts("reptile", "gradient", "pixels"),
    LearnerFacts("meta-lstm", "gradient", "pixels", needs_own_bundle=True),
)
FACTS: Mapping[str, LearnerFacts] = MappingProxyType({facts.name: facts for facts in _ALL})
"""Every learner by its name, the simplest first."""
LEARNERS = tuple(FACTS)


class LearnerError(ValueError):
    """A learner that does not exist, or not on this bundle; its sentence says what there is instead."""


def facts_of(name: str) -> LearnerFacts:
    """Return what is known of the learner of that name.

    Raises:
        LearnerError: there is no such learner; the sentence lists those that there are.
    """
    if name not in FACTS:
        raise LearnerError(f"there is no learner {name!r}; choose one of {', '.join(LEARNERS)}")
    return FACTS[name]


def space_of(name: str) -> Space:
    """Return the space that a learner works in; "embedding" for a name that is none."""
    return FACTS[name].space if name in FACTS else "embedding"
