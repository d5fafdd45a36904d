"""The materials: distinct pictures, a video that plays, a cache that answers, a session that opens."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.bundle import describe_bundle
from fewshot_gui.core.images.identity import file_id
from fewshot_gui.core.images.reader import read_image
from fewshot_gui.engine.cache import EmbeddingCache
from fewshot_gui.engine.indexing import cache_key
from fewshot_gui.engine.measures.materials import (
    fill_cache,
    imagined_files,
    imagined_id,
    make_photos,
    make_pictures,
    make_session,
    make_video,
    noisy_picture,
)
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.sources.video_file import VideoFile
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path


def test_a_noisy_picture_has_the_size_asked_for_and_grain() -> None:
    pixels = noisy_picture(300, 200, np.random.default_rng(0))

    assert pixels.shape == (200, 300, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(np.diff(pixels.astype(int), axis=1)).mean() > 2


def test_pictures_differ_in_content_and_can_be_read(tmp_path: Path) -> None:
    files = make_pictures(tmp_path / "folder", 250, side=32)

    assert len(files) == 250
    assert len({file_id(file.path) for file in files}) == 250
    assert read_image(files[-1].path).shape == (24, 32, 3)


def test_the_comment_changes_no_pixel(tmp_path: Path) -> None:
    files = make_pictures(tmp_path / "folder", 201, side=32)

    first, again = read_image(files[0].path), read_image(files[200].path)

    assert np.array_equal(first, again)
    assert file_id(files[0].path) != file_id(files[200].path)


def test_more_than_a_thousand_lie_in_several_folders(tmp_path: Path) -> None:
    make_pictures(tmp_path / "folder", 1001, side=8)

    assert [len(list(each.iterdir())) for each in sorted((tmp_path / "folder").iterdir())] == [1000, 1]


def test_photos_lie_in_one_class_folder(tmp_path: Path) -> None:
    files = make_photos(tmp_path, 2, 64)

    assert [file.path for file in files] == [
        str(tmp_path / "photos" / name) for name in ("000.jpg", "001.jpg")
    ]
    assert read_image(files[0].path).shape == (48, 64, 3)


def test_a_video_has_its_length_and_size(tmp_path: Path) -> None:
    with VideoFile(str(make_video(tmp_path / "made.mp4", 0.5))) as video:
        pictures = list(video.pictures())

    assert len(pictures) == 15
    assert pictures[0].frame().shape == (480, 640, 3)


def test_a_filled_cache_answers_for_every_file(tmp_path: Path, tiny_backbone: Path) -> None:
    info, files = describe_bundle(tiny_backbone), imagined_files(600)
    fill_cache(tmp_path / "cache", info, files, imagined_id)

    cache = EmbeddingCache(tmp_path / "cache", lambda *problem: pytest.fail(str(problem)))
    ids = cache.known_ids(files)
    found, embeddings = cache.find(cache_key(info), [identity for identity in ids if identity])
    cache.close()

    assert ids == [imagined_id(file) for file in files]
    assert len(found) == 600
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path: Path, tiny_backbone: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(OSError, match="cache-off"):
        fill_cache(tmp_path / "cache", describe_bundle(tiny_backbone), imagined_files(3), imagined_id)


@pytest.mark.parametrize("backbone", ["photo", "somewhere/else.safetensors"])
def test_a_session_opens_with_its_backbone(tmp_path: Path, backbone: str) -> None:
    path = make_session(tmp_path / "made.fewshot", backbone)

    disk = Worker("disk", SimpleQueue[object]().put)
    session = Session.open(path, disk)
    settings, categories = session.document.settings, session.document.categories
    session.close()
    disk.close(timeout=5)

    assert settings.backbone == backbone
    assert categories == ()
