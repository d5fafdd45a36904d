"""Sidecars are merged, never replaced (ansel#199, darktable#4776)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.sorting.sidecar import Keyword, SidecarError, keywords, merged

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- a comment of somebody -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" darktable:raw_params="0">
   <darktable:history><rdf:Seq>
    <rdf:li darktable:operation="exposure" darktable:params="00ff"/>
   </rdf:Seq></darktable:history>
  </rdf:Description>
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def test_reimport_overwrote_xmp_every_tag_of_others_stays() -> None:
    done = merged(DARKTABLE, Keyword("cats", "human"))
    assert keywords(done) == ["holiday", "cats"]
    for kept in (
        b'xmp:Rating="4"',
        b'darktable:operation="exposure"',
        b"a comment of somebody",
        b'x:xmptk="XMP Core 4.4.0-Exiv2"',
    ):
        assert kept in done


def test_a_new_sidecar_holds_the_keyword_and_who_said_it() -> None:
    done = merged(None, Keyword("Größe & Co", "machine", 0.8765, "photo 0123"))
    assert keywords(done) == ["Größe & Co"]
    assert b'saidBy="machine"' in done
    assert b'probability="0.8765"' in done
    assert done.startswith(b"<?xml")


def test_a_sidecar_tells_when_it_was_decided_and_with_which_weights() -> None:
    done = merged(None, Keyword("cats", "machine", 0.5, "photo 0123", "ridge", "2026-01-02T03:04:05+00:00"))
    for written in (b'weights="photo 0123"', b'learner="ridge"', b'at="2026-01-02T03:04:05+00:00"'):
        assert written in done


def test_what_the_machine_says_again_it_said_at_the_first_moment() -> None:
    first = merged(DARKTABLE, Keyword("cats", "machine", 0.5, "photo 0123", "ridge", "2026-01-01"))
    again = Keyword("cats", "machine", 0.5, "photo 0123", "ridge", "2026-02-02")
    assert merged(first, again) == first
    assert b"2026-02-02" in merged(first, replace(again, probability=0.6))
    human = merged(DARKTABLE, Keyword("cats", "human", at="2026-01-01"))
    assert b"2026-02-02" in merged(human, Keyword("cats", "human", at="2026-02-02"))


@pytest.mark.parametrize("word", ["a\0b", "bell\x07", "byte\udcff"])
def test_a_word_that_is_no_xml_is_refused(word: str) -> None:
    with pytest.raises(SidecarError):
        merged(None, Keyword(word, "human"))
    with pytest.raises(SidecarError):
        merged(None, Keyword("cats", "human", learner=word))


def test_the_same_keyword_twice_changes_nothing() -> None:
    once = merged(DARKTABLE, Keyword("cats", "human"))
    assert merged(once, Keyword("cats", "human")) == once


def test_our_former_category_is_replaced_and_words_of_others_are_not() -> None:
    first = merged(DARKTABLE, Keyword("cats", "machine", 0.5))
    second = merged(first, Keyword("dogs", "human"))
    assert keywords(second) == ["holiday", "dogs"]
    assert b"probability" not in second
    taken = merged(merged(DARKTABLE, Keyword("holiday", "human")), Keyword("dogs", "human"))
    assert keywords(taken) == ["holiday", "dogs"]


@pytest.mark.parametrize("kind", [b"Seq", b"Alt"])
def test_a_list_of_another_kind_gets_no_second_one_beside_it(kind: bytes) -> None:
    data = merged(DARKTABLE.replace(b"rdf:Bag", b"rdf:" + kind), Keyword("cats", "human"))
    assert keywords(data) == ["holiday", "cats"]
    assert b"rdf:Bag" not in data


def test_an_rdf_root_without_description_is_merged_too() -> None:
    bare = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    assert keywords(merged(bare, Keyword("cats", "human"))) == ["cats"]


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"not xml", b"<html/>", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>"]
)
def test_a_damaged_sidecar_is_refused_not_replaced(data: bytes) -> None:
    with pytest.raises(SidecarError):
        merged(data, Keyword("cats", "human"))


def test_a_sidecar_cannot_read_other_files() -> None:
    evil = (
        b'<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><y>&secret;</y></x:xmpmeta>'
    )
    assert b"&secret;" in merged(evil, Keyword("cats", "human"))


text = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1).filter(
    lambda word: all(ord(c) not in (0xFFFE, 0xFFFF) for c in word)
)


@given(st.lists(text, min_size=1, max_size=5))
def test_the_last_category_is_the_only_one_of_ours(categories: list[str]) -> None:
    data = DARKTABLE
    for category in categories:
        data = merged(data, Keyword(category, "human"))
    assert set(keywords(data)) <= {"holiday", categories[-1]}
    assert categories[-1] in keywords(data)
