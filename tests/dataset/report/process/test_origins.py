from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.catalogue import Catalogue
from icf.dataset.report.process.origins import (
    Host,
    Hosts,
    Licence,
    read_hosts,
    read_licences,
)
from icf.dataset.report.statistics.faces import read_faces
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image


def test_a_licence_that_nobody_knows_is_marked_and_a_known_one_has_its_name() -> None:
    shown = [Licence(name, "site", 1) for name in ("", "Unknown", "CC0")]
    assert [each.unknown for each in shown] == [True, True, False]
    assert shown[2].spdx == "CC0-1.0"


def test_both_databases_add_up_the_same(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    kept = {"awaits": None, "verdict": "kept"}
    face = add_face(catalogue, add_image(catalogue, tom), tom, **kept)
    with catalogue.write() as connection:
        image = connection.execute(sa.select(schema.image.c.bytes)).scalar_one()
        url = {"url": "http://a.test/1", "host": "a.test", "source": "s"}
        known = {"fate": "stored", "image_id": 1, "found_at": 0.0}
        connection.execute(sa.insert(schema.url), {**url, **known})
        # The same host gave the same picture under another address.
        again = {**url, **known, "url": "http://a.test/2"}
        connection.execute(sa.insert(schema.url), again)
        assert read_hosts(connection) == Hosts([Host("a.test", 1, image)], 1, image)
        faces = read_faces(connection)
    assert (faces.face.tolist(), faces.identity.tolist()) == ([face], [tom])
    assert faces.side.dtype == float
    assert not faces.confirmed


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
