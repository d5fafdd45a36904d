"""The words for whether this is enough, in one sentence, and for what would help most, in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.deciding.enough import VerdictKind

if TYPE_CHECKING:
    from fewshot_gui.engine.deciding.enough import NextBest, Verdict
    from fewshot_gui.engine.state import CategoryId, Document

translate = QCoreApplication.translate


def verdict_words(verdict: Verdict, document: Document, *, examining: bool = True) -> str:
    """Return the verdict as one sentence; `examining` says whether a report is on its way at all."""
    if verdict.kind is VerdictKind.EXAMINING and not examining:
        return translate("Enough", "This learner takes too long to check itself after every change.")
    if verdict.kind is VerdictKind.TOO_FEW and not verdict.count:
        template = translate("Enough", "Not yet: “{name}” has no examples.")
    elif verdict.kind is VerdictKind.TOO_FEW and verdict.count == 1:
        template = translate("Enough", "Not yet: “{name}” has only one example; give it {of} or more.")
    elif verdict.kind is VerdictKind.SHAKY and verdict.count == verdict.of:
        template = translate(
            "Enough", "Nearly: {correct} of {examined} are right, which is too few to be sure."
        )
    else:
        template = _template(verdict.kind)
    return template.format(
        name=_name(document, verdict.category),
        other=_name(document, verdict.other),
        count=verdict.count,
        of=verdict.of,
        correct=verdict.correct,
        examined=verdict.examined,
    )


def _template(kind: VerdictKind) -> str:
    return {
        VerdictKind.NOTHING: translate("Enough", "Not yet: give two categories a few examples each."),
        VerdictKind.ONE_CATEGORY: translate("Enough", "Not yet: there is nothing to tell “{name}” from."),
        VerdictKind.TOO_FEW: translate(
            "Enough", "Not yet: “{name}” has only {count} examples; give it {of} or more."
        ),
        VerdictKind.EXAMINING: translate("Enough", "Checking each example against the others…"),
        VerdictKind.MIXED_UP: translate(
            "Enough", "Not yet: {count} of {of} examples of “{name}” are taken for “{other}”."
        ),
        VerdictKind.SHAKY: translate(
            "Enough", "Nearly: {correct} of {examined} are right, but only {count} of {of} of “{name}”."
        ),
        VerdictKind.ENOUGH: translate(
            "Enough", "Yes: {correct} of {examined} examples are recognised by the others."
        ),
    }[kind]


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
    return document.category(category).name if category is not None and category in document else ""
