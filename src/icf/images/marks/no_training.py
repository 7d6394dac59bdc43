"""Does a picture say that nobody may train on it?

Read are the assertions ``c2pa.training-mining`` (C2PA specification 1.4) and
``cawg.training-mining`` (CAWG, Training and Data Mining Assertion 1.1) of any manifest
in the file, and ``plus:DataMining`` in its XMP (IPTC Photo Metadata 2023.1). Signatures
are not verified, and manifests that are elsewhere on the web are not fetched: a mark is
what the file says, whoever wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from icf.images.marks.cbor import BadCbor, read_cbor
from icf.images.marks.containers import manifest_stores, xmp_packets
from icf.images.marks.jumbf import Content, content_boxes

#: A file has one of these, or says nothing of training; a PNG may pack its XMP.
_HINTS = (b"training-mining", b"DataMining", b"XML:com.adobe.xmp\0\x01")
_ASSERTION = re.compile(r"(c2pa|cawg)\.training-mining(?:__\d+)?\Z")
#: Uses that a data set is made for; inference (``ai_inference``) is none.
_USES = ("data_mining", "ai_training", "ai_generative_training")
_AGAINST = ("notAllowed", "constrained")
_PLUS = re.compile(rb"DataMining\b[^<>]{0,300}?>?[^<>]{0,300}?\bDMI-([A-Z-]{1,80})")
#: Values of the PLUS vocabulary that leave training open.
_PLUS_OPEN = ("ALLOWED", "UNSPECIFIED")
_LONGEST = 200


def no_training(data: bytes) -> str | None:
    """Return what a file says against training on it; None if it says nothing.

    Args:
        data: the file.

    Returns:
        Words such as ``cawg.ai_training: notAllowed``, several joined by "; ".
    """
    if not any(hint in data for hint in _HINTS):
        return None
    found = dict.fromkeys((*_of_manifests(data), *_of_xmp(data)))
    return "; ".join(found)[:_LONGEST] or None


def _of_manifests(data: bytes) -> Iterator[str]:
    for store in manifest_stores(data):
        for box in content_boxes(store):
            if _ASSERTION.match(box.label):
                yield from _against(_entries(box))


def _entries(box: Content) -> Mapping[Any, Any]:
    """The entries of an assertion; none where it cannot be read."""
    try:
        if box.kind == b"cbor":
            said = read_cbor(box.data)
        elif box.kind == b"json":
            said = json.loads(box.data)
        else:
            return {}
    except (BadCbor, ValueError, RecursionError):
        return {}
    entries = said.get("entries") if isinstance(said, dict) else None
    return entries if isinstance(entries, dict) else {}


def _against(entries: Mapping[Any, Any]) -> Iterator[str]:
    for name, said in entries.items():
        use = said.get("use") if isinstance(said, dict) else None
        if str(name).rpartition(".")[2] in _USES and use in _AGAINST:
            yield f"{name}: {use}"


def _of_xmp(data: bytes) -> Iterator[str]:
    for packet in xmp_packets(data):
        for found in _PLUS.finditer(packet):
            value = found[1].decode()
            if value not in _PLUS_OPEN:
                yield f"plus:DataMining: {value}"
