"""A release, made of pictures with sources, boxes and detections of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.app.init import make_workspace
from icf.catalogue import schema
from icf.catalogue.annotation.schema import attribute_answer
from icf.codes import FaceReason
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.workspace import Workspace, find
from tests.app.program import call, said
from tests.icartoonface_files import Published, write_published

DETECTOR = "d" * 64


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of pictures that stand for a harvest, with sources of their own."""
    root = tmp_path_factory.mktemp("made")
    size = Published(identities=5, pictures=8, detection_train=6, detection_test=4)
    published = write_published(root / "published", size)
    space = make_workspace(root / "space", (), "")
    assert call("-C", space.root, "import", "icartoonface", published).exit_code == 0
    with space.catalogue.write() as connection:
        as_harvested(connection)
        described(connection)
        found_by_a_detector(connection)
    assert call("-C", space.root, "filter", "run").exit_code == 0
    space.catalogue.close()
    return root / "space"


@pytest.fixture(scope="session")
def release(made: Path) -> Path:
    """A release of it."""
    return written(made, "release", "icartoonface")


@pytest.fixture(scope="session")
def others(made: Path) -> Path:
    """The same release in formats of others."""
    return written(made, "others", "coco", "imagefolder")


@pytest.fixture(scope="session")
def brought(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has the release, and nothing else."""
    root = tmp_path_factory.mktemp("brought") / "space"
    make_workspace(root, (), "").catalogue.close()
    done = said("-C", root, "import", "icartoonface", release)
    assert done["faults"] == []
    assert call("-C", root, "filter", "run").exit_code == 0
    return root


@pytest.fixture
def space(brought: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(brought, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


def written(made: Path, name: str, *formats: str, crops: float | None = None) -> Path:
    space = find(made)
    out = made.parent / name
    assert write(space, prepare(space, 1, formats, crops=crops), out, 1)
    space.catalogue.close()
    return out


def as_harvested(connection: sa.Connection) -> None:
    """Give pictures two sources each, the later one first in the alphabet."""
    table = schema.image_source
    for row in connection.execute(sa.select(table).order_by(table.c.id)).all():
        where = f"http://toons.test/{row.image_id}.jpg"
        update = sa.update(table).where(table.c.id == row.id)
        words = {"licence": "CC BY 4.0", "author": "=A. Drawer", "source": "wiki"}
        connection.execute(update.values(url=where, page_url="http://p.test", **words))
        again = {**row._mapping, **words, "url": where.replace("toons", "mirror")}
        del again["id"]
        connection.execute(sa.insert(table).values(**again))
    # Corners of a detector are no whole pixels.
    connection.execute(sa.update(schema.face).values(x1=schema.face.c.x1 + 0.125))


def described(connection: sa.Connection) -> None:
    """Say where the album is from, who a character is, and how some faces look."""
    connection.execute(sa.update(schema.album).values(region="japan", style="flat"))
    some = schema.character.c.name.like("%0")
    connection.execute(sa.update(schema.character).where(some).values(gender="female"))
    ids = connection.execute(sa.select(schema.face.c.id).limit(9)).scalars().all()
    rows = [
        {
            "face_id": face_id,
            "annotator": "ann",
            "gender": "male" if face_id % 2 else None,
            "yaw": 15.0 * (face_id % 5),
            "pitch": -30.0,
            "roll": None,
            "occlusion": "part",
            "answered_at": 1.0,
        }
        for face_id in ids
    ]
    connection.execute(sa.insert(attribute_answer), rows)


def found_by_a_detector(connection: sa.Connection) -> None:
    """Let a detector have found two boxes in each picture of the detection set."""
    face = schema.face
    whole = sa.select(face).where(face.c.reason == FaceReason.NOBODY.value)
    for row in connection.execute(whole).all():
        found = {**row._mapping, "detector": DETECTOR, "score": 0.7 + row.id / 1000}
        del found["id"]
        connection.execute(sa.insert(face).values(**{**found, "x1": row.x1 + 2.3}))
