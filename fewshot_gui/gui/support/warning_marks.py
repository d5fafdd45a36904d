"""What is odd about examples, in words: at each of them, and in one line for a whole drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.engine.deciding.warnings import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.deciding.warnings import DropWarning
    from fewshot_gui.engine.drop_watch import DropWatch
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Category, Document

translate = QCoreApplication.translate


class WarningMarks:
    """The words about the examples of a category; none where nobody watches."""

    def __init__(self, watch: DropWatch | None, session: Session) -> None:
        self._watch, self._session = watch, session

    def of(self, category: Category) -> dict[PictureId, str]:
        """Return the words about each example of which there is something to say."""
        watch, document = self._watch, self._session.document
        if watch is None:
            return {}
        return {
            picture: " ".join(warning_words(warning, document) for warning in watch.of(picture))
            for picture in watch.pictures
            if picture in category.pictures
        }


class Teller:
    """Gathers what is found about a drop that was made here: at once, and when the others were asked."""

    TIMES = 2

    def __init__(self) -> None:
        self._left = 0
        self._found: tuple[DropWarning, ...] = ()

    def expect(self) -> None:
        """Something is dropped now."""
        self._left, self._found = self.TIMES, ()

    def gather(self, found: tuple[DropWarning, ...]) -> tuple[DropWarning, ...]:
        """Return all that was found about the last drop; empty where this is about something else."""
        if not self._left:
            return ()
        self._left -= 1
        self._found += found
        return self._found


def warning_words(warning: DropWarning, document: Document) -> str:
    """Return one sentence about an example."""
    name = ""
    if warning.category is not None and warning.category in document:
        name = document.category(warning.category).name
    template = {
        WarningKind.DUPLICATE: translate("support", "It was an example of “{name}” until now."),
        WarningKind.NEAR_DUPLICATE: translate(
            "support", "It looks like another example of “{name}”: it teaches little that is new."
        ),
        WarningKind.BLURRED: translate("support", "It is blurred."),
        WarningKind.LOOKS_LIKE_ANOTHER: translate(
            "support", "The other examples take it for “{name}” ({percent} %)."
        ),
    }[warning.kind]
    return template.format(name=name, percent=round(100 * warning.measure))


def found_words(found: Iterable[DropWarning]) -> str:
    """Return one line about a drop: how many pictures of it are odd, and how where all are so alike."""
    pictures: dict[WarningKind, set[PictureId]] = {}
    for warning in found:
        pictures.setdefault(warning.kind, set()).add(warning.picture)
    count = len(set().union(*pictures.values()))
    if len(pictures) > 1:
        template = translate("support", "{count} of these pictures are worth a look.")
        one = translate("support", "One of these pictures is worth a look.")
    else:
        one, template = _kind_words(next(iter(pictures)))
    return (one if count == 1 else template).format(count=count)


def _kind_words(kind: WarningKind) -> tuple[str, str]:
    """Return the words for one picture, and for several."""
    return {
        WarningKind.DUPLICATE: (
            translate("support", "One picture was there already."),
            translate("support", "{count} pictures were there already."),
        ),
        WarningKind.NEAR_DUPLICATE: (
            translate("support", "One picture is nearly the same as another."),
            translate("support", "{count} pictures are nearly the same as others."),
        ),
        WarningKind.BLURRED: (
            translate("support", "One picture is blurred."),
            translate("support", "{count} pictures are blurred."),
        ),
        WarningKind.LOOKS_LIKE_ANOTHER: (
            translate("support", "One picture looks like another category."),
            translate("support", "{count} pictures look like another category."),
        ),
    }[kind]
