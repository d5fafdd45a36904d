"""Which files belong together: same folder, same stem, and never another picture's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.scan import stem_of
from fewshot_gui.engine.sorting.groups import companions, may_be_companion


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.jpg", "a"), ("a.b.jpg", "a.b"), (".hidden", ".hidden"), ("plain", "plain"), ("dot.", "dot.")],
)
def test_a_stem_ends_before_the_last_suffix(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize(
    "companion",
    ["a.xmp", "a.XMP", "a.json", "a.aae", "a.mov", "a.MOV", "a.CR2", "a.dng", "a.jpg.xmp", "a.jpg.json"],
)
def test_what_goes_with_a_picture(companion: str) -> None:
    assert companions(["a.jpg", companion], {"a.jpg"}) == {companion: ("a.jpg",)}


@pytest.mark.parametrize(
    "stranger", ["b.xmp", "ab.xmp", "a.txt", "a.mp4", "a", "a (2).xmp", "a.png.xmp", "a_.json", "a.b.xmp"]
)
def test_what_does_not(stranger: str) -> None:
    assert companions(["a.jpg", stranger], {"a.jpg"}) == {}


def test_google_takeout_names_its_sidecars_in_full() -> None:
    name = "a.jpg.supplemental-metadata.json"
    assert companions(["a.jpg", name], {"a.jpg"}) == {name: ("a.jpg",)}


def test_the_sidecar_of_a_raw_goes_with_the_jpeg() -> None:
    found = companions(["a.jpg", "a.cr2", "a.cr2.xmp"], {"a.jpg"})
    assert found == {"a.cr2": ("a.jpg",), "a.cr2.xmp": ("a.jpg",)}


def test_a_raw_that_was_decided_goes_by_itself() -> None:
    found = companions(["a.jpg", "a.cr2", "a.cr2.xmp", "a.xmp"], {"a.jpg", "a.cr2"})
    assert found == {"a.cr2.xmp": ("a.cr2",), "a.xmp": ("a.jpg", "a.cr2")}


def test_a_picture_that_was_not_decided_claims_too() -> None:
    assert companions(["a.jpg", "a.png", "a.xmp"], {"a.jpg"}) == {"a.xmp": ("a.jpg", "a.png")}


def test_a_sidecar_in_full_belongs_to_one_of_two() -> None:
    assert companions(["a.jpg", "a.png", "a.png.xmp"], {"a.jpg", "a.png"}) == {"a.png.xmp": ("a.png",)}


def test_case_is_told_apart_where_it_matters_and_not_where_it_does_not() -> None:
    assert companions(["IMG.JPG", "img.xmp"], {"IMG.JPG"}) == {"img.xmp": ("IMG.JPG",)}
    both = companions(["IMG.JPG", "img.jpg", "img.xmp", "IMG.xmp"], {"IMG.JPG", "img.jpg"})
    assert both == {"img.xmp": ("img.jpg",), "IMG.xmp": ("IMG.JPG",)}


NAMES = st.lists(
    st.builds(
        lambda stem, middle, end: stem + middle + end,
        st.sampled_from(["a", "A", "b", "a.b", "é"]),
        st.sampled_from(["", ".jpg", ".cr2"]),
        st.sampled_from([".jpg", ".PNG", ".xmp", ".json", ".mov", ".cr2", ".txt"]),
    ),
    unique=True,
    max_size=12,
)


@given(NAMES, st.data())
def test_a_companion_belongs_to_pictures_of_its_own_stem(names: list[str], data: st.DataObject) -> None:
    decided = set(data.draw(st.lists(st.sampled_from(names), unique=True))) if names else set()
    found = companions(names, decided)
    assert not set(found) & decided
    for companion, owners in found.items():
        assert may_be_companion(companion)
        assert owners
        for owner in owners:
            assert companion.lower().startswith(stem_of(owner).lower())
            assert owner in names
