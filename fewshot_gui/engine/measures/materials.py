"""What is measured on: pictures, a video, a filled cache and a session, made on the spot in a folder."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from fewshot_gui.core.images.encode import encode_jpeg
from fewshot_gui.core.images.identity import PictureId, picture_id
from fewshot_gui.core.images.scan import PictureFile, scan_folder
from fewshot_gui.engine.cache import EmbeddingCache
from fewshot_gui.engine.commands import ChooseBackbone
from fewshot_gui.engine.indexing import cache_key
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.engine.embedder import BackboneInfo

VIDEO_SIZE = 640, 480
VIDEO_RATE = 30
_PORTION = 512
_IN_A_FOLDER = 1000
_CONTENTS = 200
_JPEG_START = 2  # bytes; a comment may follow at once


def noisy_picture(width: int, height: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 (height, width, 3): soft colours under grain, to a JPEG as hard as a photo."""
    soft = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    pixels = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    # One tile of grain, repeated: drawing 36 million random numbers takes longer than coding them.
    tile = generator.normal(0, 5, (256, 256, 3))
    grain = np.tile(tile, (height // 256 + 1, width // 256 + 1, 1))[:height, :width].astype(np.int8)
    result: NDArray[np.uint8] = np.clip(pixels.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    return result


def make_photos(folder: Path, count: int, longer_side: int) -> list[PictureFile]:
    """Return `count` large noisy JPEGs, 4 to 3, made in folder/photos: some 2 MB each at 12 megapixels.

    They lie in one class folder, as torchvision wants it.
    """
    generator = np.random.default_rng(0)
    photos = folder / "photos"
    photos.mkdir(parents=True)
    for number in range(count):
        pixels = noisy_picture(longer_side, longer_side * 3 // 4, generator)
        (photos / f"{number:03}.jpg").write_bytes(encode_jpeg(pixels, quality=90))
    return list(scan_folder(folder))


def make_pictures(folder: Path, count: int, *, side: int) -> list[PictureFile]:
    """Return `count` small JPEGs, all different in content, made in folders of a thousand.

    There are 200 pictures to see; a comment in each file makes its bytes its own.
    """
    generator = np.random.default_rng(1)
    contents = [
        encode_jpeg(noisy_picture(side, side * 3 // 4, generator)) for _ in range(min(count, _CONTENTS))
    ]
    for number in range(count):
        place = folder / f"{number // _IN_A_FOLDER:03}"
        if number % _IN_A_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"{number:06}.jpg").write_bytes(_commented(contents[number % len(contents)], number))
    return list(scan_folder(folder))


def _commented(jpeg: bytes, number: int) -> bytes:
    """Return the JPEG with `number` in a comment segment: its marker, its length, its text."""
    text = f"{number:012}".encode()
    segment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    return jpeg[:_JPEG_START] + segment + jpeg[_JPEG_START:]


def make_video(path: Path, seconds: float) -> Path:
    """Return `path`, an H.264 video of 640 x 480 at 30 frames/s: a scene that moves under grain."""
    width, height = VIDEO_SIZE
    scene = noisy_picture(width * 2, height, np.random.default_rng(2))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=VIDEO_RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(seconds * VIDEO_RATE)):
            left = number * 3 % width
            pixels = np.ascontiguousarray(scene[:, left : left + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def fill_cache(
    folder: Path,
    info: BackboneInfo,
    files: Sequence[PictureFile],
    identify: Callable[[PictureFile], PictureId],
) -> None:
    """Fill an embedding cache with random embeddings of length one for `files`.

    Args:
        folder: of the cache.
        info: of the backbone that they are meant to be of.
        files: they need not exist.
        identify: returns the content id of one.
    """
    problems: list[str] = []
    cache = EmbeddingCache(folder, lambda path, kind, detail: problems.append(f"{path}: {kind}: {detail}"))
    generator = np.random.default_rng(3)
    for start in range(0, len(files), _PORTION):
        some = files[start : start + _PORTION]
        ids = [identify(file) for file in some]
        for file, identity in zip(some, ids, strict=True):
            cache.remember_id(file, identity)
        rows = generator.standard_normal((len(some), info.dimension), dtype=np.float32)
        cache.add(cache_key(info), ids, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    cache.close()
    if problems:
        raise OSError(problems[0])


def imagined_files(count: int) -> list[PictureFile]:
    """Return entries of files that exist nowhere, for what never looks into them."""
    return [PictureFile(f"/imagined/{number:06}.jpg", 1, number) for number in range(count)]


def imagined_id(file: PictureFile) -> PictureId:
    """Return the content id of a file that does not exist: that of its path."""
    return picture_id(file.path.encode())


def make_session(path: Path, backbone: str) -> Path:
    """Return `path`, a new session that uses `backbone` and is otherwise empty."""
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    disk = Worker("disk", posted.put)
    session = Session.create(path, disk)
    if session.document.settings.backbone != backbone:
        session.do(ChooseBackbone(backbone))
    session.close()
    disk.close(timeout=5)
    return path
