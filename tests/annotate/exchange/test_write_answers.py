from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.annotate.exchange import answer_table
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.exchange.write_answers import COLUMNS, write_answers
from icf.annotate.gold.pauses import discount
from icf.annotate.import_answers import Imported, import_answers
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import find_or_add
from icf.annotate.status import count
from icf.catalogue.annotation.schema import person
from icf.catalogue.schema import answer
from icf.errors import BrokenMachine, WrongUse
from tests.annotate.place import Place
from tests.annotate.test_import_answers import asked

FORMATS = ("csv", "jsonl")
#: Names of people that a spreadsheet would run, or that look like a pseudonym.
NAMES = ("-ann", "=cmd|' /C calc'!A0", "'=1", "person-7")


def answered(place: Place) -> None:
    """Three questions with answers of four people; one of them is invited."""
    asked(place, faces=3)
    said = [
        {"question": n, "answer": choice, "annotator": name, **more}
        for n, choice, name, more in (
            (1, "true", NAMES[0], {"seconds": 1.5}),
            (1, "true", NAMES[1], {"answered_at": "2021-03-09T22:16:08.500000Z"}),
            (2, "false", NAMES[2], {}),
            (3, "unsure", NAMES[3], {}),
        )
    ]
    path = place.workspace.root / "said.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in said))
    take(place, path)
    invited = {"name": NAMES[0], "role": "annotator", "pseudonym": "person-of-us"}
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(person).values(**invited, added_at=0.0))


def take(place: Place, path: Path) -> Imported:
    return import_answers(place.workspace, path, AnnotatorNames({}))


def written(place: Place, form: str, *, names: bool = False) -> Path:
    path = place.workspace.root / f"answers-{names}.{form}"
    write_answers(place.workspace, path, names=names)
    return path


