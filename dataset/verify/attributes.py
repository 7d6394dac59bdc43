"""Check ``attributes.csv`` against itself, the contents and the cards' counts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from icf.dataset.cards.facts import NOT_STATED
from icf.dataset.contents import FACES, Contents
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.release.files import ATTRIBUTES, SUMMARY
from icf.spreadsheet import meant_by

_ANGLES = ("yaw", "pitch", "roll")
_BY_PEOPLE, _BY_SOURCE = "people", "source"
#: Album and character.
_Who = tuple[str, str]


class _Known(NamedTuple):
    """What a row says of an album or a character, and so the same in every row."""

    region: str = ""
    style: str = ""
    gender: str = ""
    by: str = ""


def check_attributes(
    folder: Path,
    contents: Contents,
    hashes: Mapping[str, str],
    summary: Mapping[str, Any],
) -> Iterator[Fault]:
    """Yield rows of no face, that nobody can have said, or that others contradict.

    Args:
        folder: the release.
        contents: everything that is in a part.
        hashes: the SHA-256 of every file, as it is now.
        summary: its ``release.json``.
    """
    counted = _counted(summary)
    if ATTRIBUTES not in hashes:
        if any(set(each) - {NOT_STATED} for each in counted.values()):
            yield Fault(ATTRIBUTES, MISSING)
        return
    faces = contents.rows(*FACES).tolist()
    place = {(contents.part[row], contents.name[row]): row for row in faces}
    known: dict[int, _Known] = {}
    try:
        with (folder / ATTRIBUTES).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            for cells in rows:
                face = cells["part"], meant_by(cells["name"])
                row = place.get(face)
                line = f"line {rows.line_num}: "
                if row is None or row in known:
                    why = "a second time" if row in known else f"not in {CONTENTS}"
                    yield Fault(ATTRIBUTES, f"{line}has {' '.join(face)}, {why}")
                    continue
                known[row] = _known(cells)
                if what := _impossible(cells):
                    yield Fault(ATTRIBUTES, f"{line}{what}")
    except (OSError, csv.Error, *UNEXPECTED) as error:
        yield Fault(ATTRIBUTES, f"cannot be read to its end: {error!r:.200}")
        return
    every = {row: known.get(row, _Known()) for row in faces}
    yield from _contradicted(contents, every)
    yield from _miscounted(contents, every, counted)


def _counted(summary: Mapping[str, Any]) -> dict[str, Mapping[str, int]]:
    """What the cards count by region and style; nothing where they do not say it."""
    try:
        facts = summary["cards"]["facts"]
        found = {"region": dict(facts["identities_by_region"])}
        # Earlier versions left these as they were when a release was cleaned.
        if "cleaned" not in summary:
            found["style"] = dict(facts.get("identities_by_style", {}))
    except UNEXPECTED:
        return {}
    return {name: counts for name, counts in found.items() if counts}


def _known(cells: Mapping[str, str]) -> _Known:
    by, gender = cells["gender_by"], cells["gender"]
    style = meant_by(cells.get("style") or "")
    return _Known(cells["region"], style, gender if by == _BY_SOURCE else "", by)


def _impossible(cells: Mapping[str, str]) -> str:
    """What is wrong with a row by itself; empty: nothing.

    Raises:
        ValueError: a number is none.
    """
    by, people = cells["gender_by"], int(cells["people"])
    angles = [cells[each] for each in _ANGLES if cells[each]]
    if any(not abs(float(each)) <= 180 for each in angles):
        return f"has the angles {', '.join(angles)}, not all from -180 to 180"
    if by not in ("", _BY_PEOPLE, _BY_SOURCE) or bool(by) != bool(cells["gender"]):
        return f"has the gender {cells['gender']!r} by {by!r}"
    said = bool(angles) or bool(cells["occlusion"]) or by == _BY_PEOPLE
    if people < 0 or (said and not people):
        return f"has what people say, and is described by {people}"
    return ""


def _contradicted(contents: Contents, every: Mapping[int, _Known]) -> Iterator[Fault]:
    """Yield faces of which it says something else than of most of their album."""
    albums: dict[str, Counter[tuple[str, str]]] = {}
    genders: dict[_Who, Counter[str]] = {}
    for row, each in every.items():
        album, who = contents.album[row], _who(contents, row)
        albums.setdefault(album, Counter())[each.region, each.style] += 1
        if each.by != _BY_PEOPLE:
            genders.setdefault(who, Counter())[each.gender] += 1
    of_album = {name: found.most_common(1)[0][0] for name, found in albums.items()}
    of_who = {who: found.most_common(1)[0][0] for who, found in genders.items()}
    for row, each in every.items():
        named = f"{contents.part[row]} {contents.name[row]}"
        region, style = of_album[contents.album[row]]
        for name, said, meant in (
            ("region", each.region, region),
            ("style", each.style, style),
            ("gender", each.gender, of_who.get(_who(contents, row), "")),
        ):
            if said != meant and not (name == "gender" and each.by == _BY_PEOPLE):
                whose = "character" if name == "gender" else "album"
                what = f"has the {name} {said!r} of {named}, and {meant!r} of most of"
                yield Fault(ATTRIBUTES, f"{what} its {whose}")


def _who(contents: Contents, row: int) -> _Who:
    return contents.album[row], contents.character[row]


def _miscounted(
    contents: Contents,
    every: Mapping[int, _Known],
    counted: Mapping[str, Mapping[str, int]],
) -> Iterator[Fault]:
    """Yield other numbers of identities by region and style than the cards have."""
    for name, meant in counted.items():
        of_who = {
            _who(contents, row): getattr(each, name) for row, each in every.items()
        }
        found = Counter(value or NOT_STATED for value in of_who.values())
        if found != Counter(meant):
            shown = ", ".join(f"{value} {n:,}" for value, n in sorted(found.items()))
            told = ", ".join(f"{value} {n:,}" for value, n in sorted(meant.items()))
            what = f"gives {shown} identities by {name}, and {SUMMARY} counts {told}"
            yield Fault(ATTRIBUTES, what)
