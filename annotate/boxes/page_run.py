"""The run that decisions of a server are charged to."""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.schema import run
from icf.workspace import Workspace

#: As the catalogue calls it.
COMMAND = "icf-annotate serve"


class PageRun:
    """One run a server, begun with the first decision.

    Args:
        workspace: whose decisions they are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._id: int | None = None

    def id(self, connection: sa.Connection) -> int:
        """Its id, in the caller's transaction.

        It is looked up each time: where the transaction that began it was rolled back,
        another one is begun.
        """
        query = sa.select(run.c.id).where(run.c.id == self._id)
        if self._id is None or connection.execute(query).first() is None:
            self._id = self._workspace.note_run(connection, COMMAND)
        return self._id
