"""The embeddings of the examples: from memory, else from the cache, else from the best picture there is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.images.identity import bytes_of
from fewshot_gui.core.images.reader import ImageProblem, decode_image
from fewshot_gui.engine.session_error import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.pictures import StoredPicture
    from fewshot_gui.engine.worker import Steps

_VECTORS_KEPT: Final = 50_000
"""Embeddings of examples kept in memory: 100 MB of 512 numbers each."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An example, and where its embedding can come from; tried in this order.

    Attributes:
        picture: its id.
        vector: float32 (D,), where it is known already.
        original: reads the encoded bytes of one without a file; called on the model lane, as 200 of them
            would hold the main thread for 75 ms.
        stored: its path and its thumbnail.
    """

    picture: PictureId
    vector: NDArray[np.float32] | None
    original: Callable[[], bytes | None] | None
    stored: StoredPicture | None


class SupportVectors:
    """Embeddings of examples by backbone and content, so that each is computed once; any thread may ask."""

    def __init__(self, limit: int = _VECTORS_KEPT) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, PictureId, bool], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, backbone: str, picture: PictureId, *, whole: bool = True) -> NDArray[np.float32] | None:
        """Return the embedding float32 (D,), or None where it is not known.

        Args:
            backbone: name or path of the bundle.
            picture: which one.
            whole: of the picture itself; else what its thumbnail gives.
        """
        with self._lock:
            return self._kept.get((backbone, picture, whole))

    def put(
        self, backbone: str, picture: PictureId, vector: NDArray[np.float32], *, whole: bool = True
    ) -> None:
        """Keep an embedding, see `get`; beyond the limit the oldest goes."""
        with self._lock:
            self._kept[(backbone, picture, whole)] = vector
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def forget(self, backbone: str) -> None:
        """Forget what a backbone has made: another one has its name by now."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == backbone]:
                del self._kept[key]


def embed_examples(
    sources: Sequence[Source], library: Library, vectors: SupportVectors, backbone: str, device: str
) -> Steps[dict[PictureId, NDArray[np.float32]]]:
    """Return the embedding (D,) of each example that has one; a picture that is nowhere has none.

    What was computed once from the picture itself is in the cache: a session says the same when its
    pictures have moved, and computes nothing when it is opened again.

    Raises:
        BundleError: the backbone cannot be used.
    """
    found = {source.picture: source.vector for source in sources if source.vector is not None}
    rest = [source for source in sources if source.picture not in found]
    for source in rest:
        vector = vectors.get(backbone, source.picture)
        if vector is not None:
            found[source.picture] = vector
    rest = [source for source in rest if source.picture not in found]
    found |= library.known_embeddings([source.picture for source in rest], backbone)
    for source in rest:
        whole = source.picture in found
        if not whole:
            kept = vectors.get(backbone, source.picture, whole=False)
            pixels, whole = _read(
                source, library.info(backbone).preprocessing.least_side, thumbnail=kept is None
            )
            if pixels is None:
                if kept is not None:
                    found[source.picture] = kept
                continue
            # What a thumbnail gives is near the truth; it must not stand in for it later.
            keep_as = source.picture if whole else None
            found[source.picture] = library.embed_pixels(pixels, backbone, device, keep_as=keep_as)
            yield
        vectors.put(backbone, source.picture, found[source.picture], whole=whole)
    return found


def _read(source: Source, side: int, *, thumbnail: bool) -> tuple[NDArray[np.uint8] | None, bool]:
    """Return the pixels of the original, else the file, else the thumbnail if wanted, and False for the last.

    Without any of them they are None.
    """
    # A raw file is known by its name alone; what the session keeps is none, whatever the name.
    name = (source.stored.path if source.stored else "") or source.picture
    for read, is_whole in ((_original, True), (_file, True), (_thumbnail, False)):
        if not is_whole and not thumbnail:
            break
        try:
            data = read(source)
            pixels = None if data is None else decode_image(data, name=name, at_least=side)
        except (ImageProblem, SessionError):
            continue  # there is another way
        if pixels is not None:
            return pixels, is_whole
    return None, False


def _original(source: Source) -> bytes | None:
    """Return the encoded bytes that the session keeps of a picture without a file."""
    return None if source.original is None else source.original()


def _file(source: Source) -> bytes | None:
    """Return the file's bytes; None where it is another picture by now than the one that was taught."""
    if source.stored is None or not source.stored.path:
        return None
    return bytes_of(source.stored.path, source.picture)


def _thumbnail(source: Source) -> bytes | None:
    return None if source.stored is None else source.stored.thumbnail
