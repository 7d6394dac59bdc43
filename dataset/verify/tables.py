"""Counts, licences, unused faces and the certificate, against the contents."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    PROBE,
    TRAIN,
    Contents,
)
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.checked import MISSING, Fault
from icf.dataset.leaks.search import Shown
from icf.dataset.release.files import CERTIFICATE, LICENCES, SUMMARY, UNUSED
from icf.dataset.release.present import read_licences
from icf.spreadsheet import meant_by


def check_counts(summary: Mapping[str, Any], contents: Contents) -> Iterator[Fault]:
    """Yield the counts of ``release.json`` that its contents do not have."""
    counted = summary.get("counts", {})
    for name, found in counts_of(contents).items():
        if counted.get(name) != found:
            shown = counted.get(name)
            what = (
                f"counts {shown} {name.replace('_', ' ')}, and {CONTENTS} has {found}"
            )
            yield Fault(SUMMARY, what)


def counts_of(contents: Contents) -> dict[str, int]:
    """Count what is in each part, by the names of ``release.json``."""

    def labels(part: str) -> set[int]:
        return set(contents.label[contents.rows(part)].tolist())

    train, probes = labels(TRAIN), labels(PROBE)
    return {
        "train_identities": len(train),
        "train_faces": len(contents.rows(TRAIN)),
        "seen_probe_identities": len(probes & train),
        "unseen_probe_identities": len(probes - train),
        "probes": len(contents.rows(PROBE)),
        "distractors": len(contents.rows(DISTRACTOR)),
        "detection_train_pictures": len(contents.rows(DETECTION_TRAIN)),
        "detection_test_pictures": len(contents.rows(DETECTION_TEST)),
    }


def check_licences(
    folder: Path, contents: Contents, hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield the pictures that have no licence, and licences of what is not there."""
    if LICENCES not in hashes:
        yield Fault(LICENCES, MISSING)
        return
    rows = read_licences(folder)
    if rows is None:
        yield Fault(LICENCES, "is no table with the columns file and sha256")
        return
    known = set(contents.sha256.astype("U64").tolist())
    for file, sha256 in sorted(rows):
        if sha256 not in known:
            what = f"has the SHA-256 {sha256} for {file}, which is not in {CONTENTS}"
            yield Fault(LICENCES, what)
        if file not in hashes:
            yield Fault(file, MISSING)
        elif hashes[file] != sha256 and hashes[file] in known:
            # Another one of its pictures: what holds a crop or a shard is neither.
            yield Fault(LICENCES, f"is of another picture than {file} is")
    listed = {file for file, _ in rows}
    for file, sha256 in hashes.items():
        if sha256 in known and file not in listed:
            yield Fault(LICENCES, f"has no row of {file}")
    for sha256 in sorted(known - {each for _, each in rows}):
        yield Fault(LICENCES, f"has no row of the picture {sha256}")


def check_certificate(
    folder: Path, summary: Mapping[str, Any], hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield the files that are not those that the certificate is about."""
    if CERTIFICATE not in hashes:
        if summary.get("audit", {}).get("certified"):
            yield Fault(CERTIFICATE, MISSING)
        return
    try:
        text = (folder / CERTIFICATE).read_text(encoding="utf-8")
        about = json.loads(text)["release"]
        inputs, files = about["inputs"], dict(about["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Fault(CERTIFICATE, f"is no certificate: {error!r}")
        return
    if inputs != summary.get("inputs"):
        yield Fault(CERTIFICATE, f"is of another release: {inputs}")
    for name, sha256 in sorted(files.items()):
        if name not in hashes:
            yield Fault(name, MISSING)
        elif hashes[name] != sha256 and "cleaned" not in summary:
            yield Fault(CERTIFICATE, f"is of a file {name} with the SHA-256 {sha256}")


def read_unused(folder: Path, hashes: Mapping[str, str]) -> list[dict[str, str]] | None:
    """Read the rows of ``unused.csv``; none where there is no such file.

    Returns:
        The rows; None where the table cannot be read.
    """
    if UNUSED not in hashes:
        return []
    try:
        with (folder / UNUSED).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            [row[name] for name in _OF_UNUSED]
            [float(row[name]) for name in _CORNERS]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None
    return rows


_CORNERS = ("x1", "y1", "x2", "y2")
_OF_UNUSED = ("sha256", *_CORNERS, "character", "album", "reason")


def check_unused(
    contents: Contents, unused: list[dict[str, str]] | None, summary: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield unused faces that have a place, and that some have neither."""
    if unused is None:
        yield Fault(UNUSED, f"is no table with the columns {', '.join(_OF_UNUSED)}")
        return
    faces = contents.rows(TRAIN, PROBE, DISTRACTOR)
    placed = {
        (sha256, *corners)
        for sha256, corners in zip(
            contents.sha256[faces].astype("U64").tolist(),
            contents.corners[faces].tolist(),
            strict=True,
        )
    }
    for line, row in enumerate(unused, 2):
        key = (row["sha256"], *(float(row[name]) for name in _CORNERS))
        if key in placed:
            yield Fault(
                UNUSED, f"row {line}: the face of {row['character']} is in a part"
            )
    counts = summary.get("counts", {})
    names = ("confirmed_faces", "unasked_references", "accepted_faces", "followers")
    confirmed = sum(int(counts.get(name, 0)) for name in names)
    if unused and len(faces) + len(unused) != confirmed:
        yield Fault(
            UNUSED,
            f"has {len(unused):,} faces: with the {len(faces):,} in a part these are "
            f"not the {confirmed:,} that are confirmed",
        )


def shown_in(unused: list[dict[str, str]] | None) -> Shown:
    """Return the faces that no part has, for the search for leaks."""
    rows = unused or []
    return Shown(
        [row["sha256"] for row in rows],
        [(meant_by(row["album"]), meant_by(row["character"])) for row in rows],
    )


def check_twice(contents: Contents) -> Iterator[Fault]:
    """Yield names that a part has twice."""
    seen: set[tuple[str, str]] = set()
    for row in zip(contents.part.tolist(), contents.name.tolist(), strict=True):
        if row in seen:
            yield Fault(CONTENTS, f"has {row[1]} of {row[0]} twice")
        seen.add(row)
