"""Which known pictures come from an earlier version of their list."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.app.importing.given import GivenPicture
from icf.catalogue.bulk_insert import among
from icf.catalogue.schema import answer, face, question, url
from icf.workspace import Workspace


@dataclass
class EarlierLists:
    """Compares the lists of known pictures with those that their labels are from.

    A picture may be in several lists, and has its labels from the first of them.
    """

    _present: set[str] = field(default_factory=set)
    #: How many pictures have their labels from some lists, by the hashes of these.
    _labelled_by: Counter[frozenset[str]] = field(default_factory=Counter)

    def compare(
        self, workspace: Workspace, publisher: str, pictures: Sequence[GivenPicture]
    ) -> None:
        """Take in some known pictures.

        Args:
            workspace: that knows them.
            publisher: the annotator of their labels.
            pictures: as their lists have them now.
        """
        given = {each.url: each.source.sha256 for each in pictures}
        self._present.update(given.values())
        listed = [address for address, sha256 in given.items() if sha256]
        if not listed:
            return
        columns = url.c.url, answer.c.annotator, answer.c.file_sha256
        with workspace.catalogue.read() as connection:
            query = (
                sa.select(*columns)
                .join(face, face.c.image_id == url.c.image_id)
                .join(question, question.c.face_id == face.c.id)
                .join(answer, answer.c.question_id == question.c.id)
                # Nothing more: SQLite would read all answers of the publisher.
                .where(among(connection, url.c.url, listed))
                .distinct()
            )
            rows = connection.execute(query).all()
        lists: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.annotator == publisher:
                lists[row.url].add(row.file_sha256 or "")
        self._labelled_by.update(
            frozenset(some) for key, some in lists.items() if given[key] not in some
        )

    @property
    def pictures(self) -> int:
        """How many known pictures have no label from any of the lists of now."""
        return sum(
            count
            for some, count in self._labelled_by.items()
            if some.isdisjoint(self._present)
        )
