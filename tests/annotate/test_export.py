from __future__ import annotations

import csv
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.annotate.export import MAX_SIDE, SUMS, Exported, ExportRequest, export
from icf.annotate.formats import label_studio
from icf.catalogue.schema import question
from icf.errors import BrokenMachine, WrongUse
from icf.images import decode
from icf.models.face_crops import read_boxes
from tests.annotate.place import Place, picture


def filled(place: Place, faces: int = 3) -> list[int]:
    ann = place.add_character("Ann", "Moon Cats")
    return [place.add_face(ann, 0.5 + n / 10) for n in range(faces)]


def request(
    place: Place, form: str = "csv", name: str = "a", limit: int = 100
) -> ExportRequest:
    return ExportRequest(form, place.workspace.root / "batches" / name, limit)


def run(place: Place, form: str = "csv", name: str = "a", limit: int = 100) -> Exported:
    return export(place.workspace, request(place, form, name, limit))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_csv_batch_comes_with_its_pictures(place: Place) -> None:
    faces = filled(place)
    exported = run(place)
    assert exported.batch is not None
    folder = request(place).folder
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["question"]) for row in rows] == place.question_ids()
    assert {row["batch_id"] for row in rows} == {exported.batch.id}
    for row, face in zip(rows, faces, strict=True):
        assert row["cand_url"] == f"pictures/face-{face}.jpg"
        assert (row["answer"], row["annotator"]) == ("", "")
        for column in ("ref_url", "cand_url"):
            assert decode((folder / row[column]).read_bytes()).format == "jpeg"
    names = {"questions.csv", "mturk.csv", "pictures", SUMS}
    assert {path.name for path in folder.iterdir()} == names
    assert len(list((folder / "pictures").iterdir())) == 4


def test_a_label_studio_batch_has_tasks_and_their_interface(place: Place) -> None:
    filled(place)
    run(place, "label-studio")
    folder = request(place).folder
    tasks = json.loads((folder / "tasks.json").read_bytes())
    assert len(tasks) == 3
    for each in tasks:
        assert list(each["data"]) == ["ref_url", "cand_url", "question_id", "batch_id"]
        prefix, _, path = each["data"]["cand_url"].partition("?d=a/")
        assert prefix == "/data/local-files/"
        assert (folder / path).is_file()
    assert (folder / "label-studio.xml").read_text() == label_studio.CONFIG


def test_a_prefix_for_the_pictures_can_be_given(plain: Place) -> None:
    filled(plain)
    folder = plain.workspace.root / "out"
    export(
        plain.workspace, ExportRequest("label-studio", folder, 9, "https://p.example/")
    )
    [first, *_] = json.loads((folder / "tasks.json").read_bytes())
    assert first["data"]["ref_url"].startswith("https://p.example/pictures/face-")


def test_the_same_command_again_asks_and_writes_nothing_new(place: Place) -> None:
    filled(place)
    first = run(place)
    before = files(request(place).folder)
    again = run(place)
    assert (again.batch, again.written) == (first.batch, False)
    assert files(request(place).folder) == before
    assert len(place.questions()) == 3


def test_another_folder_gets_the_next_questions(place: Place) -> None:
    filled(place)
    assert run(place, limit=2).written
    second = run(place, name="b", limit=2)
    assert second.batch is not None
    assert second.batch.questions == 1
    nothing = run(place, name="c")
    assert (nothing.batch, nothing.written) == (None, False)
    assert not request(place, name="c").folder.exists()


@pytest.mark.parametrize("form", ["csv", "label-studio"])
def test_killed_between_catalogue_and_folder_the_same_command_finishes(
    place: Place, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(place)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ExportRequest, "files", die)
        with pytest.raises(KeyboardInterrupt):
            run(place, form)
    folder = request(place).folder
    assert list(folder.parent.iterdir()) == []
    asked = place.questions()
    assert len(asked) == 3
    place.add_face(1, 0.5)
    finished = run(place, form)
    assert finished.written
    assert place.questions() == asked
    listed = files(folder)
    for name in ("questions.csv", "tasks.json"):
        if name in listed:
            assert listed[name].count(b"pictures/") == 6


