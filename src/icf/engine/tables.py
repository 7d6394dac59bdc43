"""The table with the rows of each subject that moves along the chain."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.engine.step import Subject

TABLES: Mapping[Subject, sa.Table] = {"image": image, "face": face}
