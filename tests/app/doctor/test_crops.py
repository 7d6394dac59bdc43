"""The crops of batches: all that their lists name, less what was withdrawn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.audit import exchange
from icf.annotate.batch import picture_path
from icf.annotate.export import SUMS, ExportRequest, export
from icf.app.doctor.damage import lost_crops
from icf.catalogue.schema import face, image, question
from icf.errors import SomeFailed
from icf.workspace import Workspace
from tests.annotate.audit.audited import add_labels, planned
from tests.annotate.place import EMBEDDER, Place
from tests.app.doctor.damages import flip_a_bit
from tests.app.doctor.test_command import invoke_anyhow
from tests.app.program import call, said


@pytest.fixture
def audit(plain: Place) -> Path:
    """The folder of an audit."""
    add_labels(plain, same=8, different=6)
    planned(plain)
    (plain.workspace.root / "b1").mkdir()
    store_vectors(plain.workspace)
    folder = plain.workspace.root / "batches" / "audit"
    folder.parent.mkdir(exist_ok=True)
    exchange.export(plain.workspace, folder)
    return folder


def store_vectors(space: Workspace) -> None:
    with space.catalogue.read() as connection:
        ids = connection.execute(sa.select(face.c.id)).scalars().all()
    vectors = np.ones((len(ids), 2), np.float32)
    space.vectors.append(EMBEDDER, np.array(ids, np.int64), vectors)


def crops(folder: Path) -> list[Path]:
    return sorted((folder / "pictures").iterdir())


def picture_of(space: Workspace, crop: Path) -> str:
    """The SHA-256 of the picture that a crop is of."""
    key = int(crop.stem.removeprefix("face-"))
    query = sa.select(image.c.sha256).join(face, face.c.image_id == image.c.id)
    with space.catalogue.read() as connection:
        return str(connection.execute(query.where(face.c.id == key)).scalar_one())


def checked(space: Workspace, *words: str) -> str:
    """What a check says of crops."""
    shown = invoke_anyhow("-C", space.root, "doctor", "--json", *words)
    [found] = [
        each
        for each in json.loads(shown[: shown.rindex("}") + 1])["checks"]
        if each["name"] == "crops"
    ]
    return str(found["found"])


def mended(space: Workspace) -> str:
    return " ".join(invoke_anyhow("-C", space.root, "doctor", "--repair").split())


def test_crops_of_an_audit_are_checked_and_made_again(
    plain: Place, audit: Path
) -> None:
    assert not lost_crops(plain.workspace, full=True)
    before = {each.name: each.read_bytes() for each in crops(audit)}
    gone, changed, *_ = crops(audit)
    gone.unlink()
    flip_a_bit(changed)
    [lost] = lost_crops(plain.workspace, full=True).values()
    assert set(lost.values()) == {f"pictures/{each.name}" for each in (gone, changed)}
    assert checked(plain.workspace, "--full").startswith("2 of batches are missing")
    assert "mended: 2 crops cut again" in mended(plain.workspace)
    assert checked(plain.workspace, "--full") == "as stored"
    assert {each.name: each.read_bytes() for each in crops(audit)} == before


def test_a_folder_of_pictures_that_was_removed_is_filled_again(
    plain: Place, audit: Path
) -> None:
    count = len(crops(audit))
    shutil.rmtree(audit / "pictures")
    assert f"mended: {count} crops cut again" in mended(plain.workspace)
    assert len(crops(audit)) == count


def test_a_list_of_hashes_that_is_lost_is_made_again(plain: Place, audit: Path) -> None:
    before = (audit / SUMS).read_bytes()
    count = len(crops(audit))
    flip_a_bit(crops(audit)[0])
    (audit / SUMS).unlink()
    assert checked(plain.workspace) == "as stored"
    assert checked(plain.workspace, "--full").startswith(f"{count} of batches")
    assert f"mended: {count} crops cut again" in mended(plain.workspace)
    assert (audit / SUMS).read_bytes() == before
    assert checked(plain.workspace, "--full") == "as stored"


def test_an_emptied_folder_is_said(plain: Place, audit: Path) -> None:
    shutil.rmtree(audit)
    audit.mkdir()
    assert "batches/audit was emptied" in checked(plain.workspace, "--full")


def test_what_cannot_be_cut_is_said(plain: Place, audit: Path) -> None:
    gone = crops(audit)[0]
    plain.workspace.blobs.remove(picture_of(plain.workspace, gone))
    gone.unlink()
    assert "nothing could be mended" in mended(plain.workspace)
    with pytest.raises(SomeFailed) as failed:
        call("-C", plain.workspace.root, "doctor", "--repair")
    lines = str(failed.value).splitlines()
    assert lines[0].startswith("1 pictures could not be fetched again")
    assert lines[1].startswith("1 crops could not be cut again")
    assert lines[1].endswith(str(gone))


def test_what_was_withdrawn_is_not_missed(plain: Place, audit: Path) -> None:
    # Of settled questions a takedown keeps the row, with its reference.
    who = plain.add_character()
    plain.add_faces(who, 0.5, 3)
    folder = plain.workspace.root / "batches" / "questions"
    export(plain.workspace, ExportRequest("csv", folder, 10))
    with plain.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label="same"))
    crop = folder / picture_path(plain.reference(who))
    sha256 = picture_of(plain.workspace, crop)
    said("-C", plain.workspace.root, "takedown", sha256, "--reason", "a test", "--yes")
    assert not crop.exists()
    assert crop.stem in (folder / "questions.csv").read_text()
    assert checked(plain.workspace) == "as stored"
    assert checked(plain.workspace, "--full") == "as stored"
