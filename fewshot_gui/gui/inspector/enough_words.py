"""The words for whether this is enough, in one sentence, and for what would help most, in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.deciding.enough import GOOD_ENOUGH, VerdictKind

if TYPE_CHECKING:
    from fewshot_gui.engine.deciding.enough import LooReport, NextBest, Verdict
    from fewshot_gui.engine.state import CategoryId, Document

translate = QCoreApplication.translate
_LONGEST_NAME: Final = 32


def verdict_words(
    verdict: Verdict, document: Document, report: LooReport | None = None, *, examining: bool = True
) -> str:
    """Return the verdict as one sentence.

    Args:
        verdict: what to say.
        document: has the names.
        report: what the verdict was made of: whether others do no better than the weakest category.
        examining: whether a report is on its way at all.
    """
    if verdict.kind is VerdictKind.EXAMINING and not examining:
        return translate("Enough", "This learner takes too long to check itself after every change.")
    alike = _as_weak(verdict, document, report)
    every = len(alike) + 1 == len(document.categories)
    if verdict.kind is VerdictKind.TOO_FEW:
        template = _too_few(verdict.count, len(alike), every=every)
    elif verdict.kind is VerdictKind.SHAKY:
        template = _shaky(verdict, len(alike), every=every)
    else:
        template = _template(verdict.kind)
    return template.format(
        name=_name(document, verdict.category),
        other=_name(document, alike[0] if alike else verdict.other),
        others=f"{len(alike):,}",
        count=verdict.count,
        of=verdict.of,
        correct=verdict.correct,
        examined=verdict.examined,
    )


def _template(kind: VerdictKind) -> str:
    return {
        VerdictKind.NOTHING: translate("Enough", "Not yet: give two categories a few examples each."),
        VerdictKind.ONE_CATEGORY: translate("Enough", "Not yet: there is nothing to tell “{name}” from."),
        VerdictKind.EXAMINING: translate("Enough", "Checking each example against the others…"),
        VerdictKind.MIXED_UP: translate(
            "Enough", "Not yet: {count} of {of} examples of “{name}” are taken for “{other}”."
        ),
        VerdictKind.ALIKE: translate(
            "Enough", "Not yet: the {count} examples of “{name}” look the same; show it from other sides too."
        ),
        VerdictKind.ENOUGH: translate(
            "Enough", "Yes: {correct} of {examined} examples are recognised by the others."
        ),
    }[kind]


def _too_few(count: int, alike: int, *, every: bool) -> str:
    """Name the category with fewest examples; `alike` others, or `every` one, have too few as well."""
    if every:
        return translate("Enough", "Not yet: give each category {of} examples or more.")
    if alike == 1:
        return translate("Enough", "Not yet: give “{name}” and “{other}” {of} examples or more each.")
    if alike:
        return translate("Enough", "Not yet: give “{name}” and {others} others {of} examples or more each.")
    if not count:
        return translate("Enough", "Not yet: “{name}” has no examples.")
    if count == 1:
        return translate("Enough", "Not yet: “{name}” has only one example; give it {of} or more.")
    return translate("Enough", "Not yet: “{name}” has only {count} examples; give it {of} or more.")


def _shaky(verdict: Verdict, alike: int, *, every: bool) -> str:
    """Name the weakest category, and say so where `alike` others, or `every` one, do no better."""
    if verdict.count == verdict.of:
        words = translate("Enough", "{lead}: {correct} of {examined} right, which is too few to be sure.")
    elif every:
        words = translate(
            "Enough", "{lead}: {correct} of {examined} right, but only {count} of {of} in each category."
        )
    elif not alike:
        words = translate(
            "Enough", "{lead}: {correct} of {examined} right, but only {count} of {of} of “{name}”."
        )
    elif alike == 1:
        words = translate(
            "Enough",
            "{lead}: {correct} of {examined} right, but only {count} of {of} each of “{name}” and “{other}”.",
        )
    else:
        words = translate(
            "Enough",
            "{lead}: {correct} of {examined} right, but only {count} of {of} of “{name}” and of each of "
            "{others} others.",
        )
    near = verdict.correct >= GOOD_ENOUGH * verdict.examined
    return words.replace("{lead}", translate("Enough", "Nearly") if near else translate("Enough", "Not yet"))


def _as_weak(verdict: Verdict, document: Document, report: LooReport | None) -> list[CategoryId]:
    """Return the other categories of which the same is to be said."""
    others = [each.id for each in document.categories if each.id != verdict.category]
    if verdict.kind is VerdictKind.TOO_FEW:
        return [each for each in others if len(document.category(each).examples) < verdict.of]
    if report is None or verdict.kind is not VerdictKind.SHAKY:
        return []
    figures = verdict.count, verdict.of
    return [each for each in others if report.right_of(each) == figures]


def waiting_words(kind: VerdictKind, *, examining: bool) -> tuple[str, str]:
    """Return title and text of what stands where the table will be."""
    if kind is VerdictKind.EXAMINING and examining:
        return (
            translate("Enough", "Being computed…"),
            translate("Enough", "The table stands here as soon as each example was checked."),
        )
    if kind is VerdictKind.EXAMINING:
        return (
            translate("Enough", "No table for this learner"),
            translate("Enough", "With a faster one, such as Prototypes, it stands here at once."),
        )
    return (
        translate("Enough", "No table yet"),
        translate("Enough", "It stands here once two categories have a few examples each."),
    )


def next_words(best: NextBest, document: Document) -> str:
    """Return what to give next: a question about a picture in sight, else the category that needs more."""
    name = _name(document, best.category)
    if best.row is None:
        if best.category in document and not document.category(best.category).examples:
            return translate("Enough", "Next: a first example of “{name}”.").format(name=name)
        return translate("Enough", "Next: another example of “{name}”.").format(name=name)
    return translate("Enough", "Is this “{name}”? Your answer to it would help most.").format(name=name)


def _name(document: Document, category: CategoryId | None) -> str:
    """Return the name of a category, its end cut off where it would fill the panel."""
    if category is None or category not in document:
        return ""
    name = document.category(category).name
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"
