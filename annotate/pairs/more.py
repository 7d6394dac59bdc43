"""Ask more questions while people answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from icf.annotate.ask import PAGE, ask_beside_others
from icf.annotate.export import batch_shares
from icf.annotate.pairs.open_questions import IS_OPEN
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import question
from icf.workspace import Workspace

#: Fewer open questions than these, and another batch is asked.
FEW = 300


@dataclass(frozen=True)
class Asker:
    """Asks batches for the page.

    Attributes:
        workspace: whose faces are asked about.
        run_id: the run that asks.
    """

    workspace: Workspace
    run_id: int

    def are_few(self) -> bool:
        """Whether few questions are open."""
        some = sa.select(question.c.id).where(IS_OPEN).limit(FEW)
        with self.workspace.catalogue.read() as connection:
            return count_rows(connection, some) < FEW

    def ask(self) -> int:
        """Ask a batch; return how many questions it has, 0: nothing is left to ask."""
        limit = self.workspace.settings.annotate.batch
        path = f"{PAGE}/{secrets.token_hex(6)}"
        made = ask_beside_others(
            self.workspace.catalogue,
            self.run_id,
            PAGE,
            path,
            limit,
            partial(batch_shares, self.workspace),
        )
        return made.questions if made else 0
