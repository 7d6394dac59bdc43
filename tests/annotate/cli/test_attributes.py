"""What people said of faces is counted, and written as a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.schema import character
from icf.codes import Choice
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.review.expert import outlier, suspect, vote
from tests.annotate.test_cli import call, run


@pytest.fixture
def described(plain: Place, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Two faces: one described by two people, one that a person cannot tell of."""
    monkeypatch.chdir(plain.workspace.root)
    ann = plain.add_character("=Ann", "The album")
    first, second = plain.add_face(ann, 0.5), plain.add_face(ann, 0.5)
    common = {"answered_at": 1.0, "pitch": 0.0, "roll": 179.0, "occlusion": "none"}
    said = [
        {"face_id": first, "annotator": "ann", "yaw": 20.0, "gender": "male", **common},
        {"face_id": first, "annotator": "bob", "yaw": 30.0, "gender": "female"}
        | {**common, "roll": -179.0},
    ]
    nothing = {"face_id": second, "annotator": "ann", "answered_at": 1.0}
    with plain.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(attribute_answer), said)
        connection.execute(sa.insert(attribute_answer).values(nothing))
    return first, second


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_faces_that_two_people_described_are_written(
    plain: Place, described: tuple[int, int]
) -> None:
    found, _ = run("attributes", "out.csv")
    assert found == {
        "faces": 1,
        "disagreement": {
            "gender": 0.5,
            "yaw": 5.0,
            "pitch": 0.0,
            "roll": 1.0,
            "occlusion": 0.0,
        },
        "written": "out.csv",
    }
    assert rows_of(Path("out.csv")) == [
        {
            "face": str(described[0]),
            # A spreadsheet would run it as a formula.
            "character": "'=Ann",
            "album": "The album",
            "people": "2",
            "cannot_tell": "0",
            "gender": "",
            "gender_disagreement": "0.5",
            "yaw": "25",
            "yaw_disagreement": "5",
            "pitch": "0",
            "pitch_disagreement": "0",
            "roll": "180",
            "roll_disagreement": "1",
            "occlusion": "none",
            "occlusion_disagreement": "0",
        }
    ]
    _, why = call("attributes", "out.csv", code=2)
    assert "exists already" in why


def test_other_faces_are_written_where_it_is_asked_for(
    plain: Place, described: tuple[int, int]
) -> None:
    found, _ = run("attributes", "out.csv", "--people", "1")
    assert found["faces"] == 2
    _, second = rows_of(Path("out.csv"))
    assert (second["face"], second["cannot_tell"]) == (str(described[1]), "1")
    assert second["yaw"] == ""


def test_without_a_file_it_says_how_far_people_agree(
    plain: Place, described: tuple[int, int]
) -> None:
    out, _ = call("attributes")
    assert "mean degrees" in out
    found, _ = run("attributes")
    assert found["written"] is None
    nobody, why = call("attributes", "--people", "3")
    assert "no face was described by 3 people" in why
    assert nobody.splitlines()[1].split()[0] == "gender"


def test_status_counts_descriptions_and_what_waits_for_an_expert(
    plain: Place, described: tuple[int, int]
) -> None:
    [one, *_] = ask_about(plain, 1)
    vote(plain, one, Choice.TRUE, Choice.FALSE)
    with plain.workspace.catalogue.read() as connection:
        [first, *_] = connection.execute(sa.select(character.c.id)).scalars()
    suspect(plain, outlier(plain, first))
    found, _ = run("status")
    assert found["attributes"] == {"answers": 3, "faces": 2, "by_two": 1}
    assert found["experts"] == {
        "conflict": 1,
        "audit": 0,
        "merge": 0,
        "twin": 0,
        "split": 0,
        "outlier": 1,
        "boxes": 0,
    }
    out, _ = call("status")
    assert "people contradict each other" in out
    assert "1 of them by two people or more" in out
