from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import Audit
from icf.annotate.audit.checks import Item, Verdict
from icf.annotate.audit.exchange import Taken, export, import_checks
from icf.annotate.audit.source import AuditSource
from icf.annotate.batch import Asked, read_asked
from icf.annotate.formats.question_csv import COLUMNS
from icf.annotate.import_answers import AnnotatorNames, import_answers
from icf.app.takedown.copies import find_copies
from icf.catalogue.schema import face, image
from icf.codes import Choice, FaceReason, RowFault
from icf.errors import WrongUse
from tests.annotate.audit.audited import (
    AGREES,
    DIFFERS,
    MAKER,
    add_labels,
    fill_in,
    items,
    planned,
    said,
)
from tests.annotate.place import Place

#: What a question that does not exist asks.
NONE = Asked("")


@pytest.fixture
def audit(place: Place) -> Audit:
    add_labels(place, same=8, different=6)
    return planned(place)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "questions.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def taken(
    place: Place,
    folder: Path,
    some: list[Item],
    choices: Mapping[str, Choice],
    by: str = "bob",
    *,
    decides: bool = False,
) -> Taken:
    """Fill in a folder's file and import it."""
    answers = {each.id: choices[each.label] for each in some}
    path = fill_in(folder / "questions.csv", answers, by)
    return import_checks(place.workspace, path, AnnotatorNames({}), decides=decides)


