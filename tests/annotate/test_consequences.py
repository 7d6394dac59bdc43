"""What follows from answers about references, and from "this is no face"."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.annotate import record
from icf.annotate.answers import Vote
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.export import ExportRequest, export
from icf.annotate.formats.label_studio import REFERENCES_CONFIG_FILE, REFERENCES_FILE
from icf.annotate.formats.mturk import REFERENCES_FILE as MTURK_REFERENCES
from icf.annotate.import_answers import Imported, import_answers
from icf.catalogue import references, reviews
from icf.catalogue.merges import survivor_of
from icf.catalogue.reviews import Found
from icf.catalogue.schema import character, face
from icf.codes import Choice, Label, Suspicion
from icf.filter.review import merges as review_merges
from tests.annotate.place import Place
from tests.annotate.test_ask import ask_in, unasked
from tests.annotate.test_record import take

T, F = Choice.TRUE, Choice.FALSE
WRONG, NO_FACE = Choice.WRONG_REFERENCE, Choice.NOT_A_FACE


def cast(place: Place, faces: int = 3) -> tuple[int, int, list[int]]:
    """A character with a reference that the filter chose, and some faces."""
    ann = place.add_character()
    reference = place.reference(ann)
    place.set_reference(ann, reference, "medoid")
    return ann, reference, [place.add_face(ann, 0.5 + n / 50) for n in range(faces)]


def vote(place: Place, answers: Mapping[int, Choice], file: str = "a.csv") -> None:
    """Answer the newest question about each of some faces."""
    asked = {face_id: key for key, face_id in enumerate(faces_asked(place), 1)}
    take(
        place,
        *(Vote(2, asked[one], "ann", said) for one, said in answers.items()),
        file=file,
    )


def faces_asked(place: Place) -> list[int]:
    return [face_id for face_id, _, _ in place.questions()]


def labels(place: Place) -> list[str]:
    return [label for _, _, label in place.questions()]


def reference(place: Place, who: int) -> tuple[int | None, str | None]:
    query = sa.select(character.c.reference_face_id, character.c.reference_by)
    with place.workspace.catalogue.read() as connection:
        row = connection.execute(query.where(character.c.id == who)).one()
    return row.reference_face_id, row.reference_by


def state(place: Place, face_id: int) -> tuple[str, str, str | None]:
    query = sa.select(face.c.verdict, face.c.reason, face.c.awaits)
    with place.workspace.catalogue.read() as connection:
        row = connection.execute(query.where(face.c.id == face_id)).one()
    return row.verdict, row.reason, row.awaits


def confirmed(place: Place) -> tuple[int, int, list[int]]:
    """The same after the reference was confirmed and the faces were asked about."""
    made = cast(place)
    ask_in(place)
    vote(place, {made[1]: T})
    ask_in(place, path="batches/b")
    return made


def test_a_reference_is_asked_about_before_anything_is_asked_against_it(
    place: Place,
) -> None:
    _, shown, faces = cast(place)
    assert unasked(place) == 4
    ask_in(place)
    assert faces_asked(place) == [shown]
    assert ask_in(place, path="batches/b") is None
    vote(place, {shown: T})
    ask_in(place, path="batches/b")
    assert set(faces_asked(place)) == {shown, *faces}


def test_a_choice_by_hand_needs_no_question(place: Place) -> None:
    ann, shown, faces = cast(place)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        references.choose_face(connection, run_id, ann, shown)
    ask_in(place)
    assert set(faces_asked(place)) == set(faces)


@pytest.mark.parametrize("said", [F, WRONG])
def test_a_refused_reference_is_chosen_again(place: Place, said: Choice) -> None:
    ann, shown, _ = cast(place)
    ask_in(place)
    vote(place, {shown: said})
    assert labels(place) == ["different"]
    assert reference(place, ann) == (None, None)
    assert state(place, shown)[2] == "reference"


def test_what_was_asked_against_a_wrong_reference_is_withdrawn_and_asked_again(
    place: Place,
) -> None:
    ann, shown, faces = confirmed(place)
    vote(place, {faces[0]: T, faces[1]: F, faces[2]: WRONG})
    asked = dict(zip(faces_asked(place), labels(place), strict=True))
    assert asked == {
        shown: "withdrawn",
        faces[0]: "withdrawn",
        faces[1]: "withdrawn",
        faces[2]: "wrong_reference",
    }
    assert reference(place, ann) == (None, None)
    # Another reference, confirmed by hand: all are asked about once more.
    better = place.add_face(ann, 0.9)
    place.set_reference(ann, better)
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(face).values(awaits=None, verdict="kept", probability=0.5)
        )
    ask_in(place, path="batches/c")
    assert set(faces_asked(place)[4:]) == {shown, *faces}


def test_an_answer_to_a_withdrawn_question_is_kept_and_labels_nothing(
    place: Place,
) -> None:
    _, _, faces = confirmed(place)
    vote(place, {faces[2]: WRONG})
    vote(place, {faces[0]: T})
    assert sorted(labels(place)) == ["withdrawn"] * 3 + ["wrong_reference"]
    assert len(place.answers()) == 3


def test_a_refusal_that_is_taken_back_undoes_all_of_it(place: Place) -> None:
    ann, shown, faces = confirmed(place)
    vote(place, {faces[0]: T, faces[1]: F, faces[2]: WRONG})
    vote(place, {faces[2]: T}, "b.csv")
    asked = dict(zip(faces_asked(place), labels(place), strict=True))
    assert asked == {
        shown: "same",
        faces[0]: "same",
        faces[1]: "different",
        faces[2]: "same",
    }
    assert reference(place, ann) == (shown, "answers")


@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_of_the_rows_does_not_matter(
    place: Place, backwards: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "CHUNK", 1)
    _, _, faces = confirmed(place)
    said = {faces[0]: T, faces[1]: WRONG, faces[2]: F}
    vote(place, dict(sorted(said.items(), reverse=backwards)))
    assert sorted(labels(place)) == ["withdrawn"] * 3 + ["wrong_reference"]


def test_a_choice_by_hand_overrules_earlier_answers(place: Place) -> None:
    ann, shown, faces = confirmed(place)
    vote(place, {faces[0]: WRONG})
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        references.choose_face(connection, run_id, ann, shown)
    vote(place, {faces[1]: T}, "b.csv")
    assert reference(place, ann) == (shown, "hand")
    asked = dict(zip(faces_asked(place), labels(place), strict=True))
    assert (asked[faces[0]], asked[faces[1]]) == ("withdrawn", "same")


def test_what_is_no_face_goes_out_and_comes_back(place: Place) -> None:
    _, shown, faces = confirmed(place)
    vote(place, {faces[0]: NO_FACE, faces[1]: T})
    assert state(place, faces[0]) == ("dropped", "not_a_face", None)
    assert state(place, faces[1])[0] == "kept"
    assert dict(zip(faces_asked(place), labels(place), strict=True))[shown] == "same"
    vote(place, {faces[0]: T}, "b.csv")
    assert state(place, faces[0]) == ("pending", "ok", "identity")


def test_a_reference_that_is_no_face_is_refused_and_out(place: Place) -> None:
    ann, shown, faces = confirmed(place)
    vote(place, {shown: NO_FACE}, "b.csv")
    assert reference(place, ann) == (None, None)
    assert state(place, shown) == ("dropped", "not_a_face", None)
    assert sorted(labels(place)) == ["not_a_face", *["withdrawn"] * len(faces)]


def test_a_batch_of_an_earlier_version_is_labelled_as_it_was(place: Place) -> None:
    ann, shown, faces = cast(place)
    place.set_reference(ann, shown)
    ask_in(place)
    place.set_reference(ann, shown, "medoid")
    vote(place, {faces[0]: T, faces[1]: F})
    assert sorted(labels(place)) == ["different", "open", "same"]
    assert reference(place, ann) == (shown, "medoid")


def answered(place: Place, form: str, said: str) -> Imported:
    """Export in a format, answer each question, and import."""
    folder = place.workspace.root / "batch"
    written = "csv" if form == "mturk" else form
    export(place.workspace, ExportRequest(written, folder, 9))
    target = place.workspace.root / "answers"
    if form == "label-studio":
        assert "Is this a good picture" in (folder / REFERENCES_CONFIG_FILE).read_text()
        tasks = json.loads((folder / REFERENCES_FILE).read_text())
        result = {"from_name": "same", "type": "choices", "value": {"choices": [said]}}
        for task in tasks:
            task["annotations"] = [{"completed_by": 1, "result": [result]}]
        target.write_text(json.dumps(tasks))
    elif form == "mturk":
        rows = read_rows(folder / MTURK_REFERENCES)
        filled = [
            {f"Input.{name}": cell for name, cell in row.items()}
            | {"WorkerId": "w", "Answer.same": said}
            for row in rows
        ]
        write_rows(target, filled)
    else:
        rows = read_rows(folder / "questions.csv")
        write_rows(
            target, [{**row, "answer": said, "annotator": "ann"} for row in rows]
        )
    return import_answers(place.workspace, target, AnnotatorNames({}))


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("form", ["csv", "label-studio", "mturk"])
@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("same", Label.SAME),
        ("wrong_reference", Label.DIFFERENT),
        ("The reference is wrong", Label.DIFFERENT),
        ("Not a face", Label.NOT_A_FACE),
    ],
)
def test_every_format_asks_about_references_and_takes_every_answer(
    plain: Place, form: str, said: str, label: Label
) -> None:
    ann, shown, _ = cast(plain)
    done = answered(plain, form, said)
    assert (done.taken, done.faults) == (1, ())
    assert done.labels == {label: 1}
    is_right = label is Label.SAME
    assert len(done.effects.refused) == (not is_right)
    assert (reference(plain, ann)[0] == shown) == is_right
    assert done.filter_next != is_right


def test_the_question_csv_says_what_it_asks(plain: Place) -> None:
    cast(plain)
    folder = plain.workspace.root / "batch"
    made = export(plain.workspace, ExportRequest("csv", folder, 9))
    assert (made.references, made.waiting) == (1, 3)
    [row] = read_rows(folder / "questions.csv")
    assert row["ask"] == "Is this a good picture of Ann of Album 1?"
    assert row["ref_url"] == row["cand_url"]
    assert (folder / row["cand_url"]).is_file()
    assert not (folder / "mturk.csv").exists()


def test_a_merge_falls_with_the_reference_that_it_rests_on(place: Place) -> None:
    ann, anna = place.add_character(), place.add_character("Anna")
    shown = [place.reference(each) for each in (ann, anna)]
    for who, face_id in zip((ann, anna), shown, strict=True):
        place.set_reference(who, face_id, "medoid")
    suspected = Found(Suspicion.MERGE, ann, shown[0], shown[1], 0.9, anna)
    with place.workspace.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.MERGE], [ann], [suspected])
    ask_in(place)
    assert faces_asked(place) == shown
    take(place, *(Vote(2, key, "ann", T) for key in place.question_ids()))
    ask_in(place, path="batches/b")
    take(place, Vote(2, place.question_ids()[-1], "ann", T), file="b.csv")
    assert len(review_merges.apply(place.workspace).merges) == 1
    # Anna's reference was not her: nothing says any more that both are one.
    about_anna = place.question_ids()[1]
    done = take(place, Vote(2, about_anna, "ann", F), file="c.csv")
    assert done.unmerged == 1
    with place.workspace.catalogue.read() as connection:
        assert survivor_of(connection, anna) == anna
        assert review_merges.plan(connection).merges == ()
