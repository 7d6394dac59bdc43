"""The table of each subject, and rows by id (`icf.catalogue.rows`)."""

from collections.abc import Mapping

import sqlalchemy as sa

from icf.catalogue.rows import CHUNK, by_ids
from icf.catalogue.schema import face, image
from icf.engine.step import Subject

__all__ = ["CHUNK", "TABLES", "by_ids"]

#: The table with the rows of each subject.
TABLES: Mapping[Subject, sa.Table] = {"image": image, "face": face}
