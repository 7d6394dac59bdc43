from __future__ import annotations

from pathlib import Path

import pytest

from icf.codes import Choice
from tests.annotate.gold.place import add_gold, answer_gold
from tests.annotate.gold.test_make import confirm
from tests.annotate.place import Place
from tests.annotate.test_cli import call, run

T, F = Choice.TRUE, Choice.FALSE


@pytest.fixture
def here(plain: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(plain.workspace.root)
    return plain


def test_known_pairs_of_a_spreadsheet_are_added_listed_and_retired(
    here: Place,
) -> None:
    ann = here.add_character("Ann", "Tales")
    faces = [here.add_face(ann, 0.5) for _ in range(2)]
    lines = [f"{faces[0]};Tales/Ann;WAHR", f"face:{faces[1]};character:{ann};no"]
    Path("gold.csv").write_text("\n".join(["Face;Character;Answer", *lines]))
    assert run("gold", "add", "gold.csv")[0] == {"added": 2, "known": 0}
    assert run("gold", "add", "gold.csv")[0] == {"added": 0, "known": 2}
    answer_gold(here, "ann", [(1, T), (2, T)])
    [first, second], _ = run("gold", "list")
    assert first == {
        "id": 1,
        "face_id": faces[0],
        "character": "Tales/Ann",
        "same": True,
        "made_by": "hand",
        "state": "in use",
        "answered": 1,
        "right": 1,
    }
    assert (second["same"], second["answered"], second["right"]) == (False, 1, 0)
    assert run("gold", "retire", "2", "7")[0] == {"retired": 1}
    assert [each["state"] for each in run("gold", "list")[0]] == ["in use", "retired"]
    here.set_reference(ann, faces[1])
    states = [each["state"] for each in run("gold", "list")[0]]
    assert states == ["set aside", "retired"]


def test_a_line_that_contradicts_another_or_a_known_pair_is_named(here: Place) -> None:
    ann = here.add_character("Ann", "Tales")
    face, other = here.add_face(ann, 0.5), here.add_face(ann, 0.5)
    file = Path("gold.csv")
    yes, no = f"{face},Tales/Ann,true", f"{face},Tales/Ann,false"
    file.write_text("\n".join(["face,character,answer", yes, no]))
    assert "line 3: an earlier line, or" in call("gold", "add", "gold.csv", code=1)[1]
    file.write_text("\n".join(["face,character,answer", yes, yes]))
    assert run("gold", "add", "gold.csv")[0]["added"] == 1
    file.write_text("\n".join(["face,character,answer", f"{other},Tales/Ann,true", no]))
    assert "line 3: an earlier line, or" in call("gold", "add", "gold.csv", code=1)[1]
    assert len(run("gold", "list")[0]) == 1


def test_a_wrong_line_is_named_and_nothing_is_added(here: Place) -> None:
    ann = here.add_character("Ann", "Tales")
    face = here.add_face(ann, 0.5)
    rows = [
        f"{face},Tales/Ann,true",
        "999,Tales/Ann,true",
        f"{face},Tales/Bob,true",
        f"{face},Tales/Ann,unsure",
        f"{here.reference(ann)},Tales/Ann,true",
    ]
    Path("gold.csv").write_text("\n".join(["face,character,answer", *rows]))
    _, said = call("gold", "add", "gold.csv", code=1)
    for each in (
        "line 3: there is no face '999'",
        "line 4: the catalogue has no character",
        "line 5: 'unsure' is neither true nor false",
        "line 6: the face is the reference itself",
    ):
        assert each in said
    assert run("gold", "list")[0] == []


def test_a_file_without_the_columns_is_refused(here: Place) -> None:
    Path("gold.csv").write_text("face,answer\n1,true\n")
    _, said = call("gold", "add", "gold.csv", code=1)
    assert "needs the columns face, character, answer" in said


def test_known_pairs_are_made_of_labels_and_too_few_are_said(here: Place) -> None:
    ann = here.add_character()
    confirm(here, {here.add_face(ann, 0.5): (T, T), here.add_face(ann, 0.5): (T,)})
    found, said = run("gold", "add", "--from-labels", "5")
    assert found == {"added": 1, "known": 0}
    assert "only 1 of 5 could be made" in said


def test_either_a_file_or_labels(here: Place) -> None:
    add_gold(here, [T], here.add_character())
    _, said = call("gold", "add", code=2)
    assert "needs either FILE or --from-labels N" in said
