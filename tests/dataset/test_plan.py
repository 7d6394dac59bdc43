from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.labels.confirmed import read_confirmed
from icf.codes import FaceReason, Label
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.selecting.select import select
from icf.dataset.selection import Pictures, SelectedFaces, Selection
from icf.dataset.unused import UnusedFace, read_unused, unused_faces, write_unused
from icf.errors import BadInput
from icf.workspace import Workspace


def found_in_reverse(selection: Selection) -> Selection:
    """The same faces, pictures and characters as a harvest in reverse numbers them."""
    faces, pictures = selection.faces, selection.pictures
    last = int(max(faces.identity.max(), faces.album.max())) + 1
    back = np.arange(len(pictures.image))[::-1]
    return replace(
        selection,
        faces=SelectedFaces(
            face=np.arange(len(faces.face)),
            identity=last - faces.identity[::-1],
            album=last - faces.album[::-1],
            picture=len(back) - 1 - faces.picture[::-1],
            corners=faces.corners[::-1],
            pixel_hash=faces.pixel_hash[::-1],
            hashes=faces.hashes[np.arange(len(faces.face))[::-1]],
        ),
        pictures=Pictures(
            image=np.arange(len(back)),
            sha256=pictures.sha256[back],
            pixel_hash=pictures.pixel_hash[back],
            hashes=pictures.hashes[back],
            format=pictures.format[::-1],
            size=pictures.size[back],
            boxes=pictures.boxes[::-1],
            complete=pictures.complete[back],
            detected=pictures.detected[::-1],
        ),
        identities={
            last - key: replace(
                each, character_id=last - key, album_id=last - each.album_id
            )
            for key, each in selection.identities.items()
        },
    )


def shown(plan: Plan) -> dict[str, set[tuple[object, ...]]]:
    """What each part of a plan holds, by the pictures' bytes and the faces' places."""
    faces, pictures = plan.selection.faces, plan.selection.pictures
    parts: dict[str, set[tuple[object, ...]]] = {
        name: {
            (pictures.sha256[faces.picture[row]], *faces.corners[row].tolist())
            for row in getattr(plan.splits, name)
        }
        for name in ("train", "probes", "distractors")
    }
    for name in ("detection_train", "detection_test"):
        rows = getattr(plan.splits, name)
        parts[name] = {(each,) for each in pictures.sha256[rows].tolist()}
    return parts


def test_the_order_in_which_pictures_were_found_does_not_change_the_splits(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    reach = Reach(workspace.settings.filter.max_phash, 10)
    plans = [
        make_plan(each, workspace.settings.dataset, reach, seed=5)
        for each in (selection, found_in_reverse(selection))
    ]
    assert all(shown(plans[0]).values())
    assert shown(plans[0]) == shown(plans[1])


def test_every_confirmed_face_is_in_a_part_or_in_the_table_with_a_reason(
    workspace: Workspace, tmp_path: Path
) -> None:
    with workspace.catalogue.write() as connection:
        faces = connection.execute(
            sa.select(schema.question.c.face_id, schema.question.c.character_id)
            .where(schema.question.c.label == Label.SAME.value)
            .order_by(schema.question.c.id)
        ).all()
        changes: list[dict[str, object]] = [
            {"reason": FaceReason.LOW_SCORE.value},
            {"reason": FaceReason.NEAR_DUPLICATE.value},
            {"embedder": None},
            {"reason": FaceReason.NOT_THIS_CHARACTER.value},
        ]
        for row, changed in zip(faces, changes, strict=False):
            change = sa.update(schema.face).where(schema.face.c.id == row.face_id)
            connection.execute(change.values(**changed))
        torn = {**faces[9]._mapping, "character_id": faces[9].character_id + 1}
        values = {"reference_face_id": torn["face_id"], "batch_id": "b1"}
        connection.execute(
            sa.insert(schema.question).values(
                **torn, **values, label=Label.SAME.value, asked_at=1.0
            )
        )
        everybody = read_confirmed(connection)
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    settings = workspace.settings.dataset
    for seed in range(3):
        plan = make_plan(selection, settings, Reach(10, 10), seed)
        path = tmp_path / f"{seed}.csv"
        write_unused(path, plan)
        rows = read_unused(path)
        assert rows == list(unused_faces(plan))
        assert {len(row.face_pixel_hash) for row in rows} == {64}
        assert Counter(row.reason for row in rows) == plan.unused
        used = sum(
            plan.counts[part] for part in ("train_faces", "probes", "distractors")
        )
        whole = len(everybody.owners) + len(everybody.ambiguous)
        assert used + len(rows) == whole
        by_reason = {row.reason: row for row in rows}
        for reason in ("low_score", "near_duplicate", "without_embedding"):
            assert plan.unused[reason] == 1
            assert by_reason[reason].character == "Character 1-0"
        assert plan.unused["confirmed_for_two_characters"] == 1
        assert by_reason["confirmed_for_two_characters"].character == ""
        assert "not_this_character" not in plan.unused


def test_a_table_of_an_earlier_version_has_no_hashes_of_faces(tmp_path: Path) -> None:
    path = tmp_path / "unused.csv"
    path.write_text("sha256,x1,y1,x2,y2,character,album,reason\na,1,1,9,9,b,c,d\n")
    assert read_unused(path) == [UnusedFace("a", (1, 1, 9, 9), "b", "c", "d")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("sha256,x1\n", 1),
        ("sha256,x1,y1,x2,y2,character,album,reason\na,1,1,wide,9,b,c,d\n", 2),
        ("sha256,x1,y1,x2,y2,character,album,reason\na,1,1,9\n", 2),
    ],
)
def test_a_damaged_table_is_named_with_its_line(
    content: str, line: int, tmp_path: Path
) -> None:
    path = tmp_path / "unused.csv"
    path.write_text(content)
    with pytest.raises(BadInput, match=f"unused.csv: line {line}"):
        read_unused(path)
