"""Embedding many files: decoded by several threads, embedded in batches by one, and never far ahead."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.images.files import read_bytes
from fewshot_gui.core.images.identity import PictureId, picture_id
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.engine.worker import CancelToken, Job, Priority, Steps, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.cache import EmbeddingCache
    from fewshot_gui.engine.embedder import BackboneInfo, Embedder
    from fewshot_gui.engine.problems import ProblemLog

# Files that one decode job reads: few, so that all threads have work from the first moment on.
GROUP = 8
# Pictures that may be decoded but not embedded: three batches of a CPU, 2 MB at 84 pixels.
AHEAD = 96
# Rows of the cache handed over at once: 4 MB of 512 numbers, which the main thread copies in 2 ms.
CACHED_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """Embeddings of some of the files that were asked for.

    Attributes:
        positions: of the b pictures among the files.
        ids: their content ids.
        embeddings: float32 (b, D).
    """

    positions: list[int]
    ids: list[PictureId]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants of many files; see `Library.embed_files`."""

    files: tuple[PictureFile, ...]
    backbone: str
    device: str
    on_batch: Callable[[EmbeddedBatch], None]
    on_done: Callable[[list[int]], None] | None
    failed: Callable[[Exception], None] | None
    priority: Priority


@dataclass(frozen=True, slots=True)
class Indexing:
    """Runs requests on the two lanes.

    Attributes:
        decode: the lane that reads and decodes.
        model: the lane that embeds.
        cache: what is known already.
        embedder: computes the rest.
        problems: gets a line for each file that cannot be read.
    """

    decode: Worker
    model: Worker
    cache: EmbeddingCache
    embedder: Embedder
    problems: ProblemLog

    def embed(self, request: Request) -> Job:
        """Return the job that delivers all embeddings, from the cache or computed."""
        run = _Run(self, request)
        return self.decode.submit(
            run.begin, failed=request.failed, priority=request.priority, token=run.token
        )

    def look_up(self, request: Request) -> Job:
        """Return the job that delivers what the cache has, then the positions of the others."""
        return self.decode.submit(
            partial(self.known, request),
            then=request.on_done,
            failed=request.failed,
            priority=request.priority,
        )

    def known(self, request: Request, token: CancelToken) -> Steps[list[int]]:
        """Tell what the cache has, and return the positions of the others; the steps of a job."""
        key = cache_key(self.embedder.info(request.backbone))
        unknown: list[int] = []
        for start in range(0, len(request.files), CACHED_AT_ONCE):
            token.check()
            ids = self.cache.known_ids(request.files[start : start + CACHED_AT_ONCE])
            named = [(start + at, identity) for at, identity in enumerate(ids) if identity is not None]
            found, embeddings = self.cache.find(key, [identity for _at, identity in named])
            if len(found):
                hits = [named[at] for at in found.tolist()]
                batch = EmbeddedBatch([at for at, _id in hits], [name for _at, name in hits], embeddings)
                self.decode.tell(token, partial(request.on_batch, batch))
            present = {named[at][0] for at in found.tolist()}
            unknown.extend(at for at in range(start, start + len(ids)) if at not in present)
            yield
        return unknown


def cache_key(info: BackboneInfo) -> str:
    """Return the name of a backbone's store: other weights or another preprocessing make another."""
    return f"{info.hash}-{info.preprocessing.version}"


@dataclass(slots=True)
class _Ready:
    """Decoded pictures that wait for the model, in step."""

    positions: list[int] = field(default_factory=list)
    ids: list[PictureId] = field(default_factory=list)
    prepared: list[NDArray[np.uint8]] = field(default_factory=list)

    def extend(self, other: _Ready) -> None:
        self.positions.extend(other.positions)
        self.ids.extend(other.ids)
        self.prepared.extend(other.prepared)

    def pop(self, limit: int) -> _Ready:
        """Return the first pictures, at most `limit`, which are not here afterwards."""
        taken = _Ready(self.positions[:limit], self.ids[:limit], self.prepared[:limit])
        del self.positions[:limit], self.ids[:limit], self.prepared[:limit]
        return taken


