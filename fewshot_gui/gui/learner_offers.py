"""What the window offers as learners: those that fit the task, and what stands in the way of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.catalogue import installed_sound, kind_of_bundle
from fewshot_gui.core.backbones.fits import Misfit, misfit
from fewshot_gui.core.learners.facts import FACTS
from fewshot_gui.engine.commands import ChooseBackbone, ChooseLearner, Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.learners.facts import Family, LearnerFacts
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.state import Document


@dataclass(frozen=True, slots=True)
class Task:
    """What a learner would have to do.

    Attributes:
        backbone: name or path of the bundle in use.
        ways: categories that have examples.
        pictures: to be classified, examples included.
    """

    backbone: str
    ways: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """One learner, as it is offered for a task.

    Attributes:
        name: of the learner.
        family: under whose heading it stands.
        misfit: what keeps it from the task on the backbone in use; None where nothing does.
        most: categories that it can tell apart, where `misfit` is that there are more.
        bundle: a bundle that it would fit on; empty where it fits already, or nowhere.
    """

    name: str
    family: Family
    misfit: Misfit | None = None
    most: int | None = None
    bundle: str = ""

    @property
    def possible(self) -> bool:
        """Whether it can be chosen, with a bundle of its own if need be."""
        return self.misfit is None or bool(self.bundle)

    @property
    def command(self) -> Command:
        """Choosing it, as one step of undo."""
        choose = ChooseLearner(self.name)
        return Together((ChooseBackbone(self.bundle), choose)) if self.bundle else choose


def task_of(document: Document, in_gallery: int = 0) -> Task:
    """Return the task of a document, with so many pictures in the gallery."""
    counts = [len(category.examples) for category in document.categories if category.examples]
    return Task(document.settings.backbone, len(counts), sum(counts) + in_gallery)


def offers_for(task: Task) -> list[Offer]:
    """Return an offer for every learner, family by family; most fit a backbone that cannot be read."""
    try:
        info = describe_bundle(task.backbone)
    except BundleError:
        info = None
    shipped = installed_sound()
    return [_offer(facts, info, shipped, task) for facts in FACTS.values()]


def _offer(facts: LearnerFacts, info: BundleInfo | None, shipped: Sequence[BundleInfo], task: Task) -> Offer:
    if info is None:
        # Nothing fits a backbone that is not there; one of its own is the way out for those that need one.
        why = Misfit.NEEDS_OWN_BUNDLE if facts.needs_own_bundle else None
    else:
        why = misfit(facts, info, task.ways, task.pictures)
    if why is None:
        return Offer(facts.name, facts.family)
    if why in {Misfit.TOO_MANY_PICTURES, Misfit.NO_GRADIENTS, Misfit.SEES_TOGETHER}:
        return Offer(facts.name, facts.family, why)
    own = [each for each in shipped if each.learner == facts.name]
    # Those for the kind of pictures at hand first: a network for drawings sees little in a photo.
    own.sort(key=lambda each: info is not None and kind_of_bundle(each) != kind_of_bundle(info))
    reasons = {each.name: misfit(facts, each, task.ways, task.pictures) for each in own}
    bundle = next((name for name, reason in reasons.items() if reason is None), "")
    if not bundle and Misfit.TOO_MANY_WAYS in reasons.values():
        why = Misfit.TOO_MANY_WAYS
    known = own if why is Misfit.NEEDS_OWN_BUNDLE or info is None else [*own, info]
    most = max((most for each in known if (most := _most_ways(each)) is not None), default=None)
    return Offer(facts.name, facts.family, why, most, bundle)


def _most_ways(info: BundleInfo) -> int | None:
    most = info.head.get("max_ways", info.ways)
    return None if most is None else int(most)
