"""How fast large photos become embeddings, against torchvision's usual loop with the same backbone."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.engine.devices import choose_device
from fewshot_gui.engine.headless import MainLoop, open_library
from fewshot_gui.engine.measures.figure import Figure, MeasureError
from fewshot_gui.engine.measures.materials import make_photos
from fewshot_gui.engine.measures.plain import time_indexing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.measures.children import Place
    from fewshot_gui.engine.measures.figure import Sizes

BAR_TIMES = 4.0


def measure_indexing(place: Place, sizes: Sizes) -> Figure:
    """Return pictures a second, held to four times what ImageFolder and DataLoader reach.

    Both start with the backbone loaded and the files in the system's memory.
    """
    root = place.folder / "indexing"
    files = make_photos(root, sizes.photos, sizes.photo_side)
    loop = MainLoop()
    with open_library(loop, place.cache) as (library, _problems):
        # The first picture loads the backbone, and is not counted; a backbone that fails says so here.
        _embed(library, loop, files[:1], place.backbone)
        begun = perf_counter()
        _embed(library, loop, files[1:], place.backbone)
        ours = (len(files) - 1) / (perf_counter() - begun)
    device = choose_device("auto")
    plain = len(files) / time_indexing(load_bundle(place.backbone), root, device)
    return Figure(
        name="index",
        value=ours,
        unit="pictures/s",
        bar=BAR_TIMES * plain,
        baseline_value=plain,
        more_is_better=True,
        detail={
            "pictures": len(files),
            "mean_bytes": sum(file.size for file in files) // len(files),
            "bar_ratio": BAR_TIMES,
        },
    )


def _embed(library: Library, loop: MainLoop, files: Sequence[PictureFile], backbone: str) -> None:
    ended: list[list[int] | Exception] = []
    library.embed_files(
        files, backbone, "auto", lambda _batch: None, on_done=ended.append, failed=ended.append
    )
    loop.run_until(lambda: bool(ended))
    if ended[0]:
        raise MeasureError(f"the photos could not be embedded: {ended[0]}")
