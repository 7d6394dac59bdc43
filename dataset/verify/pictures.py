"""Decode the pictures of a release, and compute their hashes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import FACES, Contents
from icf.dataset.formats.beside import TURNED
from icf.dataset.formats.checked import Fault
from icf.dataset.formats.checks.turned import orientation
from icf.dataset.rights.trail import Trail
from icf.images.cut import cut
from icf.images.decoder import decode
from icf.images.hashing import HASHERS
from icf.images.header import Undecodable
from icf.images.measures import pixel_hash

#: What each perceptual hash is called, and its column.
_HASHES = (("pHash", "phash"), ("dHash", "dhash"))


def check_pictures(
    folder: Path,
    contents: Contents,
    hashes: Mapping[str, str],
    trail: Trail,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Fault]:
    """Decode each picture that is there as a file of its own, once.

    Args:
        folder: the release.
        contents: everything that is in a part.
        hashes: the SHA-256 of every file, as it is now.
        trail: how EXIF turns each of them, as the release has it.
        advance: called with 1 after each picture.
    """
    where = {sha256: name for name, sha256 in hashes.items()}
    rows = _rows_of(contents.sha256)
    for sha256, same in rows.items():
        file = where.get(sha256)
        if file is not None:
            lies = trail.orientation(sha256)
            for what in _look(folder / file, contents, same, lies):
                yield Fault(file, what)
        advance(1)


def _rows_of(sha256: npt.NDArray[np.bytes_]) -> dict[str, list[int]]:
    """The rows of each picture: those of its faces, and that of the detection set."""
    found: dict[str, list[int]] = {}
    for row, each in enumerate(sha256.astype("U64").tolist()):
        found.setdefault(each, []).append(row)
    return found


def _look(path: Path, contents: Contents, rows: list[int], lies: int) -> Iterator[str]:
    first = rows[0]
    meant = contents.pixel_hash[first].decode()
    try:
        data = path.read_bytes()
        picture = decode(data)
    except (OSError, Undecodable) as error:
        # What could not be decoded at the harvest has its bytes' hash for its pixels'.
        if meant != contents.sha256[first].decode():
            yield f"cannot be decoded: {error}"
        return
    if (how := orientation(data)) != lies:
        yield f"is turned by EXIF as {how}, and not {lies} as in {TURNED}"
    if pixel_hash(picture.pixels) != meant:
        yield "its pixels have another hash than in contents.csv"
        return
    found = picture.width, picture.height
    sizes = zip(
        contents.width[rows].tolist(), contents.height[rows].tolist(), strict=True
    )
    if any(all(size) and size != found for size in sizes):
        yield f"is {picture.width} x {picture.height}, and not as in contents.csv"
    if not _has_hashes(picture.pixels, contents, first):
        names = " or ".join(name for name, _ in _HASHES)
        yield f"its {names} is another than in contents.csv"
    for row in rows:
        if contents.part[row] in FACES:
            x1, y1, x2, y2 = contents.corners[row].tolist()
            face = pixel_hash(cut(picture.pixels, (x1, y1, x2, y2)))
            if face != contents.face_pixel_hash[row].decode():
                yield (
                    f"the face of {contents.character[row]} has other pixels than in "
                    "contents.csv"
                )


def _has_hashes(pixels: npt.NDArray[np.uint8], contents: Contents, row: int) -> bool:
    """Whether an implementation of the perceptual hashes gives those of a row.

    A catalogue may have hashes of several.
    """
    stored = int(contents.phash[row]), int(contents.dhash[row])
    return any(tuple(hasher(pixels)) == stored for hasher in HASHERS.values())
