"""The numbers of a release after something left it: ``release.json`` and leaks."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.dataset.cards.facts import NOT_STATED
from icf.dataset.cards.told import KEY
from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    FACES,
    Contents,
)
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.leaks.search import search_leaks
from icf.dataset.release.files import ATTRIBUTES, LEAKS, SUMMARY, UNUSED
from icf.dataset.release.sums import read_sums
from icf.dataset.rights.licence_set import LicenceSet, licence_set
from icf.dataset.unused import DIVIDED, read_unused
from icf.dataset.verify.tables import counts_of, shown_in
from icf.spreadsheet import meant_by

#: The counts of ``release.json`` that faces leave, by who confirmed them.
_CONFIRMED = {
    "people": "confirmed_faces",
    "reference": "unasked_references",
    "model": "accepted_faces",
    "track": "followers",
}

#: What is known of an identity, by album and character.
_Values = dict[tuple[str, str], str]


@dataclass(frozen=True, eq=False)
class Numbers:
    """What they are counted from.

    Attributes:
        folder: of the release, as it was.
        summary: its ``release.json``.
        before: its rows.
        rest: those that stay.
        removed: those that go.
    """

    folder: Path
    summary: Mapping[str, Any]
    before: Contents
    rest: Contents
    removed: Contents


def licences_after(
    data: ReleaseData, summary: Mapping[str, Any], marked: int
) -> LicenceSet:
    """Sum up the licences of the pictures that stay.

    Args:
        data: what stays.
        summary: the ``release.json`` of before.
        marked: how many of the pictures that go forbid training on them.
    """
    was = int(summary.get("licences", {}).get("no_training", 0))
    return licence_set(data.sources.values(), max(was - marked, 0))


def write_numbers(
    new: Path, numbers: Numbers, licences: LicenceSet
) -> Mapping[str, Any]:
    """Write both files; return the content of ``release.json``.

    Args:
        new: with the tables that differ in it.
        numbers: what is counted.
        licences: of the pictures that stay.
    """
    summary, rest = numbers.summary, numbers.rest
    counts = {**summary.get("counts", {}), **counts_of(rest), **_boxes(numbers)}
    for who in numbers.removed.take(numbers.removed.rows(*FACES)).confirmed_by.tolist():
        if _CONFIRMED[who] in counts:
            counts[_CONFIRMED[who]] -= 1
    value = {**summary, "counts": counts, "licences": licences.summary()}
    if (new / UNUSED).is_file():
        rows = read_unused(new / UNUSED)
        value["unused"] = dict(Counter(each.reason for each in rows))
        was = read_unused(numbers.folder / UNUSED)
        # Nobody says who confirmed an unused face: they are counted as people's.
        counts["confirmed_faces"] -= sum(each.reason in DIVIDED for each in was) - sum(
            each.reason in DIVIDED for each in rows
        )
    names = _names(rest)
    unused = new if (new / UNUSED).is_file() else numbers.folder
    if (unused / UNUSED).is_file():
        names |= {
            (each.album, each.character)
            for each in read_unused(unused / UNUSED)
            if each.reason in DIVIDED
        }
    counts["identities"] = min(len(names), counts.get("identities", len(names)))
    value["leaks"] = _write_leaks(new, numbers, unused)
    before = summary.get("cleaned", {})
    value["cleaned"] = {
        "rows": before.get("rows", 0) + len(numbers.removed),
        "before": before.get("before", read_sums(numbers.folder).get(CONTENTS)),
    }
    if KEY in summary:
        value[KEY] = {**summary[KEY], "facts": _facts(numbers)}
    (new / SUMMARY).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    return value


def _names(contents: Contents) -> set[tuple[str, str]]:
    rows = contents.rows(*FACES)
    return set(
        zip(
            contents.album[rows].tolist(),
            contents.character[rows].tolist(),
            strict=True,
        )
    )


def _boxes(numbers: Numbers) -> dict[str, int]:
    """The true boxes of each detection part, less those that go."""
    counted = numbers.summary.get("counts", {})
    found = {}
    for part in (DETECTION_TRAIN, DETECTION_TEST):
        rows = numbers.removed.rows(part)
        boxes = sum(
            len(boxes_in(cell)) for cell in numbers.removed.boxes[rows].tolist()
        )
        found[f"{part}_boxes"] = counted.get(f"{part}_boxes", 0) - boxes
    return found


def _write_leaks(new: Path, numbers: Numbers, unused: Path) -> dict[str, int]:
    limits = numbers.summary["settings"]["filter"]
    reach = int(limits["max_phash"]), int(limits["max_dhash"])
    leaks = dict(numbers.summary["leaks"])
    checks = search_leaks(numbers.rest, reach, shown_in(unused))
    found = {each.name: each for each in checks}
    leaks |= {name: each.count for name, each in found.items() if name in leaks}
    report = json.loads((numbers.folder / LEAKS).read_text(encoding="utf-8"))
    for check in report["checks"]:
        if check["name"] in found:
            check["count"] = found[check["name"]].count
            check["examples"] = list(found[check["name"]].examples)
    (new / LEAKS).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return leaks


def _facts(numbers: Numbers) -> dict[str, Any]:
    """What the cards know of the identities that stay."""
    facts = dict(numbers.summary[KEY]["facts"])
    after = _names(numbers.rest)
    facts["albums"] = len({album for album, _ in after})
    gone = _names(numbers.before) - after
    regions, styles, genders = _described(numbers)
    for name, known in (
        ("identities_by_region", regions),
        ("identities_by_style", styles),
        ("identities_by_gender", genders),
    ):
        if name not in facts:
            continue  # an earlier version did not count it
        counts: Counter[str] = Counter(facts[name])
        counts.subtract(known.get(each, NOT_STATED) for each in gone)
        kept = {key: count for key, count in counts.items() if count > 0}
        facts[name] = dict(sorted(kept.items(), key=lambda each: (-each[1], each[0])))
    return facts


def _described(numbers: Numbers) -> tuple[_Values, _Values, _Values]:
    """Region, style and gender of identities, as ``attributes.csv`` has them."""
    path = numbers.folder / ATTRIBUTES
    if not path.is_file():
        return {}, {}, {}
    contents = numbers.before
    rows = contents.rows(*FACES).tolist()
    who = {
        (contents.part[row], contents.name[row]): (
            contents.album[row],
            contents.character[row],
        )
        for row in rows
    }
    regions: _Values = {}
    styles: _Values = {}
    genders: _Values = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            identity = who.get((row["part"], row["name"]))
            if identity and row["region"]:
                regions[identity] = row["region"]
            if identity and row.get("style"):
                styles[identity] = meant_by(row["style"])
            if identity and row["gender"] and row["gender_by"] == "source":
                genders[identity] = row["gender"]
    return regions, styles, genders
