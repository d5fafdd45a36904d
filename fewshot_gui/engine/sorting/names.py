"""Names of files and folders that every system takes, and that no system confuses with another one."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

LONGEST_NAME = 255
"""Of a name in bytes of UTF-8: the limit of ext4, Btrfs, ZFS; NTFS and APFS count units, and allow more."""
_ROOM = 16  # so that " (2)" and a partial file's mark still fit behind a name that we make

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE
)
_NAMELESS = "unnamed"


def folded(name: str) -> str:
    """Return what names have in common that some system takes for one: neither case nor composition counts.

    Args:
        name: of a file or folder, or a whole path.
    """
    if name.isascii():  # nine of ten, and ten times as fast
        return name.lower()
    # Folding may decompose ("ǰ"), and composing may bring a capital back: twice is stable.
    once = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", once).casefold())


def is_safe_name(name: str) -> bool:
    """Return True if Windows, macOS and Linux all take `name` for a file or folder, as it is."""
    return (
        bool(name)
        and not _FORBIDDEN.search(name)
        and not _RESERVED.match(name)
        and name[-1] not in ". "
        and not name[0].isspace()
        and name == unicodedata.normalize("NFC", name)
        and fits(name)
    )


def fits(name: str) -> bool:
    """Return True if `name` is not too long for a file or folder."""
    return len(name) * 4 <= LONGEST_NAME or byte_length(name) <= LONGEST_NAME


def byte_length(name: str) -> int:
    """Return the length of `name` in bytes, as Linux keeps it."""
    return len(name.encode("utf-8", "surrogatepass"))


def safe_name(name: str) -> str:
    """Return `name` itself if it is safe, else the nearest name that is: a safe name never changes."""
    if is_safe_name(name):
        return name
    safe = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", name)).strip().rstrip(". ") or _NAMELESS
    stem, dot, suffix = safe.partition(".")
    if _RESERVED.match(safe):
        safe = f"{stem.rstrip()}_{dot}{suffix}"
    if fits(safe):
        return safe
    # The suffix tells what a file is, so the stem is cut; what looks like a suffix in a sentence is none.
    stem, dot, suffix = safe.rpartition(".")
    if not stem or byte_length(suffix) > _ROOM:
        stem, dot, suffix = safe, "", ""
    return cut(stem, LONGEST_NAME - _ROOM - byte_length(dot + suffix)) + dot + suffix


def cut(name: str, most: int) -> str:
    """Return the longest beginning of `name` of at most `most` bytes that ends in no space and no dot."""
    data = name.encode("utf-8", "surrogatepass")
    return data[: max(0, most)].decode("utf-8", "ignore").rstrip(". ") if len(data) > most else name


def safe_folder_name(name: str, taken: Collection[str] = ()) -> str:
    """Return a folder name for a category that every system takes and that is none of `taken`.

    Args:
        name: as the person wrote it.
        taken: names in use; another case or composition of one is in use too.
    """
    safe, used = safe_name(name), {folded(each) for each in taken}
    return safe if folded(safe) not in used else free_name(safe, "", used)


def free_name(stem: str, suffix: str, taken: Collection[str]) -> str:
    """Return "stem (2).suffix" with the first number from 2 on that is free.

    Args:
        stem: of the name that is taken, cut where it is too long.
        suffix: with its dot.
        taken: names in use; another case or composition of one is in use too.
    """
    used = {folded(each) for each in taken}
    return free_stem(stem, (suffix,), lambda name: folded(name) in used)[0] + suffix


def free_stem(
    stem: str, tails: Sequence[str], is_taken: Callable[[str], bool], first: int = 2
) -> tuple[str, int]:
    """Return "stem (2)" with the first number from `first` on with which no name is taken, and the number.

    Args:
        stem: common to the names, cut where it is too long.
        tails: what follows the stem in each name.
        is_taken: tells of a name whether it is in use.
        first: the first number tried; whoever knows that lower ones are taken saves the look.
    """
    longest = LONGEST_NAME - max(map(byte_length, tails))
    number = first
    while True:
        mark = f" ({number})"
        chosen = cut(stem, longest - len(mark)) + mark
        if not any(is_taken(chosen + tail) for tail in tails):
            return chosen, number
        number += 1
