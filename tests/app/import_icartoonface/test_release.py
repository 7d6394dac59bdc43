"""A release that is imported: everything that its tables say is in the catalogue."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.import_icartoonface.release import UNKNOWN_DETECTOR, Release
from icf.app.import_icartoonface.release_attributes import read_attributes
from icf.app.importing.given import GivenPicture
from icf.catalogue import schema
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.codes import BoxStatus, FaceReason, ImageReason, Verdict
from icf.dataset import contents
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import write_sums
from icf.errors import BadInput
from icf.icartoonface import parts
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTRAIN_BOXES,
    RECTRAIN_FOLDER,
)
from icf.models.data.base import LabelledPicture
from icf.models.data.workspace import WorkspaceReader
from icf.workspace import Workspace
from tests.app.program import call, program, said
from tests.dataset.drawn import cut_rows


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def faces_of(release: Path) -> set[tuple[str, ...]]:
    """Every face by its content, with whom it shows and who says so."""
    known = ("sha256", "x1", "y1", "x2", "y2", "character", "album", "confirmed_by")
    return {
        tuple(row[name] for name in known)
        for row in rows_of(release / contents.FILE)
        if row["part"] in contents.FACES
    }


def test_every_face_is_who_it_was_with_the_corners_that_it_had(
    space: Workspace, release: Path
) -> None:
    prepared = prepare(space, 1)
    faces = prepared.plan.selection.faces
    pictures = prepared.plan.selection.pictures
    found = set()
    for face, picture, corners, identity in zip(
        faces.face, faces.picture, faces.corners.tolist(), faces.identity, strict=True
    ):
        owner = prepared.plan.selection.identities[int(identity)]
        assert int(face) not in prepared.plan.selection.unasked
        sha256 = pictures.sha256[picture].decode()
        names = owner.character, owner.album, "people"
        found.add((sha256, *(repr(side) for side in corners), *names))
    assert found == faces_of(release)


def test_each_picture_has_its_sources_in_their_order(
    space: Workspace, release: Path
) -> None:
    table = schema.image_source
    query = sa.select(
        schema.image.c.sha256, table.c.url, table.c.licence, table.c.author
    ).join(schema.image, schema.image.c.id == table.c.image_id)
    with space.catalogue.read() as connection:
        found = [tuple(row) for row in connection.execute(query.order_by(table.c.id))]
    wanted = list(
        dict.fromkeys(
            (row["sha256"], row["url"], row["licence"], row["author"].lstrip("'"))
            for row in rows_of(release / "licences.csv")
        )
    )
    assert len(found) == 2 * len({sha256 for sha256, *_ in found})
    assert sorted(found) == sorted(wanted)
    for sha256 in {sha256 for sha256, *_ in wanted}:
        of_one = [row for row in found if row[0] == sha256]
        assert of_one == [row for row in wanted if row[0] == sha256]


def test_boxes_that_people_verified_are_verified_again(
    space: Workspace, release: Path
) -> None:
    with space.catalogue.read() as connection:
        tasks = connection.execute(sa.select(box_task)).all()
        boxes = connection.execute(sa.select(verified_box)).all()
    assert {row.status for row in tasks} == {BoxStatus.VERIFIED.value}
    # Exactly: the lists have them in whole pixels.
    cells = contents.read_contents(release / contents.FILE).boxes.tolist()
    wanted = [each.corners for cell in cells for each in boxes_in(cell)]
    assert any(side % 1 for corners in wanted for side in corners)
    assert all(row.face_id is not None for row in boxes)
    assert sorted(tuple(row[2:6]) for row in boxes) == sorted(wanted)


def test_boxes_of_an_earlier_version_come_from_the_lists(
    release: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    with (copy / contents.FILE).open(newline="") as file:
        header, *rows = list(csv.reader(file))
    keep = [at for at, name in enumerate(header) if name not in contents.LATER]
    with (copy / contents.FILE).open("w", newline="") as file:
        csv.writer(file).writerows([row[at] for at in keep] for row in [header, *rows])
    write_sums(copy, {})
    found = [
        box
        for each in Release(copy).pictures()
        if isinstance(each, GivenPicture)
        for box in each.verified or ()
    ]
    lists = [release / DETTRAIN_BOXES, release / DETTEST_BOXES]
    lines = [line for each in lists for line in each.read_text().splitlines()]
    wanted = sorted(line.split(",")[1:5] for line in lines)
    assert sorted([f"{each:g}" for each in box] for box in found) == wanted


def test_what_the_detector_found_has_its_score(space: Workspace) -> None:
    face = schema.face
    with space.catalogue.read() as connection:
        query = sa.select(face.c.score, face.c.reason).where(
            face.c.detector == UNKNOWN_DETECTOR
        )
        found = connection.execute(query).all()
    assert found
    assert all(0.7 < row.score < 1 for row in found)
    assert {row.reason for row in found} == {FaceReason.NOBODY.value}


def test_no_picture_is_dropped_for_having_no_face(space: Workspace) -> None:
    with space.catalogue.read() as connection:
        query = sa.select(schema.image.c.verdict, schema.image.c.reason)
        found = {tuple(row) for row in connection.execute(query)}
    assert found == {(Verdict.KEPT.value, ImageReason.OK.value)}


def test_nothing_of_its_test_is_trained_on(space: Workspace, release: Path) -> None:
    trained = [
        each.key
        for each in WorkspaceReader(space.root).pictures()
        if isinstance(each, LabelledPicture)
    ]
    part = {row["sha256"]: row["part"] for row in rows_of(release / contents.FILE)}
    assert {part[key] for key in trained} == {
        contents.TRAIN,
        contents.DETECTION_TRAIN,
    }


@pytest.mark.parametrize(
    ("column", "cell"),
    [("region", "moon"), ("gender", "x"), ("yaw", "nan"), ("roll", "1_0x")],
)
def test_attributes_that_are_none_are_refused_by_picture(
    column: str, cell: str, release: Path, tmp_path: Path
) -> None:
    rows = rows_of(release / "attributes.csv")
    rows[1][column] = cell
    with (tmp_path / "attributes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(BadInput, match=rows[1]["name"]):
        read_attributes(tmp_path)


def test_a_second_run_knows_all_of_it(space: Workspace, release: Path) -> None:
    again = said("-C", space.root, "import", "icartoonface", release)
    files = again["files"]
    assert files == {**files, "in": files["known"], "imported": 0, "refused": {}}
    assert (again["labels"], again["verified"], again["faces"]) == (0, 0, 0)


def test_a_swapped_picture_is_refused_by_name(
    empty: Workspace, release: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(release, tmp_path / "own"))
    one, other, *_ = sorted((own / RECTRAIN_FOLDER).rglob("*.jpg"))
    one.write_bytes(other.read_bytes())
    words = "import", "icartoonface", own, "--json"
    done = program("icf", *words, folder=empty.root, code=3)
    found = json.loads(done.stdout)
    assert found["files"]["refused"] == {"wrong_bytes": 1}
    assert str(one) in found["faults"][0]["why"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"formats": {"icartoonface": "../x"}}, "is no folder below the release"),
        ({"inputs": None}, "is no summary of a release"),
    ],
)
def test_a_release_that_cannot_be_imported_says_why(
    changed: dict[str, object], why: str, release: Path, tmp_path: Path
) -> None:
    summary = json.loads((release / "release.json").read_text())
    (tmp_path / "release.json").write_text(json.dumps({**summary, **changed}))
    shutil.copyfile(release / contents.FILE, tmp_path / contents.FILE)
    with pytest.raises(BadInput, match=why):
        Release(tmp_path)


def test_a_release_without_pictures_says_how_to_get_them(
    release: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(release, tmp_path / "own"))
    for each in own.rglob("*.jpg"):
        each.unlink()
    with pytest.raises(BadInput, match="icf release relink"):
        list(Release(own).pictures())


def test_labels_that_no_person_gave_are_not_made_labels(
    empty: Workspace, release: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(release, tmp_path / "own"))
    rows = rows_of(own / contents.FILE)
    by = iter(("model", "track", "reference"))
    for row in rows:
        if row["part"] == contents.TRAIN:
            row["confirmed_by"] = next(by, "people")
    with (own / contents.FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, contents.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    write_sums(own, {})
    done = said("-C", empty.root, "import", "icartoonface", own)
    assert done["labels"] == len(faces_of(own)) - 3
    assert sorted(done["left_out"].values()) == [1, 1]
    with empty.catalogue.read() as connection:
        leads = sa.select(sa.func.count()).where(schema.candidate.c.is_lead)
        assert connection.execute(leads).scalar_one() == 1


def test_other_settings_than_here_are_named(
    empty: Workspace, release: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(release, tmp_path / "own"))
    summary = json.loads((own / "release.json").read_text())
    summary["settings"]["filter"]["min_face"] = 40
    (own / "release.json").write_text(json.dumps(summary))
    done = call("-C", empty.root, "import", "icartoonface", own, "--dry-run")
    assert "filter.min_face = 40" in done.stderr


def test_a_release_of_an_earlier_version_has_names_and_whole_pixels(
    empty: Workspace, release: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(release, tmp_path / "own"))
    cut_rows(own / contents.FILE, 1)
    with pytest.raises(BadInput, match=r"own has changed its contents\.csv"):
        call("-C", empty.root, "import", "icartoonface", own)
    (own / contents.FILE).unlink()
    with pytest.raises(BadInput, match=r"own has lost its contents\.csv"):
        call("-C", empty.root, "import", "icartoonface", own)
    (own / "SHA256SUMS").unlink()
    done = said("-C", empty.root, "import", "icartoonface", own)
    assert done["faults"] == []
    owners = {(row[-3], row[-2]) for row in faces_of(release)}
    character, album = schema.character, schema.album
    query = sa.select(character.c.name, album.c.name).join(
        album, album.c.id == character.c.album_id
    )
    with empty.catalogue.read() as connection:
        found: set[Any] = {tuple(row) for row in connection.execute(query)}
        sources = connection.execute(sa.select(schema.image_source)).all()
    assert {each for each in found if each[0] != "not named"} == owners
    assert {row.source for row in sources} == {parts.RELEASE_TRAIN, parts.RELEASE_TEST}
    assert {row.url.split("/")[2] for row in sources} == {"toons.test", "mirror.test"}