def rows_of(path: Path) -> list[Mapping[str, object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("form", FORMATS)
def test_a_time_that_none_can_be_is_not_written_and_outdone(
    place: Place, form: str
) -> None:
    answered(place)
    root = place.workspace.root
    late = sa.update(answer).where(answer.c.annotator == NAMES[1])
    # As an earlier version took it from JavaScript.
    with place.workspace.catalogue.write() as connection:
        connection.execute(late.values(answered_at=1767323045000.0))
    [row] = [row for row in rows_of(written(place, form)) if row["answer"] == "true"][
        1:
    ]
    assert row["answered_at"] == ("" if form == "csv" else None)
    path = root / "corrected.jsonl"
    said = {"question": 1, "answer": "false", "annotator": NAMES[1]}
    path.write_text(json.dumps({**said, "answered_at": 1767323046}))
    assert take(place, path).revised == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_says_who_answered_what_and_when(place: Place, form: str) -> None:
    answered(place)
    path = place.workspace.root / f"a.{form}"
    done: list[int] = []
    result = write_answers(place.workspace, path, done=done.append)
    assert (result.format, result.answers, result.people) == (form, 4, 4)
    assert sum(done) == 4
    rows = rows_of(path)
    assert all(tuple(row) == COLUMNS for row in rows)
    assert [str(row["answer"]) for row in rows] == ["true", "true", "false", "unsure"]
    assert [str(row["label"]) for row in rows] == ["same"] * 2 + ["different", "unsure"]
    assert float(str(rows[0]["seconds"])) == 1.5
    assert rows[1]["answered_at"] == "2021-03-09T22:16:08.500000Z"
    assert rows[0]["answered_at"] == ("" if form == "csv" else None)
    assert str(rows[0]["expert"]).lower() == "false"


@pytest.mark.parametrize("form", FORMATS)
def test_people_have_the_same_pseudonym_in_every_file_and_no_name(
    place: Place, form: str
) -> None:
    answered(place)
    first, second = written(place, form), place.workspace.root / f"again.{form}"
    write_answers(place.workspace, second)
    assert first.read_bytes() == second.read_bytes()
    people = [row["annotator"] for row in rows_of(first)]
    assert people[0] == "person-of-us"
    assert len({*people}) == 4
    assert all(str(each).startswith("person-") for each in people)
    assert not {*people} & {*NAMES}
    assert "calc" not in first.read_text()


@pytest.mark.parametrize("form", FORMATS)
def test_names_are_written_where_they_are_asked_for(place: Place, form: str) -> None:
    answered(place)
    path = written(place, form, names=True)
    found = [str(row["annotator"]) for row in rows_of(path)]
    if form == "csv":
        assert not any(each.startswith(tuple("=+-@")) for each in found)
    else:
        assert found == list(NAMES)
    assert take(place, path).known == 4


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("names", [False, True])
def test_a_file_brings_nothing_new_where_it_was_made(
    place: Place, form: str, names: bool
) -> None:
    answered(place)
    before = place.answers()
    found = take(place, written(place, form, names=names))
    assert (found.taken, found.known, found.refused) == (0, 4, {})
    assert place.answers() == before


@pytest.mark.parametrize("form", FORMATS)
def test_a_copy_of_the_workspace_gets_the_answers_of_the_same_people(
    plain: Place, tmp_path: Path, form: str
) -> None:
    answered(plain)
    path = written(plain, form)
    plain.workspace.catalogue.close()
    shutil.copytree(plain.workspace.root, tmp_path / "copy")
    copy = Place(tmp_path / "copy")
    with copy.workspace.catalogue.write() as connection:
        connection.execute(sa.delete(answer).where(answer.c.annotator == NAMES[0]))
    found = take(copy, path)
    assert (found.taken, found.known) == (1, 3)
    assert copy.answers() == plain.answers()
    query = sa.select(answer.c.seconds).where(answer.c.annotator == NAMES[0])
    with copy.workspace.catalogue.read() as connection:
        assert connection.execute(query).scalar_one() == 1.5
    copy.workspace.catalogue.close()


def test_a_workspace_without_the_key_has_the_answers_under_pseudonyms(
    plain: Place, tmp_path: Path
) -> None:
    answered(plain)
    path = written(plain, "csv")
    shutil.copytree(plain.workspace.root, tmp_path / "copy")
    (tmp_path / "copy" / "page.key").unlink()
    copy = Place(tmp_path / "copy")
    with copy.workspace.catalogue.write() as connection:
        connection.execute(sa.delete(answer))
        connection.execute(sa.delete(person))
    assert take(copy, path).taken == 4
    # They stay what they are in what that workspace writes.
    again = copy.workspace.root / "again.csv"
    write_answers(copy.workspace, again)
    people = {row["annotator"] for row in rows_of(path)} - {"person-of-us"}
    assert len(people) == 3
    assert people < {row["annotator"] for row in rows_of(again)}
    copy.workspace.catalogue.close()


def test_what_was_taken_back_is_left_out(plain: Place) -> None:
    answered(plain)
    path = plain.workspace.root / "back.jsonl"
    path.write_text('{"question": 1, "answer": "false", "annotator": "-ann"}\n')
    take(plain, path)
    said = [
        (row["question"], row["answer"]) for row in rows_of(written(plain, "jsonl"))
    ]
    assert said == [(1, "true"), (2, "false"), (3, "unsure"), (1, "false")]


def test_what_counts_no_more_is_left_out(plain: Place) -> None:
    answered(plain)
    with plain.workspace.catalogue.write() as connection:
        discount(connection, find_or_add(connection, NAMES[1], Role.ANNOTATOR))
        assert count(connection).answers == 3
    said = [
        (row["question"], row["answer"]) for row in rows_of(written(plain, "jsonl"))
    ]
    assert said == [(1, "true"), (2, "false"), (3, "unsure")]


def test_all_pages_of_answers_are_written(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_table, "_PAGE", 1)
    answered(plain)
    assert len(rows_of(written(plain, "jsonl"))) == 4


def test_a_file_that_exists_stays_and_other_names_are_refused(plain: Place) -> None:
    path = plain.workspace.root / "questions.csv"
    path.write_text("filled in by hand")
    with pytest.raises(WrongUse, match="exists already"):
        write_answers(plain.workspace, path)
    assert path.read_text() == "filled in by hand"
    with pytest.raises(WrongUse, match=r"must end with \.csv or \.jsonl"):
        write_answers(plain.workspace, path.with_suffix(".xlsx"))
    with pytest.raises(BrokenMachine, match="cannot write"):
        write_answers(plain.workspace, plain.workspace.root / "nowhere" / "a.csv")
