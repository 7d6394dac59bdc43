from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import end
from icf.annotate.audit.population import hash_labels, read_labels
from icf.annotate.audit.result import conclude
from icf.annotate.audit.sample import ACCEPTS, REJECTS, TEST, Goal
from icf.catalogue.annotation.audits import pack, unpack
from icf.catalogue.annotation.schema import label_audit, label_audit_item
from icf.catalogue.schema import face, release
from icf.codes import Choice, FaceReason, Label
from icf.errors import WrongUse
from tests.annotate.audit.audited import (
    AGREES,
    GOAL,
    add_label,
    add_labels,
    check_all,
    current,
    items,
    planned,
    said,
)
from tests.annotate.place import Place


def note_test(place: Place, faces: list[int]) -> None:
    table = np.array(sorted(faces), np.int64).reshape(-1, 1)
    row = {"path": "releases/one", "seed": 1, "summary": "{}", "created_at": 0.0}
    with place.workspace.catalogue.write() as connection:
        insert = sa.insert(release).values(**row, test_faces=pack(table))
        connection.execute(insert)


def test_the_labels_are_what_people_confirmed_and_what_they_refused(
    place: Place,
) -> None:
    ann = add_labels(place, same=2, different=1)
    with place.workspace.catalogue.read() as connection:
        found = read_labels(connection, place.workspace.settings)
    assert sorted(each.label for each in found) == ["different", "same", "same", "same"]
    # The reference that was chosen by hand is in releases, too.
    assert place.reference(ann) in [e.face_id for e in found if e.label == "same"]


def test_labels_are_called_by_what_they_show_and_not_by_ids(place: Place) -> None:
    add_labels(place, same=2, different=1)
    with place.workspace.catalogue.read() as connection:
        found = read_labels(connection, place.workspace.settings)
        hashes = list(
            connection.execute(
                sa.text(
                    "SELECT image.sha256 FROM face JOIN image ON image.id = image_id"
                )
            ).scalars()
        )
    for each in found:
        label, sha256, box, _, name = each.name.split("\t")
        assert (label, name) == (each.label, "Ann")
        assert sha256 in hashes
        assert box == "40.0 40.0 120.0 120.0"
    assert hash_labels(found) == hash_labels(found[::-1])
    assert hash_labels(found) != hash_labels(found[1:])


def test_a_face_that_is_gone_is_no_label(place: Place) -> None:
    ann = place.add_character()
    gone = add_label(place, ann, Label.SAME)
    add_label(place, ann, Label.SAME)
    with place.workspace.catalogue.write() as connection:
        update = sa.update(face).where(face.c.id == gone)
        connection.execute(update.values(reason=FaceReason.TAKEN_DOWN.value))
    with place.workspace.catalogue.read() as connection:
        found = read_labels(connection, place.workspace.settings)
    assert gone not in [each.face_id for each in found]


def test_the_plan_is_stored_before_anybody_looks(place: Place) -> None:
    add_labels(place, same=20, different=15)
    audit = planned(place)
    assert audit.parts[ACCEPTS].labels == 21
    assert audit.parts[REJECTS].labels == 15
    assert TEST not in audit.parts
    drawn = items(place, audit)
    for name in (ACCEPTS, REJECTS):
        part = [each for each in drawn if name in each.parts]
        assert len(part) == audit.parts[name].checked
    with place.workspace.catalogue.read() as connection:
        data = connection.execute(sa.select(label_audit.c.labels)).scalar_one()
    assert len(unpack(data, 3)) == 36


def test_the_same_call_says_the_same_plan(place: Place) -> None:
    add_labels(place, same=20, different=15)
    audit = planned(place)
    drawn = items(place, audit)
    assert planned(place) == audit
    assert items(place, audit) == drawn
    with place.workspace.catalogue.read() as connection:
        count = sa.select(sa.func.count()).select_from(label_audit_item)
        assert connection.execute(count).scalar_one() == len(drawn)


def test_labels_that_change_later_do_not_change_the_sample(place: Place) -> None:
    ann = add_labels(place, same=20, different=5)
    audit = planned(place)
    drawn = items(place, audit)
    add_label(place, ann, Label.SAME)
    assert planned(place) == audit
    assert items(place, audit) == drawn


def test_the_test_of_the_newest_release_is_a_part(place: Place) -> None:
    ann = add_labels(place, same=20, different=5)
    chosen = [add_label(place, ann, Label.SAME) for _ in range(12)]
    note_test(place, [*chosen, 10_000])
    audit = planned(place)
    assert audit.release == "releases/one"
    assert audit.parts[TEST].labels == 12
    of_test = [each.face_id for each in items(place, audit) if TEST in each.parts]
    assert len(of_test) == audit.parts[TEST].checked
    assert set(of_test) <= set(chosen)


def test_another_plan_waits_until_the_open_one_is_finished(place: Place) -> None:
    add_labels(place, same=20, different=5)
    planned(place)
    with pytest.raises(WrongUse, match="audit 1 is open"):
        planned(place, seed=2)


def test_an_open_plan_that_nobody_looked_at_can_be_given_up(place: Place) -> None:
    add_labels(place, same=20, different=5)
    planned(place)
    other = planned(place, seed=2, replace=True)
    assert current(place) == other


def test_a_plan_that_people_looked_at_cannot_be_drawn_again_of_the_same_labels(
    place: Place,
) -> None:
    ann = add_labels(place, same=20, different=5)
    audit = planned(place)
    said(place, items(place, audit)[0], Choice.UNSURE)
    with pytest.raises(WrongUse, match="very same labels"):
        planned(place, seed=2, replace=True)
    assert current(place) == audit
    add_label(place, ann, Label.SAME)
    assert planned(place, seed=2, replace=True).id == 2


def test_after_a_certificate_the_same_labels_can_be_audited_more_strictly(
    place: Place,
) -> None:
    add_labels(place, same=20, different=5)
    audit = planned(place)
    check_all(place, audit, AGREES)
    with place.workspace.catalogue.write() as connection:
        assert conclude(connection, audit).certified
    same = planned(place)
    assert (same.id, same.certificate is None) == (audit.id, False)
    assert planned(place, Goal(0.1, 0.9)).id == 2


def test_nothing_labelled_is_nothing_to_audit(place: Place) -> None:
    place.add_character()
    with pytest.raises(WrongUse, match="nothing to audit"):
        planned(place, GOAL)


def test_an_audit_that_was_given_up_is_not_the_open_one(place: Place) -> None:
    add_labels(place, same=20, different=5)
    audit = planned(place)
    with place.workspace.catalogue.write() as connection:
        end(connection, audit.id)
    assert current(place) is None
