"""The library: what a picture file looks like, small and large, and what the backbone makes of it."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.core.images.reader import read_image
from fewshot_gui.core.images.resize import resize_within
from fewshot_gui.engine.cache import EmbeddingCache
from fewshot_gui.engine.embedder import Embedder
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.indexing import EmbeddedBatch, Indexing, Request, cache_key
from fewshot_gui.engine.runtimes.chosen import ChosenRuntimes
from fewshot_gui.engine.runtimes.record import RUNTIMES
from fewshot_gui.engine.runtimes.settling import Settling
from fewshot_gui.engine.thumbnail_store import ThumbnailStore
from fewshot_gui.engine.thumbnails import Pixels, Thumbnails
from fewshot_gui.engine.worker import CancelToken, Job, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.core.learners.context import LearnerContext
    from fewshot_gui.engine.embedder import BackboneInfo, Describe, Load
    from fewshot_gui.engine.problems import ProblemLog
    from fewshot_gui.engine.worker import Post, Worker

__all__ = ["EmbeddedBatch", "Library", "decode_threads"]


def decode_threads() -> int:
    """Return how many threads the decode lane should have: one a core, 2 to 8."""
    return max(2, min(8, os.cpu_count() or 2))


class Library:
    """Pictures as pixels, thumbnails and embeddings, each computed once.

    Belongs to the main thread, but for the methods that say otherwise; callbacks run there too.

    Args:
        post: hands a call to the main thread.
        decode: the lane that reads and decodes files; see `decode_threads`.
        model: the lane of one thread that touches the device.
        cache_folder: of this program alone; made if missing.
        problems: gets a line for each file that cannot be read.
        load: returns the backbone of a name or path; by default `load_bundle`.
        describe: returns what is known of it without loading it; by default `describe_bundle`.
    """

    def __init__(
        self,
        post: Post,
        decode: Worker,
        model: Worker,
        cache_folder: Path,
        problems: ProblemLog,
        *,
        load: Load | None = None,
        describe: Describe | None = None,
    ) -> None:
        self.device_changed: Event[[str]] = Event()
        self.backbone_replaced: Event[[str]] = Event()
        self._decode = decode
        self._model = model
        self._problems = problems

        def report(path: str, kind: str, detail: str) -> None:
            post(lambda: problems.add(path, kind, detail))

        self._cache = EmbeddingCache(cache_folder, report)
        self._embedder = Embedder(
            load,
            describe,
            lambda device: post(lambda: self.device_changed.emit(device)),
            # Of backbones from elsewhere there is nothing to compare.
            runtimes=ChosenRuntimes(cache_folder / RUNTIMES) if load is None else None,
            on_loaded=lambda name: post(lambda: self._settling.begin(name)),
            on_replaced=lambda name: post(lambda: self.backbone_replaced.emit(name)),
        )
        self._settling = Settling(
            post, model, lambda: bool(decode.pending or model.pending), self._embedder.settle
        )
        self._indexing = Indexing(decode, model, self._cache, self._embedder, problems)
        self._thumbnail_store = ThumbnailStore(cache_folder, _thumbnail)
        self._thumbnails = Thumbnails(decode, self._thumbnail_store)

    @property
    def device(self) -> str:
        """The device of the last embedding, such as "cuda"; "" before the first. `device_changed` tells."""
        return self._embedder.device

    def info(self, backbone: str) -> BackboneInfo:
        """Return hash, preprocessing and dimension of a backbone, from its header. Any thread.

        Raises:
            BundleError: it is missing or damaged.
        """
        return self._embedder.info(backbone)

    def embed_files(
        self,
        files: Sequence[PictureFile],
        backbone: str,
        device: str,
        on_batch: Callable[[EmbeddedBatch], None],
        on_done: Callable[[list[int]], None] | None = None,
        *,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.FOLDER,
    ) -> Job:
        """Return the job that embeds `files`: `on_batch` gets the embeddings as they come, in any order.

        What is in the cache costs no decoding. A file that cannot be read becomes a problem.

        Args:
            files: a picture's position here is its position in the batches.
            backbone: name or path of a bundle.
            device: "auto", "cpu", "cuda", "mps" or "xpu".
            on_batch: gets some of the embeddings.
            on_done: gets the positions of the files that could not be read, when all else has arrived.
            failed: gets the error that ends the whole job, such as a BundleError.
            priority: of every part of the job.
        """
        request = Request(tuple(files), backbone, device, on_batch, on_done, failed, priority)
        return self._indexing.embed(request)

    def look_up(
        self,
        files: Sequence[PictureFile],
        backbone: str,
        on_batch: Callable[[EmbeddedBatch], None],
        on_done: Callable[[list[int]], None] | None = None,
        *,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.VISIBLE,
    ) -> Job:
        """Return the job that finds what is known of `files` already; `on_done` gets the other positions.

        Nothing is decoded and no backbone is loaded.
        """
        request = Request(tuple(files), backbone, "", on_batch, on_done, failed, priority)
        return self._indexing.look_up(request)

    def embed_pixels(
        self, pixels: Pixels, backbone: str, device: str, *, keep_as: PictureId | None = None
    ) -> NDArray[np.float32]:
        """Return the embedding float32 (D,) of a picture. To be called on the model lane.

        Args:
            pixels: uint8 (H, W, 3).
            backbone: name or path of a bundle.
            device: "auto", "cpu", "cuda", "mps" or "xpu".
            keep_as: the picture that these are the pixels of, not those of a thumbnail: it is in the cache
                from now on.

        Raises:
            BundleError: the backbone is missing or damaged.
        """
        info = self.info(backbone)
        embeddings = self._embedder.embed(info.preprocessing.prepare(pixels)[None], backbone, device)
        # A bundle that was replaced meanwhile has made what its former name must not stand for.
        if keep_as is not None and cache_key(self.info(backbone)) == cache_key(info):
            self._cache.add(cache_key(info), [keep_as], embeddings)
        embedding: NDArray[np.float32] = embeddings[0]
        return embedding

    def context(self, backbone: str, device: str) -> LearnerContext:
        """Return what a learner may use of a backbone, which is loaded. To be called on the model lane.

        Raises:
            BundleError: the backbone is missing or damaged.
        """
        return self._embedder.context(backbone, device)

    def known_embeddings(
        self, pictures: Sequence[PictureId], backbone: str
    ) -> dict[PictureId, NDArray[np.float32]]:
        """Return the embedding (D,) of each of the pictures that is in the cache. Any thread.

        Raises:
            BundleError: the backbone is missing or damaged.
        """
        positions, rows = self._cache.find(cache_key(self.info(backbone)), pictures)
        return {pictures[at]: row for at, row in zip(positions.tolist(), rows, strict=True)}

    def warm_up(self, backbone: str, device: str, *, then: Callable[[str], None] | None = None) -> Job:
        """Return the job that loads a backbone before it is needed; `then` gets the device it runs on."""
        return self._model.submit(
            lambda _token: self._embedder.warm_up(backbone, device),
            then=then,
            priority=Priority.ADAPT,
            replaces="library.warm_up",
        )

    def thumbnail(
        self,
        file: PictureFile,
        side: int,
        then: Callable[[Pixels], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Job:
        """Return the job after which `then` gets the picture, uint8 (h, w, 3), longest side <= `side`.

        The array is shared and read-only. `failed` gets an ImageProblem.
        """
        return self._thumbnails.request(file, side, then, failed)

    def pixels(
        self,
        path: str,
        then: Callable[[Pixels], None],
        failed: Callable[[Exception], None] | None = None,
        *,
        at_least: int | None = None,
        replaces: str | None = None,
    ) -> Job:
        """Return the job after which `then` gets a file's pixels, uint8 (H, W, 3) RGB upright.

        Args:
            path: of the file.
            then: gets the pixels.
            failed: gets the ImageProblem; without it the problem goes to the list.
            at_least: the shorter side may be reduced to this; None is full size.
            replaces: a key, such as of the view that shows one picture at a time.
        """

        def work(_token: CancelToken) -> Pixels:
            return read_image(path, at_least=at_least)

        return self._decode.submit(
            work,
            then=then,
            failed=failed or partial(self._add_problem, path),
            priority=Priority.VISIBLE,
            replaces=replaces,
        )

    def save(self) -> Job:
        """Return the job that writes the embeddings that the cache still holds in memory."""
        return self._decode.submit(lambda _token: self._cache.flush(), replaces="library.save")

    def close(self) -> None:
        """Write what the cache still holds in memory. Call it after the lanes are closed."""
        self._settling.close()
        self._thumbnail_store.close()
        self._cache.close()

    def _add_problem(self, path: str, error: Exception) -> None:
        self._problems.add(path, str(getattr(error, "kind", "unreadable")), str(error))


def _thumbnail(path: str, side: int) -> Pixels:
    return resize_within(read_image(path, at_least=side), side)
