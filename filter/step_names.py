"""Names of steps that other modules of the filter refer to, and where rows enter."""

from __future__ import annotations

from icf.catalogue.entry_steps import Entry

DETECT, EMBED, REFERENCE, IDENTITY = "detect", "embed", "reference", "identity"

#: Where other stages enter rows into the chain.
ENTRY_STEPS = {
    Entry.NEW_IMAGE: DETECT,
    Entry.CHOSEN_FACE: EMBED,
    Entry.CLEARED_REFERENCE: REFERENCE,
    Entry.CHANGED_REFERENCE: IDENTITY,
}
