"""At which steps of the filter's chain other stages enter rows.

The filter says which (`declare`) each time it runs, and the catalogue keeps it: a
harvest, or a person who chooses a reference, needs to know no step by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import sqlalchemy as sa

from icf.catalogue.bulk_insert import insert_into
from icf.catalogue.schema import entry_step
from icf.errors import BrokenMachine


class Entry(str, Enum):
    """Why a row enters the chain."""

    #: The bytes of an image were stored.
    NEW_IMAGE = "new_image"
    #: A person chose a face that was dropped before it was embedded.
    CHOSEN_FACE = "chosen_face"
    #: The reference of the face's character was cleared.
    CLEARED_REFERENCE = "cleared_reference"
    #: What the face was compared with changed.
    CHANGED_REFERENCE = "changed_reference"


def step_at(connection: sa.Connection, entry: Entry) -> str:
    """The step that a row waits for when it enters the chain.

    Raises:
        BrokenMachine: the catalogue does not say.
    """
    query = sa.select(entry_step.c.step).where(entry_step.c.entry == entry.value)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise BrokenMachine(
            f"the table entry_step of the catalogue has no row for {entry.value!r}; "
            "`icf-filter run` writes it"
        )
    return str(found)


def declare(connection: sa.Connection, steps: Mapping[Entry, str]) -> None:
    """Store the steps of the filter's chain at which rows enter.

    Args:
        connection: a transaction that writes.
        steps: the name of the step for each entry.
    """
    insert = insert_into(connection, entry_step)
    changed = insert.on_conflict_do_update(
        index_elements=["entry"], set_={"step": insert.excluded.step}
    )
    rows = [{"entry": entry.value, "step": step} for entry, step in steps.items()]
    connection.execute(changed, rows)
