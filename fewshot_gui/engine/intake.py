"""How pictures get into categories: read once, kept in the session, added with one command."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    Command,
    RemoveExamples,
    Together,
    name_key,
    new_category_id,
)
from fewshot_gui.engine.commands.naming import clean_name
from fewshot_gui.engine.deciding.keys import with_keys
from fewshot_gui.engine.drop import find_lost, list_pictures, pack_pixels, read_file
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.state import Example
from fewshot_gui.engine.worker import Cancelled, CancelToken, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.drop import Groups, Listed
    from fewshot_gui.engine.pictures import StoredPicture
    from fewshot_gui.engine.problems import ProblemLog
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import Worker

T = TypeVar("T")

CATEGORY_REMOVED: Final = "category-removed"
CHANGED_ON_DISK: Final = "changed-on-disk"
_UNNAMED: Final = "unnamed"


class Capture:
    """One hold of a capture button: the frames that it adds to its category are one step of undo.

    Each of them is in the session as soon as it is packed, not only when the button is let go.
    """

    def __init__(self, add: Callable[[NDArray[np.uint8], Capture], None]) -> None:
        self._add = add

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Add a frame (H, W, 3) RGB, not written to afterwards."""
        self._add(pixels, self)


@dataclass(slots=True)
class _Drop:
    """One drop that is being read: what it found so far, and how much is still to come."""

    category: CategoryId | None
    groups: Groups
    token: CancelToken
    left: int
    total: int
    found: dict[str, StoredPicture] = field(default_factory=dict)


