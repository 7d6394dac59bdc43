from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.export import ExportRequest, export
from icf.annotate.formats import mturk
from icf.annotate.import_answers import Imported, import_answers, preview_import
from icf.errors import WrongUse
from tests.annotate.formats.test_label_studio_answers import annotation
from tests.annotate.formats.test_mturk import assignment, results
from tests.annotate.place import Place

NOBODY = AnnotatorNames({})


def asked(place: Place, form: str = "csv", faces: int = 4) -> Path:
    """Export a batch; return its folder."""
    ann = place.add_character()
    for _ in range(faces):
        place.add_face(ann, 0.5)
    folder = place.workspace.root / "batches" / "a"
    export(place.workspace, ExportRequest(form, folder, faces))
    return folder


def fill_in(folder: Path, *choices: str, annotator: str = "ann") -> Path:
    """Fill in `questions.csv` as a person would; return the new file."""
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, choice in zip(rows, choices, strict=True):
        row["answer"] = choice
        row["annotator"] = annotator if choice else ""
    path = folder.parent / f"{annotator}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def take(place: Place, path: Path, names: AnnotatorNames = NOBODY) -> Imported:
    imported = import_answers(place.workspace, path, names)
    counted = imported.taken + imported.revised + imported.known
    counted += imported.unanswered + imported.superseded
    assert counted + len(imported.faults) == imported.rows
    return imported


def test_a_filled_in_batch_is_taken_once(place: Place) -> None:
    path = fill_in(asked(place), "true", "FALSE", "", "unsure")
    first = take(place, path)
    assert (first.taken, first.unanswered, first.faults) == (3, 1, ())
    assert list(place.labels().values()) == ["same", "different", "open", "unsure"]
    again = take(place, path)
    assert (again.taken, again.known, again.faults) == (0, 3, ())
    assert (again.labels, len(place.answers())) == ({}, 3)


def test_one_person_is_one_however_the_name_is_written(place: Place) -> None:
    folder = asked(place)
    names = AnnotatorNames({"Z.": "Zoe\u0301"}, "Zoé")
    for annotator in ("Zoé", "Zoe\u0301", "\u00a0Zoé", "Z.", ""):
        path = fill_in(folder, "WAHR", "nein", "", "Unsure", annotator=annotator)
        take(place, path, names)
    assert {person for _, person, _ in place.answers()} == {"Zoé"}
    assert list(place.labels().values()) == ["same", "different", "open", "unsure"]


def test_label_studio_answers_are_taken(place: Place) -> None:
    folder = asked(place, "label-studio")
    tasks = json.loads((folder / "tasks.json").read_bytes())
    tasks[0]["annotations"] = [annotation("same", 1), annotation("different", 2)]
    tasks[1]["annotations"] = [annotation("different", 1), annotation("different", 1)]
    tasks[2]["annotations"] = [annotation("same", 1, was_cancelled=True)]
    tasks[3]["annotations"] = [annotation("sane", 1)]
    path = folder.parent / "export.json"
    path.write_text(json.dumps(tasks))
    imported = take(place, path, AnnotatorNames({"label-studio:1": "ann"}))
    assert (imported.taken, imported.unanswered) == (3, 1)
    assert [(fault.line, fault.reason.value) for fault in imported.faults] == [
        (2, "duplicate_row"),
        (4, "unknown_choice"),
    ]
    assert list(place.labels().values()) == ["open", "different", "open", "open"]
    assert {person for _, person, _ in place.answers()} == {"ann", "label-studio:2"}


def label_studio_export(place: Place, *annotations: Any) -> Path:
    """An export of a batch of one question with these annotations."""
    folder = asked(place, "label-studio", 1)
    tasks = json.loads((folder / "tasks.json").read_bytes())
    tasks[0] |= {"id": 17, "annotations": list(annotations)}
    path = folder.parent / "export.json"
    path.write_text(json.dumps(tasks))
    return path


def test_a_name_given_once_holds_for_later_imports_of_label_studio(
    place: Place,
) -> None:
    made = {"created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z"}
    path = label_studio_export(place, annotation("same", 1, **made))
    assert take(place, path).taken == 1
    named = take(place, path, AnnotatorNames({"label-studio:1": "ann"}))
    assert (named.known, named.renamed) == (1, 1)
    # Changed since, imported without the name.
    text = path.read_text().replace('"same"]', '"different"]')
    path.write_text(text.replace('updated_at": "2026-01', 'updated_at": "2026-02'))
    changed = take(place, path)
    assert (changed.revised, changed.renamed) == (1, 0)
    assert {(who, what) for _, who, what in place.answers()} == {
        ("ann", "true"),
        ("ann", "false"),
    }
    assert list(place.labels().values()) == ["different"]


def test_a_server_that_is_named_later_makes_no_second_vote(plain: Place) -> None:
    made = {"created_at": "2026-01-02T03:04:05Z"}
    path = label_studio_export(plain, annotation("same", 1, **made))
    take(plain, path)
    named = take(plain, path, AnnotatorNames({}, server="lab"))
    assert (named.taken, named.known, named.renamed) == (0, 1, 1)
    assert {who for _, who, _ in plain.answers()} == {"label-studio:lab:1"}


def test_a_file_that_is_from_no_server_has_no_name_of_one(plain: Place) -> None:
    path = fill_in(asked(plain, faces=1), "true")
    with pytest.raises(WrongUse, match="from no server"):
        import_answers(plain.workspace, path, AnnotatorNames({}, server="lab"))


