"""Where other stages enter rows into the filter's chain."""

from __future__ import annotations

from icf.catalogue.entry_steps import Entry
from icf.filter.step_names import DETECT, EMBED, IDENTITY, REFERENCE

ENTRY_STEPS = {
    Entry.NEW_IMAGE: DETECT,
    Entry.CHOSEN_FACE: EMBED,
    Entry.CLEARED_REFERENCE: REFERENCE,
    Entry.CHANGED_REFERENCE: IDENTITY,
}
