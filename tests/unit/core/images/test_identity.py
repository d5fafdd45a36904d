"""A picture is known by its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import file_id, picture_id
from fewshot_gui.core.images.problems import ImageProblem, ProblemKind

if TYPE_CHECKING:
    from pathlib import Path


def test_an_identity_is_the_same_in_every_version_of_the_program() -> None:
    # Sessions on people's disks know their pictures by it.
    assert picture_id(b"abc") == "cf4ab791c62b8d2b2109c90275287816"


@given(st.binary())
def test_an_identity_is_32_hex_digits_of_the_bytes_alone(data: bytes) -> None:
    identity = picture_id(data)
    assert len(identity) == 32
    assert int(identity, 16) >= 0
    assert identity == identity.lower() == picture_id(bytes(data)) == picture_id(memoryview(data))
    assert identity == hashlib.blake2b(data, digest_size=16).hexdigest()


@given(st.binary(min_size=1), st.integers(0), st.integers(1, 255))
def test_one_other_byte_is_another_picture(data: bytes, at: int, change: int) -> None:
    other = bytearray(data)
    other[at % len(data)] ^= change
    assert picture_id(bytes(other)) != picture_id(data)


def test_name_and_place_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"pixels")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ž.png").write_bytes(b"pixels")
    assert file_id(tmp_path / "a.jpg") == file_id(str(tmp_path / "folder" / "ž.png")) == picture_id(b"pixels")


def test_a_file_that_cannot_be_read_has_no_identity(tmp_path: Path) -> None:
    with pytest.raises(ImageProblem) as caught:
        file_id(tmp_path / "missing.jpg")
    assert caught.value.kind is ProblemKind.MISSING