def test_faults_and_notes_name_the_question_and_label_studios_task(
    plain: Place,
) -> None:
    edited = annotation("same", 1, updated_by=2)
    path = label_studio_export(plain, edited, annotation("sane", 3))
    imported = take(plain, path)
    [fault], [note] = imported.faults, imported.notes
    assert (fault.question, fault.item) == ("q000001", "17")
    assert (note.reason.value, note.question, note.item) == ("edited", "q000001", "17")
    assert imported.noted == {"edited": 1}


def test_mturk_results_are_taken(place: Place) -> None:
    folder = asked(place)
    with (folder / "mturk.csv").open(encoding="utf-8", newline="") as file:
        shown = [
            {f"Input.{name}": row[name] for name in mturk.COLUMNS}
            for row in csv.DictReader(file)
        ]
    path = folder.parent / "results.csv"
    rows = [{**assignment("", "W1", "different"), **each} for each in shown]
    path.write_bytes(results(*rows, assignment("q999999", "W1", "same")))
    imported = take(place, path)
    assert (imported.taken, imported.refused) == (4, {"unknown_question": 1})
    assert set(place.labels().values()) == {"different"}


def test_every_bad_row_is_reported_and_every_good_one_taken(place: Place) -> None:
    folder = asked(place)
    one, two, three, four = place.question_ids()
    lines = [
        "question,batch_id,answer,annotator",
        f"{one},,true,ann",
        f"{one},,true,ann",
        f"{two},,true,ann",
        f"{two},,false,ann",
        "9999,,true,ann",
        f"{three},,maybe,ann",
        f"{three},b9-ffffff,true,ann",
        f"{three},,true",  # a spreadsheet leaves out the empty annotator
        f"{three},,true,M\udcfcller",
        f"{three},,true,",
        f"{four},,false,bób",
    ]
    path = folder.parent / "bad.csv"
    path.write_bytes("\r\n".join(lines).encode(errors="surrogateescape"))
    imported = take(place, path)
    assert imported.taken == 2
    assert [(fault.line, fault.reason.value) for fault in imported.faults] == [
        (3, "duplicate_row"),
        (4, "conflict"),
        (5, "conflict"),
        (6, "unknown_question"),
        (7, "unknown_choice"),
        (8, "foreign_batch"),
        (9, "bad_row"),
        (10, "bad_encoding"),
        (11, "bad_row"),
    ]
    assert list(place.labels().values()) == ["same", "open", "open", "different"]


def test_rows_without_an_annotator_can_be_given_one(plain: Place) -> None:
    folder = asked(plain)
    path = fill_in(folder, "true", "true", "true", "true", annotator="")
    assert take(plain, path).refused == {"bad_row": 4}
    assert take(plain, path, AnnotatorNames({}, "ann")).taken == 4
    assert {person for _, person, _ in plain.answers()} == {"ann"}


def test_a_preview_counts_as_the_import_does_and_writes_nothing(place: Place) -> None:
    path = fill_in(asked(place), "true", "maybe", "", "unsure")
    found = preview_import(place.workspace, path, NOBODY)
    assert place.answers() == set()
    done = take(place, path)
    assert (found.taken, found.unanswered) == (done.taken, done.unanswered)
    assert found.faults == done.faults


def test_a_batch_of_another_workspace_is_foreign(plain: Place, tmp_path: Path) -> None:
    asked(plain)
    other = Place(tmp_path / "other")
    path = fill_in(asked(other), "true", "true", "true", "true")
    other.workspace.catalogue.close()
    assert take(plain, path).refused == {"foreign_batch": 4}


def test_questions_that_show_something_else_are_foreign_without_a_batch(
    plain: Place, tmp_path: Path
) -> None:
    """Results of MTurk name none, and spreadsheets lose columns."""
    path = fill_in(asked(plain), "true", "true", "true", "true")
    other = Place(tmp_path / "other")
    other.add_character("Ned")
    asked(other)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{**row, "batch_id": ""} for row in csv.DictReader(file)]
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    path.write_text("".join(",".join(each) + "\n" for each in lines))
    found = take(other, path)
    other.workspace.catalogue.close()
    assert found.refused == {"foreign_pictures": 4}
    assert take(plain, path).taken == 4


ROWS = st.tuples(
    st.integers(0, 4), st.sampled_from("abc"), st.sampled_from(["true", "false", "?"])
)


@pytest.fixture(scope="module")
def asked_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four questions; only to copy."""
    place = Place(tmp_path_factory.mktemp("asked") / "space")
    asked(place, faces=4)
    place.workspace.catalogue.close()
    return place.workspace.root


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_order_and_repetition_change_nothing_in_the_catalogue(
    asked_space: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(ROWS, min_size=1, max_size=8))
    repeated = [*rows, *data.draw(st.lists(st.sampled_from(rows), max_size=4))]
    states = []
    for some in (rows, data.draw(st.permutations(repeated))):
        root = tmp_path_factory.mktemp("imports")
        shutil.copytree(asked_space, root / "space")
        place = Place(root / "space")
        lines = [f"{question},{choice},{who}" for question, who, choice in some]
        path = root / "a.csv"
        path.write_text("\n".join(["question,answer,annotator", *lines]))
        take(place, path)
        states.append((place.answers(), place.labels()))
        take(place, path)
        assert states[-1] == (place.answers(), place.labels())
        place.workspace.catalogue.close()
    assert states[0] == states[1]
