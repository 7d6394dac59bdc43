"""The ground truth of the demo's pictures: to score the demo, and to answer questions.

Nothing of this is served by the site. The demo's simulated annotator looks here to
answer "is this the same character?", and its last page compares the result with it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from icf.errors import BadInput

Box = tuple[int, int, int, int]
FORMAT = 1


class Noise(str, Enum):
    """What is wrong with a file, as in a real crawl; ``clean`` is nothing."""

    CLEAN = "clean"
    WRONG_CHARACTER = "wrong_character"
    NEAR_DUPLICATE = "near_duplicate"
    EXACT_DUPLICATE = "exact_duplicate"
    CROP = "crop"
    BLURRED = "blurred"
    TINY = "tiny"
    PHOTOGRAPH = "photograph"
    FACE_FREE = "face_free"
    BROKEN = "broken"
    DEAD = "dead"
    MISSING = "missing"
    DISALLOWED = "disallowed"
    OPTED_OUT = "opted_out"
    SLOW = "slow"


#: Smallest intersection over union of a box with the face that it is.
_LEAST_OVERLAP = 0.3


@dataclass(frozen=True)
class TrueFace:
    """One face: x1, y1, x2, y2 in pixels (chin to hairline, ear to ear), and whose.

    ``character`` is None for a photographed person, who is none of the cast.
    """

    box: Box
    character: str | None


@dataclass(frozen=True)
class TrueFile:
    """One file of the site.

    Attributes:
        name: as in its URL, with underscores.
        sha256: of the bytes that a fetch brings, None where there are none.
        filed_under: the characters on whose pages it is.
        faces: every face in it; empty where it cannot be decoded.
        noise: what is wrong with it.
        detail: which kind of broken or missing, else empty.
        of: the file that it is a copy or a part of, else None.
    """

    name: str
    sha256: str | None
    filed_under: tuple[str, ...]
    faces: tuple[TrueFace, ...]
    noise: Noise
    detail: str = ""
    of: str | None = None


@dataclass(frozen=True)
class TrueCharacter:
    """A character, its album and the file that leads its page."""

    name: str
    album: str
    reference: str


@dataclass(frozen=True)
class Truth:
    """The ground truth of the demo site."""

    characters: tuple[TrueCharacter, ...]
    files: tuple[TrueFile, ...]

    @property
    def albums(self) -> tuple[str, ...]:
        """The titles of the albums, in order."""
        return tuple(dict.fromkeys(one.album for one in self.characters))

    @cached_property
    def by_name(self) -> dict[str, TrueFile]:
        """Every file by its name."""
        return {file.name: file for file in self.files}

    @cached_property
    def by_sha256(self) -> dict[str, tuple[TrueFile, ...]]:
        """Files by the hash of their bytes; exact duplicates are together."""
        found: dict[str, tuple[TrueFile, ...]] = {}
        for file in self.files:
            if file.sha256 is not None:
                found[file.sha256] = (*found.get(file.sha256, ()), file)
        return found

    def who(self, sha256: str, box: tuple[float, float, float, float]) -> str | None:
        """Name the character whose face ``box`` is.

        Args:
            sha256: of the picture's bytes, in lower-case hexadecimal.
            box: x1, y1, x2, y2 in pixels of the picture as stored.

        Returns:
            The character, or None: no face there, or none of the cast.
        """
        best = self._face(sha256, box)
        if best is None or _overlap(best.box, box) < _LEAST_OVERLAP:
            return None
        return best.character

    def shows_face(self, sha256: str, box: tuple[float, float, float, float]) -> bool:
        """Whether any part of ``box`` is a face, of the cast or not."""
        best = self._face(sha256, box)
        return best is not None and _overlap(best.box, box) > 0

    def _face(
        self, sha256: str, box: tuple[float, float, float, float]
    ) -> TrueFace | None:
        """The face that ``box`` overlaps most."""
        faces = [face for f in self.by_sha256.get(sha256, ())[:1] for face in f.faces]
        return max(faces, key=lambda face: _overlap(face.box, box), default=None)


def _overlap(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> float:
    """Intersection over union.

    >>> _overlap((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, w) * max(0.0, h)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(shared / (areas - shared)) if shared else 0.0


def to_json(truth: Truth) -> str:
    """Write the truth as JSON, one file to a line, so that changes can be read."""
    characters = [[one.name, one.album, one.reference] for one in truth.characters]
    rows = ",\n".join(
        json.dumps(_row(file), ensure_ascii=False) for file in truth.files
    )
    head = json.dumps(characters, ensure_ascii=False)
    return f'{{"format": {FORMAT},\n"characters": {head},\n"files": [\n{rows}\n]}}\n'


def _row(file: TrueFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "filed_under": file.filed_under,
        "faces": [[*face.box, face.character] for face in file.faces],
        "noise": file.noise.value,
        "detail": file.detail,
        "of": file.of,
    }


def from_json(text: str) -> Truth:
    """Read what `to_json` wrote.

    Raises:
        BadInput: the text is of another format.
    """
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput(
            f"The demo's truth is not of format {FORMAT}. Make the site again with "
            "python -m icf.tools.demo_pictures.make_site, or reinstall the program."
        )
    files = tuple(
        TrueFile(
            row["name"],
            row["sha256"],
            tuple(row["filed_under"]),
            tuple(TrueFace((f[0], f[1], f[2], f[3]), f[4]) for f in row["faces"]),
            Noise(row["noise"]),
            row["detail"],
            row["of"],
        )
        for row in data["files"]
    )
    return Truth(tuple(TrueCharacter(*row) for row in data["characters"]), files)


def load_truth(path: Path | None = None) -> Truth:
    """Read the truth of the site that comes with the program, or another one's.

    Raises:
        BadInput: the file is of another format.
    """
    return _shipped() if path is None else from_json(path.read_text("utf-8"))


def shipped_site() -> str:
    """Name the pictures that come with this version: 16 digits of a SHA-256."""
    return hashlib.sha256(_shipped_text().encode()).hexdigest()[:16]


@cache
def _shipped() -> Truth:
    return from_json(_shipped_text())


def _shipped_text() -> str:
    shipped = resources.files("icf.app.demo.site").joinpath("truth.json")
    return shipped.read_text("utf-8")
