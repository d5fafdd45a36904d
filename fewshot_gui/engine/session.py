"""A session: the present document, its undo and redo, and what it keeps on disk without being asked."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from fewshot_gui.engine.command_codec import encode, kind_of
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.session_changes import PutPictures, PutSetting, PutStep, Relocate, Seek
from fewshot_gui.engine.session_content import read_original
from fewshot_gui.engine.session_copy import back_up
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.engine.session_file import open_file
from fewshot_gui.engine.session_schema import create
from fewshot_gui.engine.worker import CancelToken, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.pictures import StoredPicture
    from fewshot_gui.engine.session_changes import Change
    from fewshot_gui.engine.session_content import SessionContent
    from fewshot_gui.engine.session_file import SessionFile
    from fewshot_gui.engine.state import Document
    from fewshot_gui.engine.worker import Worker

Json: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any] | None
FLUSH_SECONDS: Final = 30.0


class Session:
    """The owner of the document. Every change is handed to the disk thread at once; there is no "save".

    Used on the main thread only, but for `original`; made by `create` or `open`.

    Attributes:
        changed: Emits the documents before and after a command, an undo or a redo.
        failed: Emits the error when writing stops working, once until it works again. Nothing is lost
            while the program runs: every later change and `flush` tries again. A copy that cannot be
            made is told here too; `problem` then stays None.
    """

    def __init__(self, path: Path, worker: Worker, file: SessionFile, content: SessionContent) -> None:
        self.changed: Event[[Document, Document]] = Event()
        self.failed: Event[[Exception]] = Event()
        self._path = path
        self._worker = worker
        self._file = file
        self._timeline = content.timeline
        self._pictures = content.pictures
        self._settings = content.settings
        self._unsaved_originals: dict[PictureId, tuple[int, bytes]] = {}  # with the number of their change
        self._sent = 0
        self._problem: Exception | None = None
        self._closed = False
        self._copies: list[CancelToken] = []
        self._backup = worker.submit(
            lambda _: back_up(path, datetime.now(UTC).date()),
            failed=self.failed.emit,
            priority=Priority.FOLDER,
        )

    @classmethod
    def create(cls, path: str | Path, worker: Worker) -> Self:
        """A new, empty session in a new file.

        Raises:
            SessionError: There is something of that name, or it cannot be written.
        """
        create(Path(path))
        return cls.open(path, worker)

    @classmethod
    def open(cls, path: str | Path, worker: Worker) -> Self:
        """The session of that file, as it was left, with its undo and redo.

        Raises:
            SessionError: It cannot be used; the file is as it was, and `backup` names a sound copy.
        """
        place = Path(path).absolute()
        # The lease and what SQLite keeps beside a file belong to the file itself.
        if os.path.islink(place):  # noqa: PTH114 - Path's raises where a folder may not be entered
            place = Path(os.path.realpath(place))
        file, content = open_file(place)
        return cls(place, worker, file, content)

    @property
    def path(self) -> str:
        """The absolute path of the session file."""
        return str(self._path)

    @property
    def title(self) -> str:
        """The file's name without its suffix."""
        return self._path.stem

    @property
    def document(self) -> Document:
        """The present document."""
        return self._timeline.document

    @property
    def problem(self) -> Exception | None:
        """Why the newest changes are not on disk; None while writing works."""
        return self._problem

    @property
    def undo_command(self) -> Command | None:
        """The command that undo takes back, or None."""
        return self._timeline.undo_command

    @property
    def redo_command(self) -> Command | None:
        """The command that redo does again, or None."""
        return self._timeline.redo_command

    @property
    def steps(self) -> tuple[tuple[str, Command], ...]:
        """What was done and not taken back: the moment of each command, UTC, ISO 8601, and the command."""
        return self._timeline.steps

    @property
    def can_undo(self) -> bool:
        """True where there is something to take back."""
        return self.undo_command is not None

    @property
    def can_redo(self) -> bool:
        """True where there is something to do again."""
        return self.redo_command is not None

    def do(self, command: Command, *, gesture: object | None = None) -> None:
        """The document is the one after the command; one that changes nothing is not recorded.

        Args:
            command: What to do.
            gesture: What the person is doing meanwhile: examples that go into one category within one
                gesture are one step of undo, each of them on disk as soon as any other change.

        Raises:
            CommandError: The command is impossible; nothing was changed.
            SessionError: The session is closed.
        """
        self._check_open()
        before, at = self.document, datetime.now(UTC).isoformat()
        seq = self._timeline.do(command, gesture=gesture, at=at)
        if seq is None:
            return
        step = self.undo_command or command  # joined with the one before, where both are one gesture
        self._send(PutStep(seq, at, kind_of(step), encode(step)))
        self.changed.emit(before, self.document)

    def undo(self) -> None:
        """The document is the one before the last command; nothing happens where there is none."""
        if self.can_undo:
            self._seek(self._timeline.undo)

    def redo(self) -> None:
        """The document is the one after the command undone last; nothing happens where there is none."""
        if self.can_redo:
            self._seek(self._timeline.redo)

    def keep_picture(self, picture: StoredPicture) -> None:
        """The picture's thumbnail, place and original are kept; called before the command that uses it.

        Raises:
            SessionError: The session is closed.
        """
        self.keep_pictures((picture,))

    def keep_pictures(self, pictures: Sequence[StoredPicture]) -> None:
        """The pictures are kept, as `keep_picture` does: thousands of them in one change.

        Raises:
            SessionError: The session is closed.
        """
        self._check_open()
        self._send(PutPictures(tuple(pictures)))
        for picture in pictures:
            self._pictures[picture.id] = picture
            if picture.original is not None:
                self._pictures[picture.id] = replace(picture, original=None)
                self._unsaved_originals[picture.id] = (self._sent, picture.original)

    def picture(self, picture: PictureId) -> StoredPicture | None:
        """What is kept of a picture, but for its original, from memory; None where it is not known."""
        return self._pictures.get(picture)

    def stored_pictures(self) -> tuple[StoredPicture, ...]:
        """All pictures that are kept, without their originals: what `lost_pictures` asks for."""
        return tuple(self._pictures.values())

    def original(self, picture: PictureId) -> bytes | None:
        """The encoded picture of one that has no file, or None; reads the disk. Any thread.

        Raises:
            SessionError: The file cannot be read.
        """
        # One look-up: between two, a commit could take the picture out. Once it is out, it is on disk.
        unsaved = self._unsaved_originals.get(picture)
        return read_original(self._path, picture) if unsaved is None else unsaved[1]

    def relocate(self, picture: PictureId, path: str) -> None:
        """The picture is known to be at another path; an unknown picture is passed over.

        Raises:
            SessionError: The session is closed.
        """
        self._check_open()
        known = self._pictures.get(picture)
        if known is not None and known.path != path:
            self._pictures[picture] = replace(known, path=path)
            self._send(Relocate(picture, path))

    def relocate_all(self, found: Mapping[PictureId, str]) -> None:
        """The pictures are at the paths that `find_moved` found."""
        for picture, path in found.items():
            self.relocate(picture, path)

    def remember(self, key: str, value: Json) -> None:
        """The value is kept beside the document; undo does not touch it.

        Raises:
            SessionError: The session is closed.
        """
        self._check_open()
        text = json.dumps(value)
        if key not in self._settings or json.dumps(self._settings[key]) != text:
            self._settings[key] = json.loads(text)  # a copy, and what the next opening will read
            self._send(PutSetting(key, text))

    def recall(self, key: str, default: Json = None) -> Json:
        """The value that was remembered under the key, else the default."""
        value: Json = self._settings.get(key, default)
        return value

    def copy_to(
        self,
        path: str | Path,
        *,
        then: Callable[[None], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """A copy of the session, as it is at this call or a little later, is made at a new path; then `then`.

        It has what the session's own file could not take, too: a full disk, or a file that was deleted.
        `failed` (or else the event of that name) gets a SessionError where that path is taken or unwritable.
        """
        target = Path(path)
        self._commit()

        def made(_result: None) -> None:
            self._copies.remove(token)
            if then is not None:
                then(None)

        def not_made(error: Exception) -> None:
            self._copies.remove(token)
            (failed or self.failed.emit)(error)

        token = CancelToken()
        self._copies.append(token)
        self._worker.submit(lambda _: self._file.copy_to(target), then=made, failed=not_made, token=token)

    def await_copies(self, timeout: float) -> bool:
        """True once no copy is being made; False after `timeout` seconds. Closing the session gives it up."""
        return not self._copies or self._worker.drain(timeout)

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """True once everything is on disk; False where that failed or took longer than `timeout` seconds."""
        if not self._closed:
            self._commit()
            self._worker.drain(timeout, Priority.VISIBLE)  # not for a copy, which may take minutes
        return self._file.committed == self._sent

    def close(self, *, discard: bool = False) -> bool:
        """True once everything is on disk and the file is free for others.

        False where it cannot be written: the session then stays open, and nothing is lost yet.

        Args:
            discard: Close even so, and lose what is not on disk.
        """
        if self._closed:
            return True
        self._backup.cancel()
        if not self.flush() and not discard:
            return False
        self._closed = True
        if not self.await_copies(0):
            for token in self._copies:
                token.cancel()
        # Behind a copy that was just cancelled: SQLite tidies up when its last connection closes.
        self._worker.submit(lambda _: self._file.close(), priority=Priority.FOLDER)
        self._worker.drain(FLUSH_SECONDS)
        return True

    def _seek(self, move: Callable[[], None]) -> None:
        self._check_open()
        before = self.document
        move()
        self._send(Seek(self._timeline.position))
        self.changed.emit(before, self.document)

    def _check_open(self) -> None:
        if self._closed:
            raise SessionError(SessionProblem.CLOSED, self.path)

    def _send(self, change: Change) -> None:
        self._sent += 1
        # Changes are only gathered at the first priority, so one commit behind them writes a whole burst.
        self._worker.submit(lambda _: self._file.take(change), priority=Priority.LIVE)
        self._commit()

    def _commit(self) -> None:
        self._worker.submit(
            lambda _: self._file.commit(),
            then=self._on_committed,
            failed=self._on_failed,
            priority=Priority.VISIBLE,
            newest=f"commit {self._path}",
        )

    def _on_committed(self, committed: int) -> None:
        self._problem = None
        self._unsaved_originals = {
            picture: (number, original)
            for picture, (number, original) in self._unsaved_originals.items()
            if number > committed
        }

    def _on_failed(self, error: Exception) -> None:
        first = self._problem is None
        self._problem = error
        if first:
            self.failed.emit(error)
