"""The orientation tag, in whatever form cameras write it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.Image import Transpose

from fewshot_gui.core.images.orientation import lies_on_its_side, upright_transpose

ROTATED = 6


def directory(order: str, *entries: tuple[int, int, int]) -> bytes:
    """Return EXIF data with entries of (tag, type, value): type 3 is 16 bits, type 4 is 32."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    for tag, type_, value in entries:
        data += struct.pack(order + "HHI", tag, type_, 1)
        data += struct.pack(order + "HH", value, 0) if type_ == 3 else struct.pack(order + "I", value)
    return data + b"\0\0\0\0"


@pytest.mark.parametrize("type_", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_both_byte_orders_and_both_widths(order: str, type_: int, prefix: bytes) -> None:
    data = prefix + directory(order, (0x010F, 4, 99), (0x0112, type_, ROTATED))
    assert upright_transpose(data) is Transpose.ROTATE_270


@pytest.mark.parametrize("orientation", [0, 1, 9, 255, 65535])
def test_upright_and_nonsense_turn_nothing(orientation: int) -> None:
    assert upright_transpose(directory("<", (0x0112, 3, orientation))) is None


def test_the_seven_others_turn_each_in_its_own_way() -> None:
    found = [upright_transpose(directory("<", (0x0112, 3, orientation))) for orientation in range(2, 9)]
    assert None not in found
    assert len(set(found)) == 7


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_pillow_writes_is_understood(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert (upright_transpose(exif.tobytes()) is None) == (orientation == 1)


@pytest.mark.parametrize("orientation", range(10))
def test_from_the_fifth_on_width_and_height_change_places(orientation: int) -> None:
    data = directory("<", (0x0112, 3, orientation))
    assert lies_on_its_side(data) == (5 <= orientation <= 8)


def test_no_tag_turns_nothing() -> None:
    assert upright_transpose(b"") is None
    assert upright_transpose(directory(">", (0x010F, 4, 6))) is None


@given(st.integers(0, 40))
def test_data_cut_anywhere_turns_rightly_or_not_at_all(length: int) -> None:
    data = directory("<", (0x010F, 4, 99), (0x0112, 3, ROTATED))
    assert upright_transpose(data[:length]) in {None, Transpose.ROTATE_270}


@given(st.sampled_from([b"II*\0", b"MM\0*", b""]), st.binary(max_size=300))
def test_noise_turns_something_or_nothing_but_never_fails(head: bytes, noise: bytes) -> None:
    found = upright_transpose(head + noise)
    assert found is None or found in Transpose
