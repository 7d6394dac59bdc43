from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.report.process.origins import Licence, read_hosts, read_licences
from icf.workspace import Workspace


def test_a_licence_that_nobody_knows_is_marked_and_a_known_one_has_its_name() -> None:
    shown = [Licence(name, "site", 1) for name in ("", "Unknown", "CC0")]
    assert [each.unknown for each in shown] == [True, True, False]
    assert shown[2].spdx == "CC0-1.0"


def test_every_stored_picture_counts_with_its_licence_and_its_host(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.write() as connection:
        url, image = schema.url, schema.image
        connection.execute(
            sa.update(url).where(url.c.image_id == 1).values(host="other.test")
        )
        sizes = sa.select(sa.func.count(), sa.func.sum(image.c.bytes))
        count, size = connection.execute(sizes).one()
        first = connection.execute(
            sa.select(image.c.bytes).where(image.c.id == 1)
        ).scalar_one()
        licences = read_licences(connection)
        hosts = read_hosts(connection)
    assert sum(each.pictures for each in licences) == count
    assert (hosts.number, hosts.bytes) == (2, size)
    main, other = hosts.listed
    assert (main.name, main.pictures) == ("toons.test", count - 1)
    assert (other.name, other.pictures, other.bytes) == ("other.test", 1, first)
