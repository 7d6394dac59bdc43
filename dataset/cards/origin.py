"""How the pictures and labels of a catalogue came into it, in sentences.

A catalogue may have pictures of the web, of one's own files, and of data sets that
others published. Only what is true of each of them is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.pauses import counts
from icf.catalogue.labels.given_boxes import NAMES
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, batch, face, question, url
from icf.codes import FETCHED, Label

#: The formats of batches that `icf import` writes: their answers are a data set's.
PUBLISHED = ("icartoonface", "coco", "folder")


@dataclass(frozen=True)
class Origin:
    """Counts of pictures, boxes and labels by where they came from.

    Attributes:
        web: pictures that were downloaded.
        own: those of files of one's own: folders, comics, frames of videos.
        published: those of data sets that were imported.
        names: the data sets whose labels were imported, sorted.
        labelled: faces of the release whose identity is such a data set's label alone.
        found_faces: faces in the catalogue that a detector found.
        given_faces: those whose boxes came with a data set.
    """

    web: int = 0
    own: int = 0
    published: int = 0
    names: tuple[str, ...] = ()
    labelled: int = 0
    found_faces: int = 0
    given_faces: int = 0

    def collection(self, when: str, *, robots: bool) -> Iterator[str]:
        """Say how the pictures were collected.

        Args:
            when: days, such as ``from 2026-01-01 to 2026-02-03``; may be empty.
            robots: whether robots.txt was obeyed.
        """
        days = f" {when}" if when else ""
        if self.web:
            obeyed = "robots.txt and X-Robots-Tag were obeyed"
            if not robots:
                obeyed = "robots.txt was not obeyed, X-Robots-Tag was"
            yield (
                f"{self.web:,} pictures were downloaded{days}, by album and character; "
                f"{obeyed}."
            )
        if self.own:
            yield (
                f"{self.own:,} pictures were read{days} from files of the makers' own: "
                "pictures, pages of books, frames of videos."
            )
        if self.published:
            called = f" ({', '.join(self.names)})" if self.names else ""
            yield (
                f"{self.published:,} pictures were imported{days} from published data "
                f"sets{called}. How these collected them, their makers say."
            )

    @property
    def detected(self) -> str:
        """Say who found the faces."""
        given = (
            f"{self.given_faces:,} faces came with the boxes of a published data set."
        )
        if not self.given_faces:
            return "Faces were found by a detector."
        if not self.found_faces:
            return given
        return f"{self.found_faces:,} faces were found by a detector. {given}"

    def confirmed(self, faces: int) -> Iterator[str]:
        """Say who confirmed identities.

        Args:
            faces: those that people, or the makers of data sets, confirmed.
        """
        people = max(faces - self.labelled, 0)
        if people or not self.labelled:
            yield f"People confirmed the identity of {people:,} faces."
        if self.labelled:
            yield (
                f"{self.labelled:,} faces have the identity that a published data set "
                f"gives them ({', '.join(self.names)})."
            )


def read_origin(connection: sa.Connection, released: Collection[int]) -> Origin:
    """Count them.

    Args:
        connection: to the catalogue.
        released: ids of the faces that a release can have.
    """
    scheme = sa.func.substr(url.c.url, 1, 5)
    web, own = (scheme.like("http%"), "web"), (scheme == "file:", "own")
    how = sa.case(web, own, else_="published")
    query = sa.select(how, sa.func.count()).where(url.c.fate.in_(FETCHED))
    ways = {str(k): int(n) for k, n in connection.execute(query.group_by(how))}
    given = face.c.detector.in_(list(NAMES))
    counted = sa.select(given, sa.func.count()).select_from(face).group_by(given)
    faces = {bool(k): int(n) for k, n in connection.execute(counted)}
    names = tuple(sorted(published_annotators(connection)))
    return Origin(
        web=ways.get("web", 0),
        own=ways.get("own", 0),
        published=ways.get("published", 0),
        names=names,
        labelled=_labelled(connection, names, released) if names else 0,
        found_faces=faces.get(False, 0),
        given_faces=faces.get(True, 0),
    )


def published_annotators(connection: sa.Connection) -> frozenset[str]:
    """The annotators that are data sets: who answered in batches of an import."""
    query = (
        sa.select(answer.c.annotator)
        .join(question, question.c.id == answer.c.question_id)
        .join(batch, batch.c.id == question.c.batch_id)
        .where(batch.c.format.in_(PUBLISHED))
        .distinct()
    )
    return frozenset(connection.execute(query).scalars())


def _labelled(
    connection: sa.Connection, names: tuple[str, ...], released: Collection[int]
) -> int:
    """Count faces of the release that nobody but a data set labelled."""
    person = sa.case((answer.c.annotator.in_(names), 0), else_=1)
    query = (
        sa.select(question.c.face_id)
        .join(answer, answer.c.question_id == question.c.id)
        .where(question.c.label == Label.SAME.value, counts())
        .group_by(question.c.face_id)
        .having(sa.func.max(person) == 0)
    )
    ids = sorted(released)
    rows = by_ids(connection, query, question.c.face_id, ids)
    return sum(1 for _ in rows)


def collection_types(
    sources: Mapping[str, int], kinds: Mapping[str, str], types: Mapping[str, str]
) -> tuple[str, ...]:
    """How pictures were collected, in the words of Croissant RAI 1.0.

    Args:
        sources: pictures by the name of their source.
        kinds: of each source that the settings name; the others are imports.
        types: the words of each kind.
    """
    found = {
        types.get(kinds[name], "Others") if name in kinds else "Secondary Data analysis"
        for name in sources
    }
    return tuple(sorted(found)) or ("Others",)
