"""The licence of pictures: whose source says none, and said anew of known ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import (
    annotation,
    content,
    image,
    write_json,
    write_picture,
)
from tests.app.program import said

BY = {"id": 1, "name": "CC BY 4.0", "url": "http://l.test"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three pictures: of two the licence is not said, one of these has an address."""
    for number in range(3):
        write_picture(tmp_path / "set" / "images" / f"{number}.bmp", number)
    say(tmp_path / "set", BY)
    return tmp_path / "set"


def say(root: Path, licence: dict[str, object]) -> None:
    images = [
        image(0, "0.bmp", license=1),
        image(1, "1.bmp", coco_url="http://c.test/1"),
        image(2, "2.bmp"),
    ]
    faces = [annotation(number) for number in range(3)]
    write_json(root / "a.json", content(images, faces, licenses=[licence]))


def bring(space: Workspace, root: Path, *words: str) -> int:
    """Import; return how many known pictures have another licence now."""
    return int(said("-C", space.root, "import", "coco", root, *words)["licences"])


def stored(space: Workspace, table: sa.Table) -> list[tuple[object, ...]]:
    """Licence, its address, and who says so, by picture."""
    columns = table.c.licence, table.c.licence_url, table.c.licence_from
    query = sa.select(*columns).order_by(table.c.image_id, table.c.id)
    with space.catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


LISTED = ("CC BY 4.0", "http://l.test", "list")
UNKNOWN = ("unknown", None, "unknown")
CC0 = ("CC0", None, "import")


def test_a_picture_with_an_address_and_no_licence_has_the_one_of_the_user(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root, "--licence", "CC0")
    assert stored(empty, schema.image_source) == [LISTED, CC0, CC0]


def test_another_licence_of_known_pictures_is_taken(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    assert stored(empty, schema.image_source) == [LISTED, UNKNOWN, UNKNOWN]
    assert bring(empty, root, "--licence", "CC0", "--dry-run") == 2
    assert stored(empty, schema.image_source) == [LISTED, UNKNOWN, UNKNOWN]
    assert bring(empty, root, "--licence", "CC0") == 2
    assert bring(empty, root, "--licence", "CC0") == 0
    assert stored(empty, schema.image_source) == [LISTED, CC0, CC0]
    assert stored(empty, schema.url) == [LISTED, CC0, CC0]


def test_a_list_that_says_another_licence_is_followed(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root, "--licence", "CC0")
    say(root, {"id": 1, "name": "CC BY-NC 4.0"})
    assert bring(empty, root, "--licence", "CC0") == 1
    noncommercial = ("CC BY-NC 4.0", None, "list")
    for table in (schema.image_source, schema.url):
        assert stored(empty, table) == [noncommercial, CC0, CC0]


def test_a_licence_that_is_not_said_again_stays(empty: Workspace, root: Path) -> None:
    bring(empty, root, "--licence", "CC0")
    assert bring(empty, root) == 0
    assert stored(empty, schema.image_source) == [LISTED, CC0, CC0]


def test_what_another_source_said_of_the_same_bytes_stays(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root, "--licence", "CC0")
    bring(empty, root, "--licence", "CC0", "--name", "other")
    # The place on the web was named by the first of them.
    assert bring(empty, root, "--licence", "GFDL", "--name", "other") == 1
    gfdl = ("GFDL", None, "import")
    expected = [LISTED, LISTED, CC0, CC0, gfdl]
    assert stored(empty, schema.image_source) == expected
