"""Check what the data card, the datasheet and the attributions tell in figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

from icf.dataset.cards.about import About
from icf.dataset.cards.croissant import FILE as CROISSANT
from icf.dataset.cards.croissant import croissant
from icf.dataset.cards.data_card import (
    DATASHEET,
    README,
    data_card,
    datasheet,
    header,
)
from icf.dataset.cards.front_matter import split_card
from icf.dataset.cards.told import about_again
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.rights.attribution import PAGE
from icf.dataset.rights.domains import Domain
from icf.dataset.rights.licence_set import licence_set
from icf.dataset.verify.figures import differing_figures
from icf.version import __version__

#: Fields of the card's head that follow from the pictures.
_HEAD = ("license", "license_name", "license_link", "size_categories")

#: What of the description is not told in sentences.
_OF_FILES = ("@context", "conformsTo", "distribution", "license", "recordSet")


def check_cards(
    folder: Path,
    summary: Mapping[str, Any],
    data: ReleaseData,
    tables: Mapping[str, int],
    domains: Sequence[Domain],
) -> Iterator[Fault]:
    """Yield figures and rows of the cards that the rest of the release gives not.

    Args:
        folder: the release.
        summary: its ``release.json``.
        data: what is in it.
        tables: number of rows of each of its records.
        domains: the hosts of its pictures.
    """
    marked = summary.get("licences", {}).get("no_training", 0)
    about = about_again(
        summary,
        licence_set(data.sources.values(), marked if type(marked) is int else 0),
        {},
    )
    if about is None:
        return
    own = is_of_this_version(summary)
    yield from _differing(folder, README, data_card(about, tables), own)
    yield from _differing(folder, DATASHEET, datasheet(about, domains), own)
    if own:
        yield from _head(folder, about, tables)
        yield from _described(folder, croissant(about, [], [], tables))


def is_of_this_version(summary: Mapping[str, Any]) -> bool:
    """Whether this version wrote a release; others may have other words and tables."""
    return summary.get("version") == __version__


def check_page(
    folder: Path, summary: Mapping[str, Any], again: Path
) -> Iterator[Fault]:
    """Yield attributions of the page for people that are not those of ``again``."""
    meant = (again / PAGE).read_text(encoding="utf-8")
    return _differing(folder, PAGE, meant, is_of_this_version(summary))


def _differing(folder: Path, name: str, meant: str, own: bool) -> Iterator[Fault]:
    try:
        found = (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        yield Fault(name, MISSING)
    except ValueError as error:
        yield Fault(name, f"cannot be read: {error}")
    else:
        for what in differing_figures(found, meant, tables=own):
            yield Fault(name, what)


def _head(folder: Path, about: About, tables: Mapping[str, int]) -> Iterator[Fault]:
    """Yield what the head says of licences and size: hubs show and filter by it."""
    try:
        text = (folder / README).read_text(encoding="utf-8")
        fields, _ = split_card(text)
        found = {name: fields.get(name) for name in _HEAD}
    except FileNotFoundError:
        return
    except (*UNEXPECTED, yaml.YAMLError) as error:
        yield Fault(README, f"has a head that cannot be read: {error!r:.200}")
        return
    meant = header(about, tables)
    for name, value in found.items():
        if value != meant.get(name):
            yield Fault(
                README, f"has the {name} {value!r}, and not {meant.get(name)!r}"
            )


def _described(folder: Path, meant: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the description for programs says of licences and in figures."""
    try:
        found = json.loads((folder / CROISSANT).read_text(encoding="utf-8"))
        licences = found.get("license")
    except (OSError, *UNEXPECTED):
        return  # who reads its list of files says so
    if licences != meant.get("license"):
        what = f"has the license {licences!r}, and not {meant.get('license')!r}"
        yield Fault(CROISSANT, what)
    for key, value in meant.items():
        told, said = "\n".join(_texts(value)), "\n".join(_texts(found.get(key)))
        if key in _OF_FILES or told == said:
            continue
        for what in differing_figures(said, told, tables=False):
            yield Fault(CROISSANT, f"{key}: {what.partition(': ')[2]}")


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