class _Run:
    """One request under way: decode jobs fill `_ready`, one model job at a time empties it.

    The model job takes what has become ready while the last one ran: small batches while decoding is the
    slower half, full ones while embedding is.
    """

    def __init__(self, indexing: Indexing, request: Request) -> None:
        self.token = CancelToken()
        self._indexing = indexing
        self._request = request
        self._lock = threading.Lock()
        self._groups: deque[list[int]] = deque()
        self._ready = _Ready()
        self._ahead = 0
        self._embedding = False
        self._unreadable: list[int] = []
        self._ended = False
        self._key = ""

    def begin(self, token: CancelToken) -> Steps[None]:
        """Tell what the cache has, then start decoding the others; a job of the decode lane."""
        self._key = cache_key(self._indexing.embedder.info(self._request.backbone))
        unknown = yield from self._indexing.known(self._request, token)
        self._groups.extend(unknown[start : start + GROUP] for start in range(0, len(unknown), GROUP))
        self._go_on()

    def _go_on(self) -> None:
        """Start what may be started, and end the run when nothing is left; any thread."""
        with self._lock:
            groups = []
            while self._groups and self._ahead < AHEAD:
                groups.append(self._groups.popleft())
                self._ahead += len(groups[-1])
            embed = bool(self._ready.positions) and not self._embedding
            self._embedding |= embed
            ends = not (self._groups or self._ahead or self._ended)
            self._ended |= ends
        for group in groups:
            self._submit(self._indexing.decode, partial(self._decode, group))
        if embed:
            self._submit(self._indexing.model, self._embed)
        if ends and self._request.on_done is not None:
            self._indexing.decode.tell(self.token, partial(self._request.on_done, sorted(self._unreadable)))

    def _submit(self, lane: Worker, work: Callable[[CancelToken], Steps[None] | None]) -> None:
        lane.submit(work, failed=self._failed, priority=self._request.priority, token=self.token)

    def _failed(self, error: Exception) -> None:
        """End the whole run: one error, not one for each of its parts."""
        self.token.cancel()
        if self._request.failed is not None:
            self._request.failed(error)
        else:
            self._indexing.model.on_error.emit(error)

    def _decode(self, group: Sequence[int], token: CancelToken) -> Steps[None]:
        """Read one file a step; a thumbnail that comes into view waits for one file at most."""
        info = self._indexing.embedder.info(self._request.backbone)
        fresh, unreadable = _Ready(), []
        for position in group:
            token.check()
            try:
                self._read(position, info, fresh)
            except ImageProblem as problem:
                unreadable.append(position)
                self._report(problem)
            yield
        with self._lock:
            self._ready.extend(fresh)
            self._unreadable.extend(unreadable)
            self._ahead -= len(group) - len(fresh.positions)
        self._go_on()

    def _read(self, position: int, info: BackboneInfo, fresh: _Ready) -> None:
        """Add one picture to `fresh`, or tell its embedding where only its name is new."""
        file = self._request.files[position]
        data = read_bytes(file.path)
        identity = picture_id(data)
        found, embeddings = self._indexing.cache.find(cache_key(info), [identity])
        if len(found):
            self._tell(EmbeddedBatch([position], [identity], embeddings))
        else:
            pixels = decode_image(data, name=file.path, at_least=info.preprocessing.least_side)
            fresh.prepared.append(info.preprocessing.prepare(pixels))
            fresh.positions.append(position)
            fresh.ids.append(identity)
        self._indexing.cache.remember_id(file, identity)

    def _report(self, problem: ImageProblem) -> None:
        add = self._indexing.problems.add
        self._indexing.decode.tell(self.token, partial(add, problem.path, problem.kind, problem.detail))

    def _embed(self, token: CancelToken) -> None:
        token.check()
        request, indexing = self._request, self._indexing
        with self._lock:
            batch = self._ready.pop(indexing.embedder.batch_limit)
        embeddings = indexing.embedder.embed(np.stack(batch.prepared), request.backbone, request.device)
        self._tell(EmbeddedBatch(batch.positions, batch.ids, embeddings))
        # Where another bundle has the name by now, nobody knows which of the two has made these.
        if cache_key(indexing.embedder.info(request.backbone)) == self._key:
            indexing.cache.add(self._key, batch.ids, embeddings)
        with self._lock:
            self._ahead -= len(batch.positions)
            self._embedding = False
        self._go_on()

    def _tell(self, batch: EmbeddedBatch) -> None:
        self._indexing.decode.tell(self.token, partial(self._request.on_batch, batch))
