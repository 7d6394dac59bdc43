"""Write what describes a release into its folder, after the files of its formats."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from icf.dataset.cards.about import About
from icf.dataset.cards.croissant import FILE, File, croissant
from icf.dataset.cards.data_card import DATASHEET, README, data_card, datasheet
from icf.dataset.cards.front_matter import below, split_card
from icf.dataset.cards.records import write_records
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.beside import Written
from icf.dataset.formats.registry import RELINK
from icf.dataset.plan import Placed
from icf.dataset.rights.attribution import attributions, write_attribution
from icf.dataset.rights.domains import Domain, count_domains, write_domains
from icf.stores.files import hash_file


def write_cards(
    folder: Path, about: About, data: ReleaseData, written: Written
) -> None:
    """Write records, attribution, domains, the data card, a datasheet and Croissant.

    Args:
        folder: the release, with everything in it but what is named here, its
            certificate and its checksums.
        about: what there is to say of it.
        data: what its formats were written from; gets the hashes of all files here.
        written: each picture with its file, in the order of the formats.
    """
    pictures = sorted(_own_files(about, written))
    tables = write_records(folder, data, places_of(written))
    domains = write_rights(folder, data, about.facts.bytes, about.changes)
    _write_texts(folder, about, tables, domains)
    files = list(_files(folder, set(pictures), data.hashes))
    described = croissant(about, files, pictures, tables)
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def _own_files(about: About, written: Written) -> set[str]:
    """The pictures that are files of their own."""
    # A release to be linked again names pictures that it does not have.
    links = about.summary["formats"].get(RELINK)
    absent = {None: (), ".": ("",)}.get(links, (f"{links}/",))
    return {
        file
        for file, each in written
        if not each.member and not file.startswith(absent)
    }


def places_of(written: Written) -> dict[Placed, tuple[str, str]]:
    """Where each thing is: a file of its own if a format has one, else the first."""
    places: dict[Placed, tuple[str, str]] = {}
    for file, each in written:
        if each.placed not in places or (places[each.placed][1] and not each.member):
            places[each.placed] = file, each.member
    return places


def write_rights(
    folder: Path, data: ReleaseData, sizes: Mapping[int, int], changes: str
) -> list[Domain]:
    """Write attribution and domains.

    Args:
        folder: to write into.
        data: the release.
        sizes: bytes of each picture, by image id.
        changes: made to the pictures.
    """
    images = data.plan.selection.pictures
    # By content: harvests, and imports of a release, find pictures in another order.
    shown = {each.picture for each in data.plan.placed()}
    rows = sorted(shown, key=lambda row: bytes(images.sha256[row]))
    ids = images.image[rows].tolist()
    found = [data.sources[each] for each in ids]
    hashes = [each.decode() for each in images.sha256[rows].tolist()]
    pairs = zip(hashes, found, strict=True)
    write_attribution(folder, attributions(pairs, changes))
    each_size = (sizes.get(each, 0) for each in ids)
    domains = count_domains(zip(found, each_size, strict=True))
    write_domains(folder, domains)
    return domains


def _write_texts(
    folder: Path, about: About, tables: Mapping[str, int], domains: Sequence[Domain]
) -> None:
    """Write the card, with what the only format says of its files, and a datasheet.

    Where a format has configurations for the Hub, they are the card's too: these open
    the pictures.
    """
    formats: Mapping[str, str] = about.summary["formats"]
    configs: list[dict[str, Any]] = []
    own = ""
    for place in formats.values():
        if (folder / place / README).is_file():
            text = (folder / place / README).read_text(encoding="utf-8")
            fields, rest = split_card(text)
            configs = configs or below(place, fields.get("configs", []))
            own = rest if place == "." else ""
    card = data_card(about, tables, configs, own)
    (folder / README).write_text(card, encoding="utf-8")
    (folder / DATASHEET).write_text(datasheet(about, domains), encoding="utf-8")


def _files(folder: Path, pictures: set[str], known: dict[str, str]) -> Iterator[File]:
    """Yield every other file, by name; add its hash to those that are known."""
    top = len(os.fspath(folder)) + 1
    names = sorted(
        f"{place[top:]}/{name}" if place[top:] else name
        for place, _, files in os.walk(folder)
        for name in files
    )
    for name in names:
        if name not in pictures:
            path = folder / name
            if str(path) not in known:
                known[str(path)] = hash_file(path)
            yield File(name, known[str(path)], path.stat().st_size)
