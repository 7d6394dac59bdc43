"""Pictures that a release may contain, by the licences they were found under."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.shares import Shares
from icf.catalogue.schema import image_source


def may_be_released(
    image_id: sa.ColumnElement[Any], shares: Shares
) -> sa.ColumnElement[bool]:
    """Whether a picture was found under an allowed licence.

    Args:
        image_id: the picture.
        shares: with the licences that are allowed.
    """
    if shares.licences is None:
        return sa.true()
    licence, url = image_source.c.licence, image_source.c.licence_url
    allowed = [
        sa.and_(licence == name, url.is_(None) if link is None else url == link)
        for name, link in shares.licences
    ]
    return sa.exists().where(
        image_source.c.image_id == image_id, sa.or_(sa.false(), *allowed)
    )
