"""Read the files of the format LFW."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, check_listed
from icf.dataset.formats.crops import ENLARGED
from icf.dataset.formats.pairs import Face, faces_of, pairs_file

_PAIRS = "pairs.txt"


def check_lfw(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every crop and pair against the contents."""
    known = Known(files, ENLARGED)
    rows = known.names("recognition", "test")
    faces = list(faces_of(map(known.label, rows.values())))
    layout = Layout({}, ("lfw/",))
    listed = (
        Listed(_PAIRS, "recognition", "test", name, picture=face.file.as_posix())
        for name, face in zip(rows, faces, strict=True)
    )
    yield from check_listed(known, layout, listed)
    yield from _pairs(files, faces)
    yield from check_identities(files)


def _pairs(files: ReleaseFiles, faces: list[Face]) -> Iterator[Fault]:
    """Yield the pairs that are missing or added; their order is part of the folds."""
    if _PAIRS not in files.hashes:
        yield Fault(_PAIRS, MISSING)
        return
    expected = [
        line.removesuffix("\n")
        for line in pairs_file(Counter(face.name for face in faces))
    ]
    found = (files.folder / _PAIRS).read_text("utf-8", "replace").split("\n")[:-1]
    for line in (Counter(expected) - Counter(found)).elements():
        yield Fault(_PAIRS, f"has no line {line!r}, which the faces of the test give")
    for line in (Counter(found) - Counter(expected)).elements():
        yield Fault(_PAIRS, f"has the line {line!r}, which they do not give")
    if Counter(found) == Counter(expected) and found != expected:
        yield Fault(_PAIRS, "has its lines in another order, and so other folds")
