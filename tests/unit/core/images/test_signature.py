"""Formats are told by their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.signature import Format, ends_early, foreign_format, sniff


@pytest.mark.parametrize(
    ("major", "others", "kind"),
    [
        (b"heic", b"mif1heic", Format.HEIF),
        (b"mif1", b"mif1heic", Format.HEIF),
        (b"msf1", b"hevc", Format.HEIF),
        (b"mif1", b"mif1avifmiaf", Format.AVIF),
        (b"avif", b"mif1", Format.AVIF),
        (b"avis", b"", Format.AVIF),
        (b"isom", b"iso2mp41", None),
        (b"crx ", b"isom", None),
    ],
)
def test_one_container_holds_many_formats(major: bytes, others: bytes, kind: Format | None) -> None:
    data = (16 + len(others)).to_bytes(4, "big") + b"ftyp" + major + b"\0\0\0\0" + others + b"avifheic"
    assert sniff(data) is kind
    assert (foreign_format(data) is None) == (kind == "never")


@given(st.binary(max_size=64))
def test_any_bytes_have_a_format_or_none(data: bytes) -> None:
    assert sniff(data) is None or sniff(data) in Format
    assert foreign_format(data) is None or foreign_format(data)


@given(st.binary(max_size=200), st.sampled_from(list(Format)))
def test_the_end_of_any_bytes_can_be_asked_for(data: bytes, kind: Format) -> None:
    assert ends_early(data, kind) in {True, False}


def test_boxes_of_64_bits_and_up_to_the_end_are_followed() -> None:
    head = b"\0\0\0\x10ftypavif\0\0\0\0"
    long = b"\0\0\0\1mdat" + (24).to_bytes(8, "big") + b"12345678"
    assert not ends_early(head + long, Format.AVIF)
    assert ends_early(head + long[:-1], Format.AVIF)
    assert not ends_early(head + b"\0\0\0\0mdat12345", Format.HEIF)


def test_zeros_after_the_end_are_not_the_end() -> None:
    assert not ends_early(b"\xff\xd8 scan \xff\xd9" + b"\0" * 20, Format.JPEG)
    assert ends_early(b"\xff\xd8 scan " + b"\0" * 20, Format.JPEG)
