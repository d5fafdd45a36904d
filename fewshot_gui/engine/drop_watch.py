"""What is odd about the examples that were dropped: found on a lane, kept until it is solved."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.core.images.look import look_of
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.engine.commands import AddExamples
from fewshot_gui.engine.deciding.warnings import (
    SURE_OF_ANOTHER,
    DropWarning,
    WarningKind,
    warnings_at_drop,
)
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.worker import CancelToken, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.look import Look
    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import Steps, Worker

_KINDS = tuple(WarningKind)


@dataclass(frozen=True, slots=True, eq=False)
class _Drop:
    """What was dropped at once; `missing` are the pictures whose thumbnail is still to come."""

    before: Document
    taught: tuple[AddExamples, ...]
    missing: set[PictureId]

    def pictures(self) -> tuple[PictureId, ...]:
        return tuple(example.picture for each in self.taught for example in each.examples)


class DropWatch:
    """Keeps the warnings about what was dropped since the session was opened. Belongs to the main thread.

    A warning goes when it is solved: its example is gone or was put elsewhere, so was the one that it is
    like, or the other examples speak for its own category by now.

    Args:
        session: whose examples they are.
        intake: tells what was dropped.
        predictor: its leave-one-out report tells which examples look like another category.
        decode: the lane that looks at the pictures.
    """

    def __init__(self, session: Session, intake: Intake, predictor: Predictor, decode: Worker) -> None:
        self.changed: Event[[]] = Event()
        """Other warnings than before are kept."""
        self.found: Event[[tuple[DropWarning, ...]]] = Event()
        """A drop is odd in these ways, those included that are not kept."""
        self._session = session
        self._decode = decode
        self._looks: dict[PictureId, Look] = {}
        self._homes: dict[PictureId, CategoryId] = {}
        self._kept: dict[PictureId, dict[WarningKind, DropWarning]] = {}
        self._waiting: list[_Drop] = []
        self._closing = CancelToken()
        self._disconnect = (
            intake.taught.connect(self._on_taught),
            intake.pictured.connect(self._on_pictured),
            session.changed.connect(self._on_document),
            predictor.examined.connect(self._on_report),
        )

    def of(self, picture: PictureId) -> tuple[DropWarning, ...]:
        """Return what is odd about an example, empty where nothing is."""
        found = self._kept.get(picture, {})
        return tuple(found[kind] for kind in _KINDS if kind in found)

    @property
    def pictures(self) -> tuple[PictureId, ...]:
        """The examples that have a warning."""
        return tuple(self._kept)

    def close(self) -> None:
        """Watch nothing any more, and look at nothing: thousands dropped at once take minutes."""
        self._closing.cancel()
        for disconnect in self._disconnect:
            disconnect()

    # Looking ----------------------------------------------------------------------------------------

    def _on_taught(self, before: Document, taught: tuple[AddExamples, ...]) -> None:
        missing = {
            example.picture
            for each in taught
            for example in each.examples
            if self._session.picture(example.picture) is None
        }
        for each in taught:
            self._homes.update((example.picture, each.category) for example in each.examples)
        drop = _Drop(before, taught, missing)
        if missing:
            self._waiting.append(drop)
        else:
            self._look(drop)

    def _on_pictured(self, picture: PictureId) -> None:
        self._arrived({picture})

    def _arrived(self, pictures: set[PictureId]) -> None:
        """Look at the drops that waited for the last of these."""
        for drop in self._waiting:
            drop.missing.difference_update(pictures)
        ready = [drop for drop in self._waiting if not drop.missing]
        self._waiting = [drop for drop in self._waiting if drop.missing]
        for drop in ready:
            self._look(drop)

    def _look(self, drop: _Drop) -> None:
        thumbnails = {
            picture: stored.thumbnail
            for picture in dict.fromkeys((*drop.before.pictures(), *drop.pictures()))
            if picture not in self._looks and (stored := self._session.picture(picture)) is not None
        }
        self._decode.submit(
            partial(_look_at, drop, thumbnails, dict(self._looks)),
            then=self._looked,
            priority=Priority.FOLDER,
            token=self._closing,
        )

    def _looked(self, result: tuple[dict[PictureId, Look], list[DropWarning]]) -> None:
        looks, warnings = result
        self._looks |= looks
        for warning in warnings:
            # A picture that was in its category already has no tile that anything could be odd about.
            if warning.kind is not WarningKind.DUPLICATE or warning.category != self._homes[warning.picture]:
                self._kept.setdefault(warning.picture, {})[warning.kind] = warning
        self._solve(self._session.document)
        self.changed.emit()
        if warnings:
            self.found.emit(tuple(warnings))

    # What the report says -----------------------------------------------------------------------------

    def _on_report(self, report: LooReport) -> None:
        taken = {
            picture: DropWarning(
                WarningKind.LOOKS_LIKE_ANOTHER, picture, category, measure=report.sure[picture]
            )
            for picture, category in report.misfits
            if picture in self._homes and report.sure.get(picture, 0.0) >= SURE_OF_ANOTHER
        }
        before = self._like_another()
        for picture in before:
            if picture not in taken and picture in report.sure:
                self._forget(picture, WarningKind.LOOKS_LIKE_ANOTHER)
        for picture, warning in taken.items():
            self._kept.setdefault(picture, {})[warning.kind] = warning
        if self._like_another() != before:
            self.changed.emit()
        fresh = tuple(warning for picture, warning in taken.items() if picture not in before)
        if fresh:
            self.found.emit(fresh)

    def _like_another(self) -> set[PictureId]:
        return {picture for picture, found in self._kept.items() if WarningKind.LOOKS_LIKE_ANOTHER in found}

    # What is solved -----------------------------------------------------------------------------------

    def _on_document(self, _before: Document, after: Document) -> None:
        self._arrived({picture for drop in self._waiting for picture in _gone(drop.missing, after)})
        if self._solve(after):
            self.changed.emit()

    def _solve(self, document: Document) -> bool:
        """Forget the warnings that are not true of this document; return whether there were any."""
        solved = [
            warning
            for found in self._kept.values()
            for warning in found.values()
            if self._is_solved(warning, document)
        ]
        for warning in solved:
            self._forget(warning.picture, warning.kind)
        return bool(solved)

    def _is_solved(self, warning: DropWarning, document: Document) -> bool:
        if document.owner(warning.picture) != self._homes[warning.picture]:
            return True
        if warning.kind is WarningKind.NEAR_DUPLICATE and warning.other is not None:
            return document.owner(warning.other) is None
        return warning.category is not None and warning.category not in document

    def _forget(self, picture: PictureId, kind: WarningKind) -> None:
        found = self._kept[picture]
        del found[kind]
        if not found:
            del self._kept[picture]


def _gone(pictures: Iterable[PictureId], document: Document) -> set[PictureId]:
    return {picture for picture in pictures if document.owner(picture) is None}


def _look_at(
    drop: _Drop, thumbnails: Mapping[PictureId, bytes], looks: dict[PictureId, Look], token: CancelToken
) -> Steps[tuple[dict[PictureId, Look], list[DropWarning]]]:
    """Return how the new pictures look, and what is odd about the drop; `looks` are those known already."""
    fresh: dict[PictureId, Look] = {}
    for picture, thumbnail in thumbnails.items():
        token.check()
        with suppress(ImageProblem):  # nothing is said of a picture that cannot be looked at
            fresh[picture] = look_of(decode_image(thumbnail, name=picture))
        yield
    looks |= fresh
    warnings: list[DropWarning] = []
    before = drop.before
    for each in drop.taught:
        for example in each.examples:
            picture = example.picture
            warnings += warnings_at_drop(picture, each.category, before, look=looks.get(picture), looks=looks)
            # One after the other: the second of a burst is like the first.
            before = AddExamples(each.category, (example,)).apply(before)
            token.check()
            yield
    return fresh, warnings
