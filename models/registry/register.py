"""Enter the cards of models into a catalogue, for the report and the calibration."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict

import sqlalchemy as sa

from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import model
from icf.models.cards import ModelCard


def register(
    catalogue: Catalogue, cards: Iterable[ModelCard], by: str | None = None
) -> None:
    """Enter the cards of models that the catalogue does not have yet.

    Args:
        catalogue: that gets them.
        cards: of the models.
        by: who added them; None: the program did, because they are bundled or ran.
    """
    query = sa.select(model.c.sha256)
    with catalogue.read() as connection:
        known = set(connection.execute(query).scalars())
    rows = [
        {
            "sha256": card.sha256,
            "name": card.name,
            "task": card.task,
            "card": json.dumps(asdict(card), sort_keys=True),
            "added_by": by,
            "added_at": time.time(),
        }
        for card in cards
        if card.sha256 not in known
    ]
    if rows:
        with catalogue.write() as connection:
            insert_new(connection, model, ["sha256"], rows)