def test_the_folder_looks_like_any_batch_and_says_no_label(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = export(place.workspace, out)
    sample = items(place, audit)
    assert (made.items, made.left_out) == (len(sample), 0)
    listed = rows(out)
    assert set(listed[0]) <= {*COLUMNS, "ask"}
    assert [int(each["question"]) for each in listed] == [e.id for e in sample]
    assert {each["answer"] for each in listed} == {""}
    for each in listed:
        assert (out / each["ref_url"]).is_file()
        assert (out / each["cand_url"]).is_file()
    sums = (out / "SHA256SUMS").read_text().splitlines()
    sha256, name = sums[0].split("  ")
    assert hashlib.sha256((out / name).read_bytes()).hexdigest() == sha256


def test_answers_come_back_once(place: Place, audit: Audit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(place.workspace, out)
    sample = items(place, audit)
    first = taken(place, out, sample, AGREES)
    assert (first.taken, first.known, first.refused) == (len(sample), 0, 0)
    again = taken(place, out, sample, AGREES)
    assert (again.taken, again.known, again.refused) == (0, len(sample), 0)
    assert all(
        each.checks == {"bob": AGREES[each.label]} for each in items(place, audit)
    )


def test_rows_of_who_made_the_labels_are_refused_with_their_lines(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(place.workspace, out)
    sample = items(place, audit)
    found = taken(place, out, sample, AGREES, MAKER)
    # But for the reference that was chosen by hand, if it is in the sample.
    own = [
        number
        for number, each in enumerate(sample, 2)
        if each.face_id != each.reference_face_id
    ]
    assert [each.line for each in found.faults] == own
    assert {each.reason for each in found.faults} == {RowFault.REFUSED_BY_AUDIT}
    assert found.refused == len(own)


def test_a_reviewer_gets_what_is_disputed_and_decides(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    export(place.workspace, tmp_path / "one")
    sample = items(place, audit)
    taken(place, tmp_path / "one", sample, {**AGREES, "same": Choice.UNSURE})
    export(place.workspace, tmp_path / "two", disputed=True)
    disputed = [each for each in sample if each.label == "same"]
    assert len(rows(tmp_path / "two")) == len(disputed)
    found = taken(place, tmp_path / "two", disputed, DIFFERS, "rita", decides=True)
    assert found.taken == len(disputed)
    assert {e.decision for e in items(place, audit) if e.label == "same"} == {
        Choice.FALSE
    }


def test_decisions_that_are_not_called_so_are_no_checks(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    item = items(place, audit)[0]
    said(place, item, DIFFERS[item.label])
    export(place.workspace, tmp_path / "out", disputed=True)
    [fault] = taken(place, tmp_path / "out", [item], AGREES, "rita").faults
    assert "--decides" in fault.message
    # So she can still decide.
    found = taken(place, tmp_path / "out", [item], AGREES, "rita", decides=True)
    assert found.taken == 1
    assert items(place, audit)[0].verdict is Verdict.RIGHT


def test_a_check_is_no_decision_that_says_the_same(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    item = items(place, audit)[0]
    said(place, item, AGREES[item.label], "rita")
    said(place, item, DIFFERS[item.label])
    export(place.workspace, tmp_path / "out", disputed=True)
    found = taken(place, tmp_path / "out", [item], AGREES, "rita", decides=True)
    [fault] = found.faults
    assert fault.message == "rita checked this label; somebody else must decide"
    assert found.known == 0


def test_a_file_of_an_audit_is_no_file_of_questions(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(place.workspace, out)
    answers = {each.id: Choice.TRUE for each in items(place, audit)}
    path = fill_in(out / "questions.csv", answers, "bob")
    found = import_answers(place.workspace, path, AnnotatorNames({}))
    assert found.taken == 0
    assert set(found.refused) <= {"foreign_batch", "unknown_question"}
    why = [each.message for each in found.faults if "batch" in each.message]
    assert why
    assert all("icf-annotate audit import" in each for each in why)


def test_a_file_of_questions_is_none_of_an_audit(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    path = tmp_path / "questions.csv"
    path.write_text("question,batch_id,answer,annotator\n1,b1,true,bob\n")
    found = import_checks(place.workspace, path, AnnotatorNames({}), decides=False)
    assert [each.reason for each in found.faults] == [RowFault.FOREIGN_BATCH]
    assert "`icf-annotate import`" in found.faults[0].message


def test_a_file_without_the_name_of_its_batch_is_known_by_its_pictures(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(place.workspace, out)
    audited = items(place, audit)
    answers = {each.id: Choice.TRUE for each in audited}
    path = fill_in(out / "questions.csv", answers, "bob")
    path.write_text(re.sub("audit-[0-9.]+", "", path.read_text()))
    with place.workspace.catalogue.read() as connection:
        asked = read_asked(connection, [each.id for each in audited])
    others = [
        each for each in audited if {each.face_id} - asked.get(each.id, NONE).faces
    ]
    found = import_answers(place.workspace, path, AnnotatorNames({}))
    assert sum(found.refused.values()) == len(others) > len(audited) / 2
    assert set(found.refused) <= {"foreign_pictures", "unknown_question"}


def test_a_takedown_finds_the_pictures_of_the_folder(
    place: Place, audit: Audit
) -> None:
    out = place.workspace.root / "batches" / "audit"
    export(place.workspace, out)
    one = items(place, audit)[0]
    with place.workspace.catalogue.read() as connection:
        query = sa.select(image.c.sha256).join(face, face.c.image_id == image.c.id)
        hashes = connection.execute(query.where(face.c.id == one.face_id)).scalars()
        sha256 = next(iter(hashes))
    found = find_copies(place.workspace, [sha256], [one.face_id])
    assert [each.folder for each in found.held] == [out.resolve()]


def test_a_reference_that_was_withdrawn_is_replaced(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    planned_with = {each.reference_face_id for each in items(place, audit)}
    gone = sa.update(face).where(face.c.id.in_(planned_with))
    with place.workspace.catalogue.write() as connection:
        connection.execute(gone.values(reason=FaceReason.TAKEN_DOWN.value))
    there = [each for each in items(place, audit) if not each.gone]
    assert export(place.workspace, tmp_path / "out").items == len(there) > 0
    with place.workspace.catalogue.read() as connection:
        pairs = AuditSource().pairs(connection, [each.id for each in there])
    shown = {each.id: each.reference_face_id for each in there}
    assert {key: pair.reference_face_id for key, pair in pairs.items()} == shown
    assert not planned_with & set(shown.values())
    assert taken(place, tmp_path / "out", there, AGREES).refused == 0


def test_a_face_without_its_picture_is_left_out_and_counted(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    one = next(e for e in items(place, audit) if e.face_id != e.reference_face_id)
    with place.workspace.catalogue.read() as connection:
        query = sa.select(image.c.sha256).join(face, face.c.image_id == image.c.id)
        sha256 = connection.execute(query.where(face.c.id == one.face_id)).scalar_one()
    (lost,) = place.workspace.root.glob(f"blobs/**/{sha256}")
    lost.unlink()
    made = export(place.workspace, tmp_path / "out")
    assert made.left_out == 1
    assert one.id not in [int(each["question"]) for each in rows(tmp_path / "out")]


def test_nothing_is_written_where_nothing_waits(place: Place, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no audit is open"):
        export(place.workspace, tmp_path / "out")
    add_labels(place, same=8, different=0)
    planned(place)
    with pytest.raises(WrongUse, match="to be decided on"):
        export(place.workspace, tmp_path / "out", disputed=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    with pytest.raises(WrongUse, match="name a new folder"):
        export(place.workspace, tmp_path / "full")


def test_a_folder_that_was_written_is_left_as_it_is(
    place: Place, audit: Audit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = export(place.workspace, out)
    filled = {each.id: AGREES[each.label] for each in items(place, audit)}
    fill_in(out / "questions.csv", filled, "bob").rename(out / "questions.csv")
    again = export(place.workspace, out)
    assert (again.audit, again.items, again.written) == (audit.id, first.items, False)
    assert {each["annotator"] for each in rows(out)} == {"bob"}
