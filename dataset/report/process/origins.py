"""Where pictures are from: their licences, and the hosts that had them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import schema
from icf.codes import FETCHED
from icf.spdx import NOASSERTION, spdx_id

#: Licences and hosts that are listed, those of most pictures first.
LISTED = 40
HOSTS = 15


@dataclass(frozen=True)
class Licence:
    """The number of pictures under a licence, and where the licence was read."""

    licence: str
    read_from: str
    pictures: int

    @property
    def spdx(self) -> str:
        """Its SPDX identifier; ``NOASSERTION`` where nobody states one."""
        return spdx_id(self.licence)

    @property
    def unknown(self) -> bool:
        """Whether the licence is unknown."""
        return self.spdx == NOASSERTION


@dataclass(frozen=True)
class Host:
    """What was fetched from one host; "" of files of one's own."""

    name: str
    pictures: int
    bytes: int


@dataclass(frozen=True)
class Hosts:
    """The hosts with most bytes, and how many there are in all."""

    listed: Sequence[Host]
    number: int
    bytes: int


def read_licences(connection: sa.Connection) -> list[Licence]:
    """Count pictures by licence as the sources state it."""
    source = schema.image_source.c
    pictures = sa.func.count(sa.distinct(source.image_id))
    query = (
        sa.select(source.licence, source.licence_from, pictures)
        .group_by(source.licence, source.licence_from)
        .order_by(pictures.desc(), source.licence, source.licence_from)
        .limit(LISTED)
    )
    return [Licence(*row) for row in connection.execute(query)]


def read_hosts(connection: sa.Connection) -> Hosts:
    """Count pictures and bytes by host; a picture of two hosts counts with both."""
    url, image = schema.url.c, schema.image.c
    fetched = (
        sa.select(url.host, url.image_id)
        .where(url.fate.in_(FETCHED), url.image_id.is_not(None))
        .distinct()
        .subquery()
    )
    host = fetched.c.host
    size = sa.func.sum(image.bytes)
    each = (
        sa.select(host, sa.func.count().label("pictures"), size.label("bytes"))
        .select_from(fetched.join(schema.image, image.id == fetched.c.image_id))
        .group_by(host)
        .subquery()
    )
    number, total = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(each.c.bytes), 0))
    ).one()
    listed = sa.select(each).order_by(each.c.bytes.desc(), each.c.host).limit(HOSTS)
    rows = connection.execute(listed).all()
    hosts = [Host(row.host, int(row.pictures), int(row.bytes)) for row in rows]
    return Hosts(hosts, int(number), int(total))
