"""What the stores know of faces that the catalogue does not have.

They are there where a backup of the catalogue was put in its place. Its next faces get
the same ids, and must not get the embeddings and hashes that were another's.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

from icf.catalogue.schema import decision, face
from icf.workspace import Workspace

_log = logging.getLogger(__name__)


def discard_ahead(workspace: Workspace) -> None:
    """Discard embeddings and hashes of faces that the catalogue does not have.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    vectors, hashes = workspace.vectors, workspace.hashes
    # Before the catalogue: another machine may be adding faces, whose rows come first.
    embedded, mark, hashed = vectors.last_id(), hashes.mark, hashes.last_id()
    with workspace.catalogue.read() as connection:
        last_face, last_decision = (
            connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
            for table in (face, decision)
        )
    if embedded > last_face:
        count = vectors.erase_after(last_face)
        _log.warning(
            "discarded %d embeddings of faces that the catalogue does not have", count
        )
    if mark > last_decision or hashed > last_face:
        hashes.clear()
        _log.warning("the index of hashes is ahead of the catalogue: it is made again")
