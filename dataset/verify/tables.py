"""Counts, licences, unused faces and the certificate, against the contents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    FACES,
    PARTS,
    PROBE,
    TRAIN,
    Contents,
    read_contents,
)
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, rate_of
from icf.dataset.formats.registry import format_folders, parts_of
from icf.dataset.leaks.search import Shown
from icf.dataset.release.files import (
    CERTIFICATE,
    EARLIER,
    LICENCES,
    SUMMARY,
    UNUSED,
)
from icf.dataset.release.present import read_licences
from icf.dataset.unused import DIVIDED, UnusedFace, read_unused
from icf.errors import BadInput


def check_counts(summary: Mapping[str, Any], contents: Contents) -> Iterator[Fault]:
    """Yield numbers of ``release.json`` that cannot be, or its contents do not have."""
    crops = summary.get("settings", {}).get("crops", {})
    if "rate" in crops and rate_of(summary) is None:
        yield Fault(
            SUMMARY, f"cuts faces out at the rate {crops['rate']!r}: none is so"
        )
    counted = summary.get("counts", {})
    for name, found in counts_of(contents).items():
        if counted.get(name) != found:
            shown = counted.get(name)
            what = (
                f"counts {shown!r} {name.replace('_', ' ')}, and {CONTENTS} has {found}"
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
    folder: Path,
    contents: Contents,
    hashes: Mapping[str, str],
    summary: Mapping[str, Any],
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
    yield from _without_licence(rows, contents, summary)


def _without_licence(
    rows: Collection[tuple[str, str]], contents: Contents, summary: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield the pictures of each format of which no row is."""
    for name, place in format_folders(summary).items():
        held = contents.sha256[contents.rows(*parts_of(name, PARTS))]
        there = set(held.astype("U64").tolist())
        inside = "" if place == "." else f"{place}/"
        there -= {each for file, each in rows if file.startswith(inside)}
        for sha256 in sorted(there):
            what = f"has no row of the picture {sha256}"
            yield Fault(LICENCES, f"{what} in {inside}" if inside else what)


