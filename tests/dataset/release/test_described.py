from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.schema import album, character
from icf.dataset.formats.registry import DEFAULT
from icf.dataset.release.described import (
    Described,
    with_described,
    write_described,
)
from icf.dataset.release.files import ATTRIBUTES
from icf.dataset.release.prepare import Prepared, prepare
from icf.dataset.scores.recognition.release_groups import attribute_groups
from icf.workspace import Workspace
from tests.dataset.scores.recognition.made import info_of


def describe(workspace: Workspace, faces: list[int], gender: str | None) -> None:
    """What two people said of some faces."""
    rows = [
        {
            "face_id": face,
            "annotator": person,
            "gender": gender,
            "yaw": yaw,
            "pitch": 0.5,
            "roll": -2.0,
            "occlusion": "part",
            "answered_at": 1.0,
        }
        for face in faces
        for person, yaw in (("ann", 10.0), ("bob", 20.0))
    ]
    with workspace.catalogue.write() as connection:
        connection.execute(sa.insert(attribute_answer), rows)


def prepared(workspace: Workspace) -> Prepared:
    return prepare(workspace, 1, (DEFAULT,))


def test_a_release_of_which_nothing_is_known_is_as_before(workspace: Workspace) -> None:
    made = prepared(workspace)
    assert made.described == ()
    assert with_described("abc", made.described) == "abc"


def test_a_style_is_an_input_and_no_style_is_none() -> None:
    def inputs(style: str) -> str:
        return with_described(
            "abc", [Described("train", "1.jpg", "japan", style=style)]
        )

    # As before there were styles.
    cells = "('train', '1.jpg', 'japan', '', '', '', '', '', '', 0)"
    assert inputs("") == hashlib.sha256(b"abc" + cells.encode()).hexdigest()
    assert inputs("flat") != inputs("")


def test_faces_are_described_by_people_their_character_and_album(
    workspace: Workspace,
) -> None:
    before = prepared(workspace)
    faces = before.plan.selection.faces
    first, second = before.plan.test[:2]
    ids = [int(faces.face[each.face]) for each in (first, second)]
    owner, place = int(faces.identity[first.face]), int(faces.album[first.face])
    describe(workspace, ids[:1], "female")
    describe(workspace, ids[1:], None)
    with workspace.catalogue.write() as connection:
        male = sa.update(character).where(character.c.id == owner)
        connection.execute(male.values(gender="male"))
        japan = sa.update(album).where(album.c.id == place)
        connection.execute(japan.values(region="japan", style="=flat"))
    after = prepared(workspace)
    assert after.inputs != before.inputs
    rows = {row.name: row for row in after.described}
    said = ("15.0", "0.5", "-2.0", "part", 2, "'=flat")
    assert rows[first.path] == Described(
        "probe", first.path, "japan", "female", "people", *said
    )
    assert (rows[second.path].gender, rows[second.path].gender_by) == ("male", "source")
    others = [
        row for each, row in rows.items() if each not in (first.path, second.path)
    ]
    assert others
    assert {row.region for row in others} == {"japan"}
    assert {row.people for row in others} == {0}
    albums = [
        faces.album[each.face] == place
        for each in after.plan.placed()
        if each.face >= 0
    ]
    assert len(after.described) == sum(albums)


def test_what_is_written_is_read_again_as_groups(tmp_path: Path) -> None:
    info = info_of([0, 0, -1])
    written = [
        Described("train", info.files[0], "usa"),
        Described("probe", info.files[1], "japan", "male", "source", style="flat"),
        Described(
            "distractor", info.files[2], "", "", "", "-170.0", "0.0", "0.0", "", 1
        ),
    ]
    write_described(tmp_path / ATTRIBUTES, written)
    groups = attribute_groups(tmp_path / ATTRIBUTES, info)
    assert {kind: each.codes.tolist() for kind, each in groups.items()} == {
        "region": [-1, 0, -1],
        "style": [-1, 0, -1],
        "gender": [-1, 0, -1],
        "pose": [-1, -1, 3],
    }
    with (tmp_path / ATTRIBUTES).open(newline="") as file:
        assert [len(row) for row in csv.reader(file)] == [11] * 4
