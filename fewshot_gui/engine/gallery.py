"""The gallery: the opened folder as rows, each with a file and soon an embedding."""

from __future__ import annotations

import os
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.images.scan import scan_folder
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.rows import Rescan, Rows
from fewshot_gui.engine.worker import CancelToken, Job, Priority, Steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.problems import ImageProblem
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import EmbeddedBatch, Library
    from fewshot_gui.engine.problems import ProblemLog
    from fewshot_gui.engine.worker import Worker

# The first rows are shown at once; later ones in portions that a view takes up in a few milliseconds, but of
# a slow disk whatever it has given by then.
FIRST_PORTION = 100
PORTION = 5_000
PORTION_SECONDS = 0.5
# Short enough that rows which come into view are next; two at a time keep both lanes busy.
SLICE = 64
SLICES_AT_ONCE = 2


class Gallery:
    """The pictures to be classified: rows stay where they are once listed, more come at the end.

    Belongs to the main thread. What is in the cache is embedded first, then the preferred rows, then the
    others in order.

    Args:
        library: embeds.
        decode: the lane that lists the folder.
        problems: gets a line for each folder that cannot be read.
        backbone: name or path of the bundle to embed with.
        device: "auto", "cpu", "cuda", "mps" or "xpu".
    """

    def __init__(
        self,
        library: Library,
        decode: Worker,
        problems: ProblemLog,
        *,
        backbone: str = "photo",
        device: str = "auto",
    ) -> None:
        self.listed: Event[[]] = Event()
        self.progressed: Event[[int, int]] = Event()
        self.embedded_rows: Event[[NDArray[np.int64]]] = Event()
        self.cleared: Event[[]] = Event()
        self.failed: Event[[Exception]] = Event()
        self._library = library
        self._decode = decode
        self._problems = problems
        self._backbone = backbone
        self._device = device
        self._folder = ""
        self._recursive = True
        self._listing: Job | None = None
        self._again = False
        self._rows = Rows()
        self._jobs: dict[int, Job] = {}
        self._numbers = count()

    @property
    def folder(self) -> str:
        """The opened folder; empty where there is none or an explicit list is shown."""
        return self._folder

    @property
    def files(self) -> Sequence[PictureFile]:
        """The file of each row; not to be changed."""
        return self._rows.files

    @property
    def ids(self) -> Sequence[PictureId | None]:
        """The content id of each row, None while it is not known; not to be changed."""
        return self._rows.ids

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows.files)

    @property
    def embedded(self) -> int:
        """How many rows are done: embedded, unreadable or missing."""
        return self._rows.done_count

    @property
    def listing(self) -> bool:
        """True while more rows may come."""
        return self._listing is not None

    @property
    def backbone(self) -> str:
        """The name of the backbone that the embeddings are of."""
        return self._backbone

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """The embeddings (R, D), row r valid where `known[r]`; such a row never changes in this array."""
        return self._rows.embeddings

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have an embedding, bool (R,), a copy."""
        return self._rows.known

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows' files were gone or changed at the last `rescan`, bool (R,), a copy."""
        return self._rows.missing.copy()

    def row_of(self, path: str) -> int | None:
        """Return the row of a file, None where it has none."""
        return self._rows.row_of.get(path)

    def open(self, folder: str, *, recursive: bool = True) -> None:
        """Show the pictures of `folder`, in the order of the scan, instead of what was shown."""
        self._clear()
        # As the system writes it: Qt's dialogs give C:/Pictures, where plans and receipts have C:\\Pictures.
        self._folder, self._recursive = os.path.abspath(folder), recursive  # noqa: PTH100 - links stay
        self.listed.emit()
        self._list(former=None)

    def open_files(self, files: Sequence[PictureFile]) -> None:
        """Show exactly these files, in this order, instead of what was shown."""
        self._clear()
        self._found(files)
        self._embed()

    def close(self) -> None:
        """Show nothing, and stop what runs."""
        self._clear()
        self.listed.emit()

    def rescan(self) -> None:
        """Add files that are new in the folder at the end, and mark rows whose file is gone.

        A file that was written anew keeps its row and is embedded again. A folder that is being listed is
        listed once more afterwards: what has changed may lie where it was looked already.
        """
        if self.listing:
            self._again = True
        elif self._folder:
            self._list(former=tuple(self._rows.files))

    def prefer(self, rows: Sequence[int]) -> None:
        """Embed these rows next, such as those in view; they take the place of those preferred before."""
        self._rows.prefer(rows)

    def set_backbone(self, name: str, device: str) -> None:
        """Embed all rows with another backbone; another device alone is used from the next picture on."""
        changed = name != self._backbone
        self._backbone, self._device = name, device
        if changed:
            self.embed_anew()

    def embed_anew(self) -> None:
        """Embed all rows once more: the backbone is another one than it was."""
        self._cancel_embedding()
        self._rows.forget_embeddings()
        self.cleared.emit()
        self.progressed.emit(0, self.count)
        if not self.listing:
            self._embed()

    def _clear(self) -> None:
        if self._listing is not None:
            self._listing.cancel()
            self._listing = None
        self._cancel_embedding()
        self._again = False
        self._folder = ""
        self._rows = Rows()
        self.cleared.emit()

    def _list(self, former: Sequence[PictureFile] | None) -> None:
        """List the folder; a rescan gives the former rows, to be compared on the lane."""

        def work(token: CancelToken) -> Steps[Rescan | None]:
            present: list[PictureFile] = []
            for portion in _portions(self._scan(token)):
                self._decode.tell(token, partial(self._found, portion))
                if former is not None:
                    present.extend(portion)
                yield
            return None if former is None else Rescan.of(former, present)

        self._listing = self._decode.submit(
            work, then=self._listing_ended, failed=self._listing_failed, priority=Priority.VISIBLE
        )

    def _scan(self, token: CancelToken) -> Iterator[PictureFile]:
        def report(problem: ImageProblem) -> None:
            self._decode.tell(token, lambda: self._problems.add(problem.path, problem.kind, problem.detail))

        return scan_folder(
            self._folder, recursive=self._recursive, cancelled=lambda: token.cancelled, on_problem=report
        )

    def _found(self, files: Sequence[PictureFile]) -> None:
        before = self.count
        self._rows.add(files)
        if self.count != before:
            self.listed.emit()

    def _listing_ended(self, rescan: Rescan | None) -> None:
        self._listing = None
        if rescan is not None:
            # What is under way may be of files that have changed since.
            self._cancel_embedding()
            if self._rows.apply(rescan):
                self.listed.emit()
        self._embed()
        self._list_again()

    def _listing_failed(self, error: Exception) -> None:
        self._listing = None
        self.failed.emit(error)
        self._list_again()

    def _list_again(self) -> None:
        again, self._again = self._again, False
        if again:
            self.rescan()

    def _embed(self) -> None:
        """Look all waiting rows up in the cache, then embed the others slice by slice."""
        rows = self._rows.take()
        if not rows:
            self._progress()
            return
        number = next(self._numbers)
        self._jobs[number] = self._library.look_up(
            [self._rows.files[row] for row in rows],
            self._backbone,
            partial(self._arrived, np.array(rows)),
            partial(self._looked_up, number, rows),
            failed=self._could_not,
        )

    def _looked_up(self, number: int, rows: Sequence[int], positions: Sequence[int]) -> None:
        del self._jobs[number]
        self._rows.release([rows[position] for position in positions])
        self._progress()
        for _ in range(SLICES_AT_ONCE - len(self._jobs)):
            self._embed_slice()

    def _embed_slice(self) -> None:
        rows = self._rows.take(SLICE)
        if not rows:
            if not self._jobs:
                self._library.save()
            return
        number = next(self._numbers)
        self._jobs[number] = self._library.embed_files(
            [self._rows.files[row] for row in rows],
            self._backbone,
            self._device,
            partial(self._arrived, np.array(rows)),
            partial(self._slice_ended, number, rows),
            failed=self._could_not,
        )

    def _slice_ended(self, number: int, rows: Sequence[int], unreadable: Sequence[int]) -> None:
        del self._jobs[number]
        self._rows.give_up([rows[position] for position in unreadable])
        if unreadable:
            self._progress()
        self._embed_slice()

    def _could_not(self, error: Exception) -> None:
        """Stop, as every further slice would fail alike; `set_backbone` and `rescan` begin again."""
        self._cancel_embedding()
        self.failed.emit(error)

    def _arrived(self, rows: NDArray[np.int64], batch: EmbeddedBatch) -> None:
        arrived = rows[batch.positions]
        self._rows.fill(arrived, batch.ids, batch.embeddings)
        self.embedded_rows.emit(arrived)
        self._progress()

    def _progress(self) -> None:
        self.progressed.emit(self.embedded, self.count)

    def _cancel_embedding(self) -> None:
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        self._rows.release_asked()


def _portions(files: Iterable[PictureFile]) -> Iterator[list[PictureFile]]:
    """Yield the files in lists, each as soon as it is full or half a second old."""
    portion: list[PictureFile] = []
    size, due = FIRST_PORTION, monotonic() + PORTION_SECONDS
    for file in files:
        portion.append(file)
        if len(portion) >= size or monotonic() >= due:
            yield portion
            size, portion, due = PORTION, [], monotonic() + PORTION_SECONDS
    if portion:
        yield portion
