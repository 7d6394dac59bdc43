"""The four challenges of figure 3 of the paper, with pictures from this data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.find_character import CharacterName, character_names
from icf.catalogue.labels.attributes import Attributes
from icf.dataset.report.pictures.challenges import (
    Compared,
    Pick,
    lights,
    occluded,
    twins,
    views,
)
from icf.dataset.report.pictures.thumbnails import Thumbnail, face_thumbnails
from icf.dataset.report.statistics.faces import Faces
from icf.stores.blobs import BlobStore


@dataclass(frozen=True)
class ShownFace:
    """A face of an example.

    Attributes:
        thumbnail: of it.
        caption: what was measured of it; "" where that is of all together.
        character, album: whose it is.
    """

    thumbnail: Thumbnail
    caption: str
    character: str
    album: str


@dataclass(frozen=True)
class Example:
    """Some faces, and what was measured of them together."""

    measure: str
    faces: Sequence[ShownFace]

    @property
    def names(self) -> Sequence[str]:
        """The characters, each once, with their albums."""
        named = (f"{each.character}, {each.album}" for each in self.faces)
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Challenge:
    """One of the four.

    Attributes:
        name: as the paper has it.
        meaning: why it is one.
        chosen: how its examples were.
        examples: empty where nothing shows it yet.
        needed: what finds examples.
    """

    name: str
    meaning: str
    chosen: str
    examples: Sequence[Example]
    needed: str


def read_challenges(
    connection: sa.Connection,
    blobs: BlobStore,
    faces: Faces,
    described: Mapping[int, Attributes],
    compared: Compared | None,
) -> list[Challenge]:
    """Choose the examples, and make their thumbnails."""
    by_view, of_views = views(faces, described, compared)
    by_hidden, hidden = occluded(faces, described)
    chosen = (
        (
            "Near-duplicates",
            "two characters that look nearly the same",
            "the faces of two characters that are most alike by the embedder",
            twins(compared) if compared is not None else [],
            "two characters with embedded faces: icf-filter run",
        ),
        (
            "Changes of view",
            "one character from different sides",
            by_view,
            of_views,
            "a character with several faces: icf-filter run",
        ),
        (
            "Occlusion",
            "something hides a part of the face",
            by_hidden,
            hidden,
            "a face that was kept: icf-filter run",
        ),
        (
            "Changes of light",
            "one character in light and darkness",
            "the characters with the widest range of mean grey values",
            lights(faces),
            "a character with four measured faces: icf-filter run",
        ),
    )
    ids = [face for *_, picks, _ in chosen for pick in picks for face in pick.faces]
    made = face_thumbnails(connection, blobs, ids)
    names = _names(connection, faces, list(made))
    return [
        Challenge(name, meaning, how, _shown(picks, made, names), needed)
        for name, meaning, how, picks, needed in chosen
    ]


def _shown(
    picks: Sequence[Pick],
    made: Mapping[int, Thumbnail],
    names: Mapping[int, CharacterName],
) -> list[Example]:
    examples = [
        Example(
            pick.measure,
            [
                ShownFace(made[face], caption, *names[face])
                for face, caption in zip(pick.faces, pick.captions, strict=True)
                if face in made
            ],
        )
        for pick in picks
    ]
    return [each for each in examples if each.faces]


def _names(
    connection: sa.Connection, faces: Faces, ids: Sequence[int]
) -> dict[int, CharacterName]:
    """The character and the album of each face."""
    place = dict(zip(faces.face.tolist(), faces.identity.tolist(), strict=True))
    named = character_names(connection, (place[each] for each in ids))
    return {each: named[place[each]] for each in ids}
