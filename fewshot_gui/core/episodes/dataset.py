"""A labelled set of pictures in memory, read from class folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import read_image
from fewshot_gui.core.images.scan import class_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.preprocessing import Preprocessing


class DatasetError(ValueError):
    """A folder that is no data set; its sentence says what was looked for."""


@dataclass(frozen=True)
class ClassImages:
    """Prepared pictures of named classes.

    Attributes:
        names: the classes.
        images: uint8 (n, side, side, C), or (n, views * side, side, C) where they are seen in several views.
        labels: int64 (n,), each an index into `names`.
        problems: the files that could not be read, which are not among the images.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    problems: tuple[ImageProblem, ...] = ()

    def subset(self, classes: list[int]) -> ClassImages:
        """Return the pictures of `classes` alone, relabelled in that order."""
        rows = np.flatnonzero(np.isin(self.labels, classes))
        new = {old: index for index, old in enumerate(classes)}
        labels = np.array([new[int(label)] for label in self.labels[rows]], dtype=np.int64)
        return ClassImages(tuple(self.names[c] for c in classes), self.images[rows], labels)

    def split(self, share: float) -> tuple[ClassImages, ClassImages]:
        """Return the classes to train on, and those held out of training: evenly spread, at least two.

        Args:
            share: of the classes that is held out, 0 to 1.
        """
        held = max(2, int(share * len(self.names)))
        step = len(self.names) / held
        chosen = [int(place * step) for place in range(held)]
        rest = sorted(set(range(len(self.names))) - set(chosen))
        return self.subset(rest), self.subset(chosen)


def load_classes(
    root: Path, preprocessing: Preprocessing, *, progress: Callable[[int, int], None] | None = None
) -> ClassImages:
    """Return every readable picture under `root`, prepared; a class is a folder that directly holds pictures.

    Args:
        root: of the class folders, nested or not.
        preprocessing: what makes a picture the network's input.
        progress: called with pictures read and their total.

    Raises:
        DatasetError: no class folder, or no readable picture.
    """
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give one that holds a folder of pictures for each class")
    problems: list[ImageProblem] = []
    folders = class_folders(root, on_problem=problems.append)
    unlisted = len(problems)
    if not folders:
        raise DatasetError(
            f"{root} holds no class folders: put the pictures of each class into a folder of its own"
        )
    total = sum(len(files) for files in folders.values())
    images = np.empty((total, *preprocessing.prepared_shape), dtype=np.uint8)
    labels: list[int] = []
    for label, files in enumerate(folders.values()):
        for file in files:
            try:
                images[len(labels)] = preprocessing.prepare(
                    read_image(file.path, at_least=preprocessing.least_side)
                )
                labels.append(label)
            except ImageProblem as problem:
                problems.append(problem)
        if progress:
            progress(len(labels) + len(problems) - unlisted, total)
    if not labels:
        raise DatasetError(f"none of the {total} pictures under {root} can be read; the first: {problems[0]}")
    return ClassImages(
        tuple(folders), images[: len(labels)], np.array(labels, dtype=np.int64), tuple(problems)
    )


def merged(sets: Sequence[ClassImages]) -> ClassImages:
    """Return several sets as one, in their order; classes of the same name become one.

    Args:
        sets: at least one, all prepared alike.
    """
    if len(sets) == 1:
        return sets[0]
    names = tuple(dict.fromkeys(name for each in sets for name in each.names))
    place = {name: index for index, name in enumerate(names)}
    labels = [np.array([place[name] for name in each.names], dtype=np.int64)[each.labels] for each in sets]
    images = np.concatenate([each.images for each in sets])
    return ClassImages(
        names, images, np.concatenate(labels), tuple(p for each in sets for p in each.problems)
    )
