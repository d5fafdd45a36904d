"""Names of files and folders: valid everywhere, and one name nowhere stands for two."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.sorting.names import (
    LONGEST_NAME,
    byte_length,
    cut,
    folded,
    free_name,
    free_stem,
    is_safe_name,
    safe_folder_name,
    safe_name,
)

if TYPE_CHECKING:
    from pathlib import Path

RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{d}" for n in ("com", "lpt") for d in "0123456789¹²³")}

names = st.one_of(
    st.text(max_size=300),
    st.text(st.sampled_from('aA.é ß/\\:*?"<>|\0\n(2)ıİ\u0301😀'), max_size=12),
    st.sampled_from(["CON", "nul.txt", "aux .x", "a" * 300, "ä" * 200 + ".jpeg", "..", ".", "", " ", "Com1"]),
    st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=4),
)


def valid_everywhere(name: str) -> bool:
    """What Windows, macOS and Linux ask of a name, said another way than the program does."""
    forbidden = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
    return (
        0 < len(name.encode()) <= 255
        and len(name.encode("utf-16-le")) <= 510
        and not forbidden & set(name)
        and name == name.rstrip(" .")
        and name.partition(".")[0].rstrip().lower() not in RESERVED
        and name == unicodedata.normalize("NFC", name)
    )


@given(names)
def test_a_safe_name_is_valid_everywhere(name: str) -> None:
    assert valid_everywhere(safe_name(name))
    assert is_safe_name(safe_name(name))


@given(names)
def test_a_safe_name_never_changes_again(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@given(names, st.lists(names, max_size=6))
def test_a_folder_name_is_safe_and_free_on_every_system(name: str, others: list[str]) -> None:
    taken = [safe_name(other) for other in others] + [safe_name(name)]
    chosen = safe_folder_name(name, taken)
    assert valid_everywhere(chosen)
    assert folded(chosen) not in {folded(other) for other in taken}


@given(names)
def test_folding_is_stable_and_knows_neither_case_nor_composition(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    decomposed = unicodedata.normalize("NFD", name)
    assert folded(decomposed) == folded(name)


@given(st.text(max_size=80), st.integers(0, 120))
def test_a_cut_name_is_a_beginning_of_whole_characters(name: str, most: int) -> None:
    short = cut(name, most)
    assert name.startswith(short)
    assert byte_length(short) <= max(most, 0)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cats", "cats"),
        ("cats/dogs", "cats_dogs"),
        ("What?", "What_"),
        ("CON", "CON_"),
        ("con.txt", "con_.txt"),
        ("COM¹", "COM¹_"),
        ("console", "console"),
        ("trailing. . ", "trailing"),
        (" leading", "leading"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("e\u0301te\u0301", "été"),
        (".hidden", ".hidden"),
    ],
)
def test_class_name_to_safe_folder_name(name: str, safe: str) -> None:
    """ai-file-sorter#47: hundreds of odd folders, reserved names, trailing dots, names too long."""
    assert safe_folder_name(name) == safe


def test_a_long_name_keeps_its_suffix_and_leaves_room_for_a_number() -> None:
    short = safe_name("ä" * 200 + ".jpeg")
    assert short.endswith("ä.jpeg")
    assert byte_length(short) <= LONGEST_NAME - 16
    sentence = safe_name("Mr. " + "word " * 80)
    assert sentence.startswith("Mr. word")


def test_a_free_name_counts_from_two() -> None:
    assert free_name("a", ".jpg", ["a.jpg"]) == "a (2).jpg"
    assert free_name("a", ".jpg", ["a.jpg", "A (2).JPG"]) == "a (3).jpg"
    assert free_name("a (2)", ".jpg", ["a (2).jpg"]) == "a (2) (2).jpg"


def test_a_free_name_fits_where_the_taken_one_just_did() -> None:
    long = "x" * (LONGEST_NAME - 4)
    chosen = free_name(long, ".jpg", [f"{long}.jpg"])
    assert byte_length(chosen) == LONGEST_NAME
    assert chosen.endswith(" (2).jpg")


def test_a_stem_is_free_with_all_of_its_tails() -> None:
    taken = {"a (2).xmp", "a (3).jpg"}
    assert free_stem("a", [".jpg", ".xmp"], taken.__contains__) == ("a (4)", 4)


def test_whoever_looks_is_asked_for_the_name_as_it_would_be() -> None:
    """A disk that tells cases apart holds "A (2).jpg" and not "a (2).jpg"."""
    assert free_stem("A", [".jpg"], {"A (2).jpg"}.__contains__) == ("A (3)", 3)


@given(st.lists(names, min_size=1, max_size=8))
def test_safe_names_can_be_made_here(tmp_path_factory: pytest.TempPathFactory, wanted: list[str]) -> None:
    folder: Path = tmp_path_factory.mktemp("names")
    taken: list[str] = []
    for name in wanted:
        taken.append(safe_folder_name(name, taken))
        (folder / taken[-1]).mkdir()
    assert len(list(folder.iterdir())) == len(wanted)
