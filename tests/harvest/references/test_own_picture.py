from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image, image_source, tombstone
from icf.errors import BadInput, WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.references.own_picture import store_file
from icf.settings import HarvestSettings
from icf.stores.blobs import BlobStore
from tests.core.pictures import drawing, encoded
from tests.harvest.rows import all_of

OWN = Licence("CC0", None, "hand", "Me")


def keep(
    catalogue: Catalogue, path: Path, licence: Licence = OWN, max_bytes: int = 10_000
) -> int:
    blobs = BlobStore(path.parent / "blobs")
    settings = HarvestSettings(max_bytes=max_bytes)
    with catalogue.write() as connection:
        return store_file(connection, blobs, path, licence, settings)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Tom & #1.png"
    path.write_bytes(encoded(drawing(), "PNG"))
    return path


def test_a_picture_of_one_s_own_is_stored_byte_for_byte_with_where_it_came_from(
    catalogue: Catalogue, picture: Path
) -> None:
    image_id = keep(catalogue, picture)
    (row,) = all_of(catalogue, image)
    assert row["id"] == image_id
    assert (row["format"], row["width"], row["height"]) == ("png", 64, 48)
    assert (row["awaits"], row["verdict"]) == ("detect", "pending")
    stored = BlobStore(picture.parent / "blobs").get(row["sha256"])
    assert stored == picture.read_bytes()
    (source,) = all_of(catalogue, image_source)
    assert (source["source"], source["url"]) == ("hand", picture.as_uri())
    assert (source["licence"], source["licence_from"]) == ("CC0", "hand")
    assert source["author"] == "Me"


def test_the_same_picture_twice_is_one_image(
    catalogue: Catalogue, picture: Path
) -> None:
    assert keep(catalogue, picture) == keep(catalogue, picture, UNKNOWN)
    assert len(all_of(catalogue, image_source)) == 1


def test_a_picture_that_is_given_again_gets_the_licence_that_is_stated_now(
    catalogue: Catalogue, picture: Path
) -> None:
    keep(catalogue, picture)
    keep(catalogue, picture, Licence("CC BY-NC 4.0", None, "hand", "You"))
    (source,) = all_of(catalogue, image_source)
    assert (source["licence"], source["author"]) == ("CC BY-NC 4.0", "You")
    # What is not stated stays.
    keep(catalogue, picture, UNKNOWN)
    assert all_of(catalogue, image_source) == [source]


def test_what_another_source_says_of_the_same_file_stays(
    catalogue: Catalogue, picture: Path
) -> None:
    keep(catalogue, picture)
    with catalogue.write() as connection:
        connection.execute(sa.update(image_source).values(source="drawings"))
    keep(catalogue, picture, Licence("CC BY-NC 4.0", None, "hand", "You"))
    assert [row["licence"] for row in all_of(catalogue, image_source)] == ["CC0"]


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"<html>", "not_image"), (None, "truncated")],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    catalogue: Catalogue, picture: Path, data: bytes | None, words: str
) -> None:
    whole = encoded(drawing(), "JPEG")
    picture.write_bytes(whole[: len(whole) // 2] if data is None else data)
    with pytest.raises(BadInput, match=words):
        keep(catalogue, picture)
    assert all_of(catalogue, image) == []


def test_more_bytes_than_the_cap_are_not_read(
    catalogue: Catalogue, picture: Path
) -> None:
    with pytest.raises(BadInput, match=r"harvest\.max_bytes"):
        keep(catalogue, picture, max_bytes=10)


def test_a_file_that_cannot_be_read_is_wrong_use(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(WrongUse, match="cannot read the picture"):
            keep(catalogue, path)


def test_a_licence_that_is_not_let_in_is_wrong_use(
    catalogue: Catalogue, picture: Path
) -> None:
    strict = HarvestSettings(only_licence=("CC BY*",))
    blobs = BlobStore(picture.parent / "blobs")
    with (
        catalogue.write() as connection,
        pytest.raises(WrongUse, match=r"CC0, is not one of harvest\.only_licence"),
    ):
        store_file(connection, blobs, picture, OWN, strict)


def test_what_was_taken_down_does_not_come_back(
    catalogue: Catalogue, picture: Path
) -> None:
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    with catalogue.write() as connection:
        connection.execute(
            sa.insert(tombstone).values(
                kind="sha256", subject=sha256, reason="asked", taken_at=0.0
            )
        )
    with pytest.raises(WrongUse, match="taken down"):
        keep(catalogue, picture)
    assert not BlobStore(picture.parent / "blobs").has(sha256)
