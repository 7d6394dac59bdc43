"""What was set aside at the first round, to compare models on: the frozen audit set.

Its characters and pictures are never trained on, and the sampler never chooses them for
what it is unsure of: they are asked about at random.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from icf.catalogue.schema import audit_item

Kind = Literal["character", "image"]


def set_aside(kind: Kind) -> sa.Select[Any]:
    """Select the ids that were set aside, for an ``IN``."""
    return sa.select(audit_item.c.subject_id).where(audit_item.c.kind == kind)