def test_a_removed_folder_is_written_again_byte_for_byte(place: Place) -> None:
    filled(place)
    run(place)
    folder = request(place).folder
    before = files(folder)
    folder.rename(folder.parent / "moved away")
    assert run(place).written
    assert files(folder) == before


def test_leftovers_of_a_killed_program_are_removed(plain: Place) -> None:
    filled(plain)
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    stale = plain.workspace.root / "batches" / f".a.partial-{ended.pid}"
    (stale / "pictures").mkdir(parents=True)
    run(plain)
    assert not stale.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(place: Place) -> None:
    filled(place)
    folder = request(place).folder
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(WrongUse, match="is not empty"):
        run(place)
    assert place.questions() == []
    (folder / "letter.txt").unlink()
    assert run(place).written
    with pytest.raises(WrongUse, match="another folder for a batch in label-studio"):
        run(place, "label-studio")
    (folder.parent / "file").write_text("")
    asked = place.questions()
    for name in ("file", "file/batch"):
        with pytest.raises(WrongUse, match="file is a file"):
            run(place, name=name)
    assert place.questions() == asked


def test_a_question_without_a_picture_is_left_out_until_it_is_fixed(
    place: Place,
) -> None:
    _, second, _ = filled(place)
    blobs = place.workspace.blobs
    with place.workspace.catalogue.read() as connection:
        [lost] = read_boxes(connection, [second])
    data = blobs.get(lost.sha256)
    blobs.path(lost.sha256).unlink()
    exported = run(place)
    [(question, why)] = exported.left_out.items()
    assert question == place.question_ids()[1]
    assert lost.sha256 in why
    folder = request(place).folder
    assert (folder / "questions.csv").read_text().count("face-") == 4
    blobs.put(data)
    folder.rename(folder.parent / "old")
    assert run(place).left_out == {}
    assert (folder / "questions.csv").read_text().count("face-") == 6


def test_without_its_reference_no_question_is_shown(plain: Place) -> None:
    filled(plain)
    with plain.workspace.catalogue.read() as connection:
        [reference] = read_boxes(connection, [1])
    plain.workspace.blobs.path(reference.sha256).unlink()
    exported = run(plain)
    assert set(exported.left_out) == set(plain.question_ids())


def test_an_unwritable_folder_is_a_broken_machine(plain: Place) -> None:
    filled(plain)
    target = Path("/proc/nowhere/a")
    with pytest.raises(BrokenMachine, match="run the same command again"):
        export(plain.workspace, ExportRequest("csv", target, 9))


def test_a_moved_workspace_knows_its_batches(plain: Place, tmp_path: Path) -> None:
    filled(plain)
    first = run(plain)
    plain.workspace.catalogue.close()
    plain.workspace.root.rename(tmp_path / "elsewhere")
    moved = Place(tmp_path / "elsewhere")
    again = run(moved)
    moved.workspace.catalogue.close()
    assert (again.batch, again.written) == (first.batch, False)


def test_large_crops_are_reduced(plain: Place) -> None:
    columns = {"x1": 50.0, "y1": 50.0, "x2": 950.0, "y2": 950.0}
    plain.add_face(plain.add_character(), 0.5, picture(3, 1000), **columns)
    run(plain)
    pictures = (request(plain).folder / "pictures").iterdir()
    sides = {max(decode(each.read_bytes()).pixels.shape) for each in pictures}
    assert max(sides) == MAX_SIDE


def test_names_of_characters_do_not_run_in_a_spreadsheet(plain: Place) -> None:
    eve = plain.add_character('=HYPERLINK("x")', "+Album")
    plain.add_face(eve, 0.5)
    run(plain)
    text = (request(plain).folder / "questions.csv").read_text()
    assert """,'+Album,"'=HYPERLINK(""x"")",""" in text


def test_two_exports_to_one_folder_at_once_ask_one_batch(plain: Place) -> None:
    filled(plain, faces=12)
    with ThreadPoolExecutor() as threads:
        done = list(threads.map(lambda _: run(plain, limit=4), range(2)))
    assert sorted(each.written for each in done) == [False, True]
    batches = {each.batch.id for each in done if each.batch}
    assert len(batches) == 1
    with plain.workspace.catalogue.read() as connection:
        asked = connection.execute(sa.select(sa.func.count(question.c.id)))
        assert asked.scalar_one() == 4
