"""What is offered as learners: what fits, what needs another backbone, and what cannot be had."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleInfo, BundleProblem
from fewshot_gui.core.backbones.fits import Misfit
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.learners.facts import FACTS, LEARNERS
from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseBackbone, ChooseLearner, Together
from fewshot_gui.engine.state import CategoryId, Document, Example
from fewshot_gui.gui import learner_offers
from fewshot_gui.gui.learner_offers import Offer, Task, offers_for, task_of
from fewshot_gui.gui.learner_words import family_title, learner_line, learner_title, misfit_words

if TYPE_CHECKING:
    from collections.abc import Sequence

GREY = Preprocessing(side=28, channels=1, mean=(0.0,), std=(1.0,))
COLOUR = Preprocessing(side=84, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3)
PLAIN = BundleInfo(
    name="plain",
    title="Plain",
    path=Path("plain.safetensors"),
    hash="0",
    architecture={},
    preprocessing=GREY,
    dimension=64,
    normalise=False,
    temperature=1.0,
    novelty=1.0,
    parameters=1,
    size_bytes=1,
    training={},
)


def own(learner: str, ways: int | None = None, seen: Preprocessing = GREY) -> BundleInfo:
    name = f"{'omniglot' if seen is GREY else 'photo'}-{learner}{ways or ''}"
    return replace(PLAIN, name=name, learner=learner, ways=ways, preprocessing=seen)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> list[BundleInfo]:
    """The shipped bundles; the first is "plain"."""
    shelf = [PLAIN]

    def describe(name: str) -> BundleInfo:
        for info in shelf:
            if info.name == name:
                return info
        raise BundleError(BundleProblem.MISSING, name, "gone")

    monkeypatch.setattr(learner_offers, "installed_sound", lambda: list(shelf))
    monkeypatch.setattr(learner_offers, "describe_bundle", describe)
    return shelf


def offered(offers: Sequence[Offer], name: str) -> Offer:
    return next(offer for offer in offers if offer.name == name)


def test_every_learner_is_offered_once_and_families_stand_together(shelf: list[BundleInfo]) -> None:
    offers = offers_for(Task("plain", 3, 100))

    assert tuple(offer.name for offer in offers) == LEARNERS
    families = [offer.family for offer in offers]
    changes = sum(one != other for one, other in pairwise(families))
    assert changes == len(set(families)) - 1


def test_every_learner_has_words_of_its_own() -> None:
    titles = {learner_title(name) for name in LEARNERS}
    assert len(titles) == len(LEARNERS)
    assert all(title not in LEARNERS for title in titles)
    assert all(len(learner_title(name)) <= 20 for name in LEARNERS), "the header has no more room"
    assert all(20 < len(learner_line(name)) <= 80 for name in LEARNERS)
    assert {family_title(facts.family) for facts in FACTS.values()} >= {"Prototypes", "Adapting networks"}
    assert (learner_title("of-tomorrow"), learner_line("of-tomorrow")) == ("of-tomorrow", "")


def test_what_runs_on_any_backbone_is_chosen_as_it_is(shelf: list[BundleInfo]) -> None:
    for name in ("prototypical", "ridge", "maml", "reptile", "auto"):
        offer = offered(offers_for(Task("plain", 5, 1000)), name)
        assert offer.misfit is None
        assert offer.possible
        assert offer.command == ChooseLearner(name)


def test_a_learner_whose_weights_are_not_installed_cannot_be_had(shelf: list[BundleInfo]) -> None:
    offer = offered(offers_for(Task("plain", 5)), "relation")
    assert (offer.misfit, offer.bundle, offer.possible) == (Misfit.NEEDS_OWN_BUNDLE, "", False)
    assert misfit_words(Misfit.NEEDS_OWN_BUNDLE, None, "") == "Needs its own weights, and none are installed"


def test_a_learner_with_weights_of_its_own_comes_with_them_in_one_step(shelf: list[BundleInfo]) -> None:
    shelf.append(own("snail", 20))
    offer = offered(offers_for(Task("plain", 5)), "snail")
    assert offer.bundle == "omniglot-snail20"
    assert offer.command == Together((ChooseBackbone("omniglot-snail20"), ChooseLearner("snail")))
    words = misfit_words(Misfit.NEEDS_OWN_BUNDLE, offer.most, offer.bundle)
    assert words == "Needs its own weights: choose omniglot-snail20"


def test_weights_for_the_kind_of_pictures_at_hand_come_first(shelf: list[BundleInfo]) -> None:
    shelf += [own("relation", seen=COLOUR), own("relation")]
    assert offered(offers_for(Task("plain", 5)), "relation").bundle == "omniglot-relation"
    shelf[0] = replace(PLAIN, preprocessing=COLOUR)
    assert offered(offers_for(Task("plain", 5)), "relation").bundle == "photo-relation"


def test_a_sixth_category_leads_from_five_ways_to_twenty(shelf: list[BundleInfo]) -> None:
    shelf += [own("mann", 5), own("mann", 20)]
    assert offered(offers_for(Task("omniglot-mann5", 5)), "mann").misfit is None
    offer = offered(offers_for(Task("omniglot-mann5", 6)), "mann")
    assert (offer.misfit, offer.bundle) == (Misfit.TOO_MANY_WAYS, "omniglot-mann20")


def test_more_categories_than_any_weights_know_say_how_many_those_know(shelf: list[BundleInfo]) -> None:
    shelf += [own("mann", 5), own("mann", 20)]
    for backbone in ("plain", "omniglot-mann5", "omniglot-mann20"):
        offer = offered(offers_for(Task(backbone, 21)), "mann")
        assert (offer.misfit, offer.most, offer.possible) == (Misfit.TOO_MANY_WAYS, 20, False)
    assert misfit_words(Misfit.TOO_MANY_WAYS, 20, "") == "Knows at most 20 categories"


def test_too_many_pictures_for_a_network_that_sees_each_anew(shelf: list[BundleInfo]) -> None:
    shelf[0] = replace(PLAIN, preprocessing=COLOUR)
    offers = offers_for(Task("plain", 5, 100_000))
    assert offered(offers, "maml").misfit is Misfit.TOO_MANY_PICTURES
    assert not offered(offers, "maml").possible
    assert offered(offers, "ridge").misfit is None
    words = misfit_words(Misfit.TOO_MANY_PICTURES, None, "")
    assert words == "Too many pictures for this one"


def test_a_backbone_that_is_gone_does_not_empty_the_list(shelf: list[BundleInfo]) -> None:
    shelf.append(own("feat"))
    offers = offers_for(Task("/gone.safetensors", 5))
    assert offered(offers, "prototypical").possible
    assert offered(offers, "feat").bundle == "omniglot-feat"


def test_the_task_counts_what_has_examples() -> None:
    one, two = CategoryId("1"), CategoryId("2")
    document = Together((
        AddCategory(one, "a"), AddCategory(two, "b"),
        AddExamples(one, (Example("x" * 32, "x"), Example("y" * 32, "y"))),  # type: ignore[arg-type]
    )).apply(Document())  # fmt: skip
    assert task_of(document, 10) == Task("photo", 1, 12)
