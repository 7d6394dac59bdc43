"""Pictures that go out to another program, and boxes that come back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from icf.annotate.boxes.exchange.export_boxes import (
    BoxExport,
    ExportedBoxes,
    Which,
    export_boxes,
)
from icf.annotate.boxes.exchange.import_boxes import BoxImporter, ImportedBoxes
from icf.annotate.boxes.exchange.read import read_boxes_file
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.formats.values import NOT_CREDIBLE
from icf.catalogue.annotation.schema import box_answer
from icf.catalogue.schema import image
from icf.errors import WrongUse
from tests.annotate.boxes.pictures import RULE, SIDE, A, B, Pictures, boxed
from tests.annotate.place import pixels

NOBODY = AnnotatorNames({})


def export(
    pictures: Pictures, folder: Path, which: Which, form: str, limit: int = 100
) -> ExportedBoxes:
    request = BoxExport(which, form, folder, limit)
    return export_boxes(pictures.place.workspace, request)


def take(
    pictures: Pictures, path: Path, names: AnnotatorNames = NOBODY
) -> ImportedBoxes:
    file = read_boxes_file(path)
    assert file is not None
    return BoxImporter(pictures.place.workspace, RULE, names).store(file)


def counts(found: ImportedBoxes) -> tuple[int, int, int, int, int]:
    refused = sum(found.refused.values())
    return found.taken, found.revised, found.known, found.unanswered, refused


def submit(path: Path, *users: int, at: str = "2021-01-01T00:00:00Z") -> None:
    """Let users of Label Studio submit what is proposed."""
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks, 1):
        (found,) = task.pop("predictions", [{"result": []}])
        task["id"] = number
        task["annotations"] = [
            {
                "id": 10 * number + user,
                "completed_by": user,
                "result": found["result"],
                "updated_at": at,
            }
            for user in users
        ]
    path.write_text(json.dumps(tasks))


def test_label_studio_verifies_pictures(pictures: Pictures, tmp_path: Path) -> None:
    one, other = pictures.add(A, B), pictures.add()
    made = export(pictures, tmp_path / "out", Which.ASKED, "label-studio")
    assert made == ExportedBoxes(2, {})
    tasks = tmp_path / "out" / "tasks.json"
    assert (tmp_path / "out" / "label-studio.xml").is_file()
    hidden = {key: each[1] for key, each in pictures.tasks().items()}
    submit(tasks, 1, 2)
    assert counts(take(pictures, tasks)) == (4, 0, 0, 0, 0)
    assert pictures.status(one) == pictures.status(other) == "verified"
    # What was proposed was submitted, and nothing where it was hidden.
    boxes = [box for box, _ in pictures.verified(one)]
    assert boxes == ([] if hidden[one] else [A, B])
    # The same file again adds nothing.
    assert counts(take(pictures, tasks)) == (0, 0, 4, 0, 0)


def test_a_changed_answer_is_a_revision_in_whatever_order_files_come(
    pictures: Pictures, tmp_path: Path
) -> None:
    pictures.add(A)
    export(pictures, tmp_path / "out", Which.ASKED, "label-studio")
    old, new = tmp_path / "out" / "tasks.json", tmp_path / "new.json"
    new.write_text(old.read_text())
    submit(old, 1)
    submit(new, 1, at="2022-01-01T00:00:00Z")
    changed = json.loads(new.read_text())
    choice = {"type": "choices", "from_name": "verdict"}
    changed[0]["annotations"][0]["result"] = [choice]
    new.write_text(json.dumps(changed))
    assert counts(take(pictures, old)) == (1, 0, 0, 0, 0)
    assert counts(take(pictures, new)) == (0, 1, 0, 0, 0)
    assert counts(take(pictures, old)) == (0, 0, 1, 0, 0)
    query = sa.select(box_answer.c.verdict).where(box_answer.c.replaced_at.is_(None))
    with pictures.catalogue.read() as connection:
        assert connection.execute(query).scalars().all() == ["cannot_tell"]


def draw(path: Path, key: int, box: tuple[float, ...], made: str = "") -> None:
    """Write what one draws with CVAT, which calls every file alike."""
    x1, y1, x2, y2 = box
    annotation = {"image_id": key, "bbox": [x1, y1, x2 - x1, y2 - y1]}
    drawn = json.loads(path.read_text())
    drawn["annotations"] = [{**annotation, "id": 1, "category_id": 1}]
    path.write_text(json.dumps({**drawn, "info": made}))


def counting(pictures: Pictures) -> str:
    query = sa.select(box_answer.c.boxes).where(box_answer.c.replaced_at.is_(None))
    with pictures.catalogue.read() as connection:
        return str(connection.execute(query).scalar_one())


def test_files_are_told_by_their_bytes_and_not_by_their_name(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    key = plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "coco")
    path, ann = tmp_path / "out" / "boxes.json", AnnotatorNames({}, "ann")
    draw(path, key, A)
    first = path.read_text()
    assert counts(take(plain_pictures, path, ann)) == (1, 0, 0, 0, 0)
    draw(path, key, B)
    assert counts(take(plain_pictures, path, ann)) == (0, 1, 0, 0, 0)
    # The first file again, under another name, takes nothing back.
    (tmp_path / "copy.json").write_text(first)
    assert counts(take(plain_pictures, tmp_path / "copy.json", ann)) == (0, 0, 1, 0, 0)
    assert counting(plain_pictures) == "[[80.0,20.0,130.0,90.0]]"
    # Another file of the same name, in which the first box was drawn again.
    draw(path, key, A, made="later")
    assert counts(take(plain_pictures, path, ann)) == (0, 1, 0, 0, 0)
    assert counting(plain_pictures) == "[[10.0,10.0,60.0,60.0]]"


def test_a_file_that_an_earlier_version_noted_is_known_by_its_name(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    key = plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "coco")
    path, ann = tmp_path / "out" / "boxes.json", AnnotatorNames({}, "ann")
    draw(path, key, A)
    take(plain_pictures, path, ann)
    with plain_pictures.catalogue.write() as connection:
        connection.execute(sa.update(box_answer).values(file="boxes.json"))
    draw(tmp_path / "out" / "boxes.json", key, B)
    path.rename(tmp_path / "later.json")
    assert take(plain_pictures, tmp_path / "later.json", ann).revised == 1
    (tmp_path / "later.json").rename(path)
    draw(path, key, A)
    assert counts(take(plain_pictures, path, ann)) == (0, 0, 1, 0, 0)


def test_a_time_that_no_answer_can_have_is_refused(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "label-studio")
    tasks = tmp_path / "out" / "tasks.json"
    submit(tasks, 1, at="9999-12-31T23:59:59Z")
    (fault,) = take(plain_pictures, tasks).faults.kept()
    assert (fault.reason.value, fault.message) == ("bad_row", NOT_CREDIBLE)


def test_an_answer_of_a_time_that_none_can_be_is_outdone(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "label-studio")
    tasks = tmp_path / "out" / "tasks.json"
    submit(tasks, 1)
    take(plain_pictures, tasks)
    with plain_pictures.catalogue.write() as connection:
        connection.execute(sa.update(box_answer).values(answered_at=1767323045000.0))
    choice = {"type": "choices", "from_name": "verdict"}
    changed = json.loads(tasks.read_text())
    changed[0]["annotations"][0]["result"] = [choice]
    tasks.write_text(json.dumps(changed))
    assert counts(take(plain_pictures, tasks)) == (0, 1, 0, 0, 0)


def test_people_and_servers_get_the_names_that_are_asked_for(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "label-studio")
    tasks = tmp_path / "out" / "tasks.json"
    submit(tasks, 1, 2)
    names = AnnotatorNames({"label-studio:2": "bob"}, server="north")
    take(plain_pictures, tasks, names)
    query = sa.select(box_answer.c.annotator).order_by(box_answer.c.annotator)
    with plain_pictures.catalogue.read() as connection:
        found = list(connection.execute(query).scalars())
    assert found == ["bob", "label-studio:north:1"]


def test_coco_goes_out_without_boxes_and_comes_back_with_people_s(
    pictures: Pictures, tmp_path: Path
) -> None:
    key = pictures.add(A)
    export(pictures, tmp_path / "out", Which.ASKED, "coco")
    path = tmp_path / "out" / "boxes.json"
    # Nobody looked at it yet.
    assert counts(take(pictures, path, AnnotatorNames({}, "ann"))) == (0, 0, 0, 1, 0)
    drawn = json.loads(path.read_text())
    drawn["annotations"] = [
        {"id": 1, "image_id": key, "category_id": 1, "bbox": [80, 20, 50, 70]}
    ]
    path.write_text(json.dumps(drawn))
    # A COCO file does not say who drew its boxes.
    refused = take(pictures, path)
    (fault,) = refused.faults.kept()
    assert "use --annotator" in fault.message
    for name in ("ann", "bob"):
        found = take(pictures, path, AnnotatorNames({}, name))
        assert counts(found) == (1, 0, 0, 0, 0)
    assert [box for box, _ in pictures.verified(key)] == [B]
    with pictures.catalogue.read() as connection:
        assert not any(connection.execute(sa.select(box_answer.c.shown)).scalars())


def test_verified_boxes_are_written_with_what_people_think_of_them(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    key = plain_pictures.add(A)
    plain_pictures.add(B)
    for name in ("ann", "bob"):
        someone = plain_pictures.person(name)
        (task, _) = plain_pictures.task().take(someone, 2)
        plain_pictures.answer(someone, task, boxed(A, B))
    made = export(plain_pictures, tmp_path / "out", Which.VERIFIED, "coco")
    assert made.pictures == 1
    found = json.loads((tmp_path / "out" / "boxes.json").read_text())
    (picture,) = found["images"]
    assert (picture["id"], picture["people"], picture["disagreement"]) == (key, 2, 0)
    boxes = [each["bbox"] for each in found["annotations"]]
    assert boxes == [[10, 10, 50, 50], [80, 20, 50, 70]]
    with Image.open(tmp_path / "out" / picture["file_name"]) as jpeg:
        assert jpeg.size == (SIDE, SIDE)


def test_verified_boxes_are_written_for_yolo_beside_their_pictures(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    keys = [plain_pictures.add(A), plain_pictures.add(B)]
    for name in ("ann", "bob"):
        someone = plain_pictures.person(name)
        for task in plain_pictures.task().take(someone, 2):
            faces = boxed(A, B) if task.payload["proposals"] == [list(A)] else boxed()
            plain_pictures.answer(someone, task, faces)
    made = export(plain_pictures, tmp_path / "out", Which.VERIFIED, "yolo")
    assert made.pictures == 2
    config = (tmp_path / "out" / "data.yaml").read_text()
    assert "train: pictures\nval: pictures\nnc: 1\n" in config
    found = {}
    for jpeg in (tmp_path / "out" / "pictures").glob("*.jpg"):
        with Image.open(jpeg) as opened:
            assert opened.size == (SIDE, SIDE)
        found[int(jpeg.name[1:7])] = jpeg.with_suffix(".txt").read_text()
    rows = [
        f"0 {(x1 + x2) / 2 / SIDE:.10g} {(y1 + y2) / 2 / SIDE:.10g} "
        f"{(x2 - x1) / SIDE:.10g} {(y2 - y1) / SIDE:.10g}\n"
        for x1, y1, x2, y2 in (A, B)
    ]
    # A picture without a face is known to have none.
    assert found == {keys[0]: "".join(rows), keys[1]: ""}
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 4


@pytest.mark.parametrize(
    ("change", "reason", "why"),
    [
        ({"picture": "holiday"}, "unknown_picture", "nobody is asked about"),
        ({"picture": "i000999-00000000"}, "unknown_picture", "nobody is asked about"),
        ({"picture": "ID-00000000"}, "unknown_picture", "of another workspace"),
        ({"width": 80}, "bad_boxes", "of 80 x 160 pixels, and it has 160 x 160"),
    ],
)
def test_a_picture_that_is_not_meant_is_refused(
    plain_pictures: Pictures,
    tmp_path: Path,
    change: dict[str, Any],
    reason: str,
    why: str,
) -> None:
    key = plain_pictures.add(A)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "label-studio")
    path = tmp_path / "out" / "tasks.json"
    submit(path, 1)
    (task,) = json.loads(path.read_text())
    task["data"] |= change
    task["data"]["picture"] = task["data"]["picture"].replace("ID", f"i{key:06d}")
    path.write_text(json.dumps([task]))
    (fault,) = take(plain_pictures, path).faults.kept()
    assert (fault.line, fault.reason.value, fault.item) == (1, reason, "1")
    assert why in fault.message


def test_pictures_are_asked_about_until_the_limit_and_not_twice(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    made = [plain_pictures.add(A) for _ in range(5)]
    export(plain_pictures, tmp_path / "first", Which.ASKED, "coco", limit=3)
    found = json.loads((tmp_path / "first" / "boxes.json").read_text())
    assert len(found["images"]) == 3
    export(plain_pictures, tmp_path / "second", Which.ASKED, "coco", limit=99)
    found = json.loads((tmp_path / "second" / "boxes.json").read_text())
    assert [each["id"] for each in found["images"]] == made


def test_a_lost_picture_is_left_out_and_said(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    lost, kept = plain_pictures.add(A), plain_pictures.add(B)
    query = sa.select(image.c.sha256).where(image.c.id == lost)
    with plain_pictures.catalogue.read() as connection:
        sha256 = connection.execute(query).scalar_one()
    plain_pictures.place.workspace.blobs.path(sha256).unlink()
    made = export(plain_pictures, tmp_path / "out", Which.ASKED, "coco")
    assert (made.pictures, list(made.left_out)) == (1, [lost])
    found = json.loads((tmp_path / "out" / "boxes.json").read_text())
    assert [each["id"] for each in found["images"]] == [kept]


def test_nothing_is_written_over_and_nothing_where_there_is_nothing(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    made = export(plain_pictures, tmp_path / "out", Which.VERIFIED, "coco")
    assert made.pictures == 0
    assert not (tmp_path / "out").exists()
    with pytest.raises(WrongUse, match="exists"):
        export(plain_pictures, tmp_path, Which.ASKED, "coco")


def test_a_written_picture_has_nothing_but_its_pixels(
    plain_pictures: Pictures, tmp_path: Path
) -> None:
    drawn = Image.fromarray(pixels(1, SIDE))
    exif = drawn.getexif()
    exif[0x010E] = "a secret"
    out = io.BytesIO()
    drawn.save(out, "JPEG", exif=exif)
    sha256 = plain_pictures.place.workspace.blobs.put(out.getvalue())
    plain_pictures.add(A, sha256=sha256)
    export(plain_pictures, tmp_path / "out", Which.ASKED, "coco")
    (written,) = (tmp_path / "out" / "pictures").iterdir()
    assert b"a secret" in out.getvalue()
    assert b"a secret" not in written.read_bytes()