def check_certificate(
    folder: Path, summary: Mapping[str, Any], hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what the certificate says that the release does not.

    Of a release that was cleaned since, it is about other files, and some are no more.
    """
    if CERTIFICATE not in hashes:
        if summary.get("audit", {}).get("certified"):
            yield Fault(CERTIFICATE, MISSING)
        return
    try:
        text = (folder / CERTIFICATE).read_text(encoding="utf-8")
        value = json.loads(text)
        about = value["release"]
        inputs, files = about["inputs"], about["files"]
        proved = {**value.get("certificate", {}), "covers": about.get("covers")}
        if not isinstance(files, dict):
            raise TypeError("its files are no object")
    except (OSError, *UNEXPECTED) as error:
        yield Fault(CERTIFICATE, f"is no certificate: {error!r}")
        return
    if inputs != summary.get("inputs"):
        yield Fault(CERTIFICATE, f"is of another release: {inputs}")
    audit = summary.get("audit", {})
    for name in ("bound", "confidence", "labels_sha256", "covers"):
        if name in audit and proved.get(name) != audit[name]:
            yield Fault(CERTIFICATE, f"has another {name} than {SUMMARY}")
    if "cleaned" in summary:
        return
    for name, sha256 in sorted(files.items()):
        if name not in hashes:
            yield Fault(name, MISSING)
        elif hashes[name] != sha256:
            yield Fault(CERTIFICATE, f"is of a file {name} with the SHA-256 {sha256}")


def check_unused(
    folder: Path,
    contents: Contents,
    hashes: Mapping[str, str],
    summary: Mapping[str, Any],
) -> Iterator[Fault]:
    """Yield unused faces that have a place, and faces that have neither."""
    if UNUSED not in hashes:
        if "rule" in summary:  # earlier versions wrote none
            yield Fault(UNUSED, MISSING)
        return
    try:
        unused = read_unused(folder / UNUSED)
    except BadInput as error:
        yield Fault(UNUSED, str(error).removeprefix(f"{folder / UNUSED}").lstrip(": "))
        return
    yield from _placed_too(unused, contents)
    yield from _counted(unused, summary)
    yield from _without_a_reason(unused, contents, summary)


def check_left(
    folder: Path, contents: Contents, hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what earlier releases alone should have had, and this one has too."""
    if EARLIER not in hashes:
        return
    try:
        left = read_contents(folder / EARLIER)
    except BadInput as error:
        text = str(error).removeprefix(f"{folder / EARLIER}").lstrip(": ")
        yield Fault(EARLIER, text)
        return
    pictures = set(contents.sha256[contents.rows(*_DETECTION)].tolist())
    placed = _faces(contents)
    for part, sha256, corners in zip(
        left.part.tolist(), left.sha256.tolist(), left.corners.tolist(), strict=True
    ):
        name = sha256.decode()
        if (part in _DETECTION and sha256 in pictures) or (
            part in FACES and (name, tuple(corners)) in placed
        ):
            yield Fault(EARLIER, f"has {name} of {part}, which is in a part")


_DETECTION = (DETECTION_TRAIN, DETECTION_TEST)


def _faces(contents: Contents) -> set[tuple[str, tuple[float, ...]]]:
    faces = contents.rows(*FACES)
    return set(
        zip(
            contents.sha256[faces].astype("U64").tolist(),
            map(tuple, contents.corners[faces].tolist()),
            strict=True,
        )
    )


def _placed_too(unused: Sequence[UnusedFace], contents: Contents) -> Iterator[Fault]:
    placed = _faces(contents)
    for each in unused:
        if (each.sha256, each.corners) in placed:
            what = (
                f"has a face of {each.character} in {each.sha256}, which is in a part"
            )
            yield Fault(UNUSED, what)


def _counted(
    unused: Sequence[UnusedFace], summary: Mapping[str, Any]
) -> Iterator[Fault]:
    counted = {reason: n for reason, n in summary.get("unused", {}).items() if n}
    found = Counter(each.reason for each in unused)
    for reason in sorted(counted.keys() | found.keys()):
        have, said = found[reason], counted.get(reason, 0)
        if have != said:
            what = f"has {have} faces for {reason}, and {SUMMARY} counts {said}"
            yield Fault(UNUSED, what)


def _without_a_reason(
    unused: Sequence[UnusedFace], contents: Contents, summary: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield that confirmed faces have neither a place nor a reason."""
    counts = summary.get("counts", {})
    summed = {name: counts.get(name, 0) for name in CONFIRMED}
    wrong = [name for name, n in summed.items() if type(n) is not int]
    for name in wrong:
        yield Fault(SUMMARY, f"counts {summed[name]!r} as {name}, which is no number")
    if wrong:
        return
    divided = len(contents.rows(*FACES))
    divided += sum(each.reason in DIVIDED for each in unused)
    confirmed = sum(summed.values())
    if divided != confirmed:
        yield Fault(
            UNUSED,
            f"leaves {confirmed - divided:,} of {confirmed:,} confirmed faces without "
            "a place or a reason",
        )


#: The counts of ``release.json`` whose sum is what was divided.
CONFIRMED = ("confirmed_faces", "unasked_references", "accepted_faces", "followers")


def shown_in(folder: Path) -> Shown:
    """Return the faces that no part has, for the search for leaks."""
    try:
        rows = read_unused(folder / UNUSED)
    except BadInput:
        return Shown()
    return Shown(
        [each.sha256 for each in rows], [(each.album, each.character) for each in rows]
    )


def check_twice(contents: Contents) -> Iterator[Fault]:
    """Yield names that a part has twice."""
    seen: set[tuple[str, str]] = set()
    for row in zip(contents.part.tolist(), contents.name.tolist(), strict=True):
        if row in seen:
            yield Fault(CONTENTS, f"has {row[1]} of {row[0]} twice")
        seen.add(row)
