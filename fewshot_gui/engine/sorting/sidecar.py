"""XMP sidecars: a picture's category as a keyword beside it, merged into what other programs wrote there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
META = "adobe:ns:meta/"
OURS = "urn:fewshot-labeler:1.0"
_LARGEST = 16_000_000


class SidecarError(ValueError):
    """A sidecar that cannot be merged into; it is left as it is, and the sentence says why."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """What is written into a sidecar.

    Attributes:
        category: the keyword.
        said_by: who or what gave it, such as "human" or "machine".
        probability: that the machine gives it, 0 to 1; None where it was not asked.
        weights: the bundle that the machine used, name and hash; empty where none.
        learner: of the machine; empty where none.
        at: when it was said, ISO 8601 with the zone; empty where nobody noted it.
    """

    category: str
    said_by: str
    probability: float | None = None
    weights: str = ""
    learner: str = ""
    at: str = ""


def merged(existing: bytes | None, keyword: Keyword) -> bytes:
    """Return the sidecar with the category among its keywords; everything else in it stays as it was.

    A category that this program wrote there before is replaced; keywords of others are never touched. The
    same keyword twice changes nothing.

    Args:
        existing: the present file; None where there is none.
        keyword: what to write.

    Raises:
        SidecarError: the present file is no XMP: damaged, empty, or another format; or a word cannot be
            written as XML.
    """
    root = _parse(existing) if existing is not None else _blank()
    try:
        _put(_description(root), keyword)
    except ValueError as error:  # control characters, and bytes that are no text
        raise SidecarError(f"the category cannot be written into a sidecar: {error}") from error
    tree = root.getroottree()
    declared = existing is None or existing.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml ")
    return bytes(etree.tostring(tree, xml_declaration=declared, encoding="UTF-8"))


def _put(description: etree._Element, keyword: Keyword) -> None:
    """Put the category among the keywords, in the place of ours, and the provenance beside it."""
    former = description.get(f"{{{OURS}}}category")
    added = description.get(f"{{{OURS}}}added") == "yes"
    bag = _bag(description)
    if former != keyword.category:
        if former is not None and added:
            _remove(bag, former)
        # A word that stood there before is somebody else's: it stays when the category changes again.
        added = keyword.category not in _words(bag)
        if added:
            etree.SubElement(bag, f"{{{RDF}}}li").text = keyword.category
    _set(description, keyword, added=added)


def keywords(existing: bytes) -> list[str]:
    """Return the keywords of a sidecar.

    Raises:
        SidecarError: it is no XMP.
    """
    subjects = _parse(existing).iterfind(f".//{{{DC}}}subject")
    return [word for subject in subjects for bag in _lists(subject) for word in _words(bag)]


def _parse(data: bytes) -> etree._Element:
    if not data.strip(b"\0 \t\r\n"):
        raise SidecarError("the sidecar is empty")
    if len(data) > _LARGEST:
        raise SidecarError(f"the sidecar has {len(data) / 1e6:.0f} MB; it is no XMP")
    # Entities and the network stay shut: a sidecar comes from anywhere.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SidecarError(f"the sidecar is damaged: {error}") from error
    if root.tag not in (f"{{{META}}}xmpmeta", f"{{{RDF}}}RDF"):
        raise SidecarError(f"the sidecar is no XMP: it begins with {root.tag}")
    return root


def _blank() -> etree._Element:
    root = etree.Element(f"{{{META}}}xmpmeta", nsmap={"x": META})
    etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    return root


def _description(root: etree._Element) -> etree._Element:
    """Return the description that keywords go into: one that has some, else the first, else a new one."""
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if rdf is None:
        rdf = etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    there = rdf.findall(f"{{{RDF}}}Description")
    with_words = [item for item in there if item.find(f"{{{DC}}}subject") is not None]
    if with_words or there:
        return (with_words or there)[0]
    made = etree.SubElement(rdf, f"{{{RDF}}}Description", nsmap={"dc": DC, "fewshot": OURS})
    made.set(f"{{{RDF}}}about", "")
    return made


def _bag(description: etree._Element) -> etree._Element:
    subject = description.find(f"{{{DC}}}subject")
    if subject is None:
        subject = etree.SubElement(description, f"{{{DC}}}subject", nsmap={"dc": DC})
    bag = next(_lists(subject), None)
    return etree.SubElement(subject, f"{{{RDF}}}Bag") if bag is None else bag


def _lists(subject: etree._Element) -> Iterator[etree._Element]:
    """Yield the lists of words: by the standard a bag, but some programs write a sequence."""
    return subject.iterchildren(*(f"{{{RDF}}}{kind}" for kind in ("Bag", "Seq", "Alt")))


def _words(bag: etree._Element) -> list[str]:
    return [item.text or "" for item in bag.findall(f"{{{RDF}}}li")]


def _remove(bag: etree._Element, word: str) -> None:
    for item in bag.findall(f"{{{RDF}}}li"):
        if item.text == word:
            bag.remove(item)
            return


def _set(description: etree._Element, keyword: Keyword, *, added: bool) -> None:
    """Write the provenance as attributes in a name space of our own, which other programs keep."""
    values = {
        "category": keyword.category,
        "saidBy": keyword.said_by,
        "probability": "" if keyword.probability is None else f"{keyword.probability:.4f}",
        "weights": keyword.weights,
        "learner": keyword.learner,
        "added": "yes" if added else "",
    }
    # The machine is asked anew for every run: where it says the same again, it said so at the first moment,
    # and a second run changes nothing.
    again = keyword.said_by == "machine" and all(
        description.get(f"{{{OURS}}}{name}", "") == value for name, value in values.items()
    )
    values["at"] = (description.get(f"{{{OURS}}}at") if again else None) or keyword.at
    for name, value in values.items():
        key = f"{{{OURS}}}{name}"
        if value:
            description.set(key, value)
        elif key in description.attrib:
            del description.attrib[key]
