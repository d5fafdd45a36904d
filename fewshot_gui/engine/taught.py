"""Which rows of the gallery show a picture that a person has put into a category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import CategoryId, Document


class RowIndex:
    """The rows of each picture by content; one picture may lie in several files."""

    def __init__(self) -> None:
        self._rows: dict[PictureId, list[int]] = {}
        self._ids: dict[int, PictureId] = {}

    def note(self, rows: Iterable[int], ids: Sequence[PictureId | None]) -> None:
        """Take up rows whose id, `ids[row]`, is known now or has changed."""
        for row in rows:
            new, old = ids[row], self._ids.get(row)
            if new == old:
                continue
            if old is not None:
                self._rows[old].remove(row)
                del self._ids[row]
            if new is not None:
                self._ids[row] = new
                self._rows.setdefault(new, []).append(row)

    def rows(self, picture: PictureId) -> Sequence[int]:
        """Return the rows that show this picture."""
        return self._rows.get(picture, ())

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self._ids.clear()

    def taught(self, document: Document, classes: Sequence[CategoryId], count: int) -> NDArray[np.int32]:
        """Return int32 (count,): which of `classes` owns each row, -1 where none does."""
        column = {category: index for index, category in enumerate(classes)}
        owners = np.full(count, -1, np.int32)
        for category in document.categories:
            index = column.get(category.id, -1)
            for example in category.examples:
                for row in self._rows.get(example.picture, ()):
                    owners[row] = index
        return owners
