"""Where the embeddings of a recipe's examples can come from, without reading or computing anything."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.engine.examples import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.examples import SupportVectors
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.recipe import Recipe
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.taught import RowIndex


class ExampleSources:
    """Finds the examples of a recipe in memory, in the gallery or in the session. For the main thread.

    Args:
        session: knows the pictures of the examples.
        gallery: may show some of them, embedded.
        index: the rows of each picture.
        vectors: what is known already; gets what the gallery knows.
    """

    def __init__(self, session: Session, gallery: Gallery, index: RowIndex, vectors: SupportVectors) -> None:
        self._session = session
        self._gallery = gallery
        self._index = index
        self.vectors = vectors

    def of(self, recipe: Recipe) -> list[Source]:
        """Return a source for each of the S examples of a recipe."""
        known = self._gallery.known
        return [self._source(picture, recipe.backbone, known) for picture in recipe.pictures]

    def _source(self, picture: PictureId, backbone: str, known: NDArray[np.bool_]) -> Source:
        gallery = self._gallery
        vector = self.vectors.get(backbone, picture)
        if vector is None and gallery.backbone == backbone:
            for row in self._index.rows(picture):
                if known[row]:
                    # A copy: the gallery may be closed, the example stays.
                    vector = gallery.embeddings[row].copy()
                    self.vectors.put(backbone, picture, vector)
                    break
        if vector is not None:
            return Source(picture, vector, None, None)
        stored = self._session.picture(picture)
        without_file = stored is None or not stored.path
        original = partial(self._session.original, picture) if without_file else None
        return Source(picture, None, original, stored)