class Intake:
    """Puts pictures into categories; everything slow happens on the decode lane.

    Args:
        session: keeps the pictures and carries out the command.
        problems: what could not be read, and why; the rest goes on.
        decode: the lane that reads files.
    """

    def __init__(self, session: Session, problems: ProblemLog, decode: Worker) -> None:
        self.added: Event[[CategoryId, int]] = Event()
        """A category has got so many pictures more."""
        self.taught: Event[[Document, tuple[AddExamples, ...]]] = Event()
        """So much was given to the categories of this document; frames of a capture are not told."""
        self.reading: Event[[int, int]] = Event()
        """So many pictures of a drop are read, of so many; 0 of 0 while it is listed or was stopped."""
        self.pictured: Event[[PictureId]] = Event()
        """The thumbnail of an example that was taught before it was read is there now."""
        self.found: Event[[int]] = Event()
        """So many moved pictures were found again."""
        self._session = session
        self._problems = problems
        self._decode = decode
        self._drops: set[CancelToken] = set()
        self._closed = False

    def close(self) -> None:
        """Teach nothing any more: what is being read comes to nothing, and nothing else is read."""
        self._closed = True

    def _submit(self, work: Callable[[CancelToken], T], *, then: Callable[[T], None], **how: Any) -> None:
        """Hand a job to the decode lane that comes to nothing once this is closed: its session is too."""

        def run(token: CancelToken) -> T:
            if self._closed:
                raise Cancelled
            return work(token)

        def tell(result: T) -> None:
            if not self._closed:
                then(result)

        self._decode.submit(run, then=tell, **how)

    # Files ------------------------------------------------------------------------------------------

    def add_files(self, paths: Sequence[str], category: CategoryId | None = None) -> CancelToken:
        """Read files and folders into a category; return the token that stops it.

        Without a category, each folder of class folders makes one category for each of them, the pictures
        that lie loosely in a folder make one of its own name, and loose files make a new one that is named
        after the folder they lie in. A name that exists already means that category. All of it is one undo
        step.
        """
        token = CancelToken()
        self._drops.add(token)
        self.reading.emit(0, 0)
        listing = partial(list_pictures, tuple(map(os.path.abspath, paths)), named=category is None)
        self._submit(listing, then=partial(self._read, category, token), priority=Priority.ADAPT, token=token)
        return token

    @property
    def busy(self) -> bool:
        """Whether a drop is being listed or read."""
        return bool(self._drops)

    def stop_reading(self) -> None:
        """Teach nothing of the drops that are being read."""
        for token in self._drops:
            token.cancel()
        self._drops.clear()
        self.reading.emit(0, 0)

    def _read(self, category: CategoryId | None, token: CancelToken, listed: Listed) -> None:
        """Read every listed file, each in a job of its own, so that all threads of the lane take part."""
        for path, kind, detail in listed.problems:
            self._problems.add(path, kind, detail)
        paths = dict.fromkeys(path for group in listed.groups.values() for path in group)
        if not paths:
            self._drops.discard(token)
            self.reading.emit(0, 0)
        drop = _Drop(category, listed.groups, token, left=len(paths), total=len(paths))
        for path in paths:
            self._submit(
                partial(read_file, path),
                then=partial(self._one_read, drop, path),
                failed=partial(self._one_failed, drop, path),
                priority=Priority.ADAPT,
                token=token,
            )

    def _one_read(self, drop: _Drop, path: str, picture: StoredPicture) -> None:
        drop.found[path] = picture
        self._one_less(drop)

    def _one_failed(self, drop: _Drop, path: str, error: Exception) -> None:
        self._report(path, error)
        self._one_less(drop)

    def _one_less(self, drop: _Drop) -> None:
        drop.left -= 1
        if drop.left == 0:
            self._drops.discard(drop.token)
        self.reading.emit(drop.total - drop.left, drop.total)
        if drop.left == 0 and drop.found:
            self._finish(drop)

    def _finish(self, drop: _Drop) -> None:
        """Keep what was read and add it with one command."""
        if drop.category is not None and drop.category not in self._session.document:
            first = next(iter(drop.found))
            self._problems.add(first, CATEGORY_REMOVED, str(len(drop.found)))
            return
        commands: list[Command] = []
        for name, paths in drop.groups.items():
            pictures = [drop.found[path] for path in paths if path in drop.found]
            if not pictures:
                continue
            target = drop.category or self._named(name, commands)
            commands.append(AddExamples(target, tuple(Example(each.id, each.path) for each in pictures)))
        self._session.keep_pictures(tuple(drop.found.values()))
        self._do(commands)

    def _named(self, name: str, commands: list[Command]) -> CategoryId:
        """Return the category of that name; `commands` gets one more where it must be made first."""
        name = clean_name(name) or _UNNAMED  # a folder may be called by a space
        key = name_key(name)
        for category in self._session.document.categories:
            if name_key(category.name) == key:
                return category.id
        for command in commands:
            if isinstance(command, AddCategory) and name_key(command.name) == key:
                return command.id
        new = AddCategory(new_category_id(), name)
        commands.append(new)
        return new.id

    def _do(
        self, commands: Sequence[Command], gesture: Capture | None = None, *, told: Document | None = None
    ) -> None:
        """Do the commands as one step, and say how many pictures each category got; `told`: see `taught`."""
        before = self._session.document
        command = commands[0] if len(commands) == 1 else Together(tuple(commands))
        self._session.do(with_keys(before, command), gesture=gesture)
        for category in self._session.document.categories:
            old = before.category(category.id).pictures if category.id in before else frozenset()
            more = len(category.pictures - old)
            if more:
                self.added.emit(category.id, more)
        if gesture is None:
            self._tell(told or before, commands)

    def _tell(self, before: Document, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, AddCategory):
                before = command.apply(before)
        self.taught.emit(before, tuple(each for each in commands if isinstance(each, AddExamples)))

    # Pictures of the gallery --------------------------------------------------------------------------

    def teach(self, file: PictureFile, picture: PictureId | None, category: CategoryId) -> None:
        """Add a picture of the gallery to a category: at once where its content is known, else when read."""
        self.teach_all([(file, picture)], category)

    def teach_all(
        self, pictures: Sequence[tuple[PictureFile, PictureId | None]], category: CategoryId
    ) -> None:
        """Add pictures of the gallery to a category, in one step for those whose content is known.

        Their thumbnails follow from the decode lane.
        """
        if category not in self._session.document:
            return  # it went while the menu that offers it was open
        known = [(file, picture) for file, picture in pictures if picture is not None]
        if known:
            examples = tuple(Example(picture, file.path) for file, picture in known)
            self._do([AddExamples(category, examples)], told=self._without(picture for _, picture in known))
        for file, picture in known:
            self._read_taught(picture, file.path)
        unread = [file.path for file, picture in pictures if picture is None]
        if unread:
            self.add_files(unread, category)

    def read_unpictured(self) -> None:
        """Read the files of examples that were taught by a session which ended before it had read them."""
        for category in self._session.document.categories:
            for example in category.examples:
                if os.path.isabs(example.origin):  # noqa: PTH117 - the others never had a file
                    self._read_taught(example.picture, example.origin)

    def _read_taught(self, picture: PictureId, path: str) -> None:
        if self._session.picture(picture) is None:
            self._submit(
                partial(read_file, path),
                then=partial(self._keep_taught, picture),
                failed=partial(self._report, path),
                priority=Priority.VISIBLE,
            )

    def _without(self, pictures: Iterable[PictureId]) -> Document:
        """Return the document without these examples: whoever moves one in the gallery knows where it was."""
        document = self._session.document
        owned = tuple(picture for picture in pictures if document.owner(picture) is not None)
        return RemoveExamples(owned).apply(document) if owned else document

    def _keep_taught(self, wanted: PictureId, picture: StoredPicture) -> None:
        if picture.id != wanted:
            # The file was written to since it was looked at: this is another picture than the one taught.
            self._problems.add(picture.path, CHANGED_ON_DISK, "")
            return
        self._session.keep_picture(picture)
        self.pictured.emit(wanted)

    # Pictures without a file --------------------------------------------------------------------------

    def add_pixels(
        self,
        pixels: NDArray[np.uint8],
        category: CategoryId | None,
        origin: str,
        *,
        name: Callable[[], str] = str,
    ) -> None:
        """Add a picture (H, W, 3) RGB that has no file to a category; its bytes are kept in the session.

        Args:
            pixels: not written to afterwards.
            category: may be gone by the time the picture is packed: then it goes nowhere. None: a new one,
                made in the same step.
            origin: "camera" or "video" (kept as JPEG), "canvas", "clipboard" or "web" (as PNG).
            name: asked for the name of a new category once the picture is packed.
        """
        self._pack(category, origin, pixels, None, name)

    def begin_capture(self, category: CategoryId, origin: str) -> Capture:
        """Return what adds frames to a category for as long as a button is held, as one step of undo."""
        return Capture(partial(self._pack, category, origin))

    def _pack(
        self,
        category: CategoryId | None,
        origin: str,
        pixels: NDArray[np.uint8],
        capture: Capture | None,
        name: Callable[[], str] = str,
    ) -> None:
        self._submit(
            partial(pack_pixels, pixels, origin),
            then=partial(self._add_packed, category, origin, capture, name),
            failed=partial(self._report, origin),
            priority=Priority.VISIBLE,
        )

    def _add_packed(
        self,
        category: CategoryId | None,
        origin: str,
        capture: Capture | None,
        name: Callable[[], str],
        picture: StoredPicture,
    ) -> None:
        if category is not None and category not in self._session.document:
            self._problems.add(origin, CATEGORY_REMOVED, "1")
            return
        commands: list[Command] = []
        target = category or self._named(name(), commands)
        self._session.keep_picture(picture)
        self._do([*commands, AddExamples(target, (Example(picture.id, origin),))], capture)

    # Pictures that moved ------------------------------------------------------------------------------

    def find_moved(self, files: Sequence[PictureFile]) -> None:
        """Look for examples whose file is gone among `files`, by content; their paths then follow.

        Call it with the pictures of a folder that was just listed. Only files of a fitting size are read.
        """
        kept = tuple(picture for picture in self._session.stored_pictures() if picture.path)
        if kept and files:
            self._submit(
                partial(find_lost, kept, tuple(files)), then=self._relocate, replaces="intake.find_moved"
            )

    def _relocate(self, moved: dict[PictureId, str]) -> None:
        self._session.relocate_all(moved)
        if moved:
            self.found.emit(len(moved))

    def _report(self, path: str, error: Exception) -> None:
        if isinstance(error, ImageProblem):
            self._problems.add(path, error.kind, error.detail)
        else:
            self._decode.on_error.emit(error)
