"""A question that no answer can change a release by is not asked."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import Unasked, count_unasked
from icf.annotate.export import batch_shares
from icf.catalogue.labels.licences import allowed_sources
from icf.catalogue.schema import candidate, face, image_source
from icf.codes import Chosen
from icf.workspace import find
from tests.annotate.place import Place


def found_under(place: Place, face_id: int, licence: str) -> None:
    """Say where the picture of a face was found, and under which licence."""
    query = sa.select(face.c.image_id, face.c.filed_under_id)
    with place.workspace.catalogue.write() as connection:
        row = connection.execute(query.where(face.c.id == face_id)).one()
        connection.execute(
            sa.insert(image_source).values(
                image_id=row.image_id,
                url=f"http://host.example/{face_id}",
                source="test",
                licence=licence,
                licence_from="list",
                fetched_at=0.0,
            )
        )
        connection.execute(
            sa.insert(candidate).values(
                image_id=row.image_id, character_id=row.filed_under_id, is_lead=False
            )
        )


def shares_for(place: Place, *only: str) -> Shares:
    with place.workspace.catalogue.read() as connection:
        return Shares(random=0, licences=allowed_sources(connection, only))


def chosen(place: Place, limit: int, shares: Shares) -> list[Proposal]:
    with place.workspace.catalogue.read() as connection:
        return choose(connection, limit, shares)


def counted(place: Place, shares: Shares) -> Unasked:
    with place.workspace.catalogue.read() as connection:
        return count_unasked(connection, shares)


def test_faces_that_no_release_may_contain_are_not_chosen(place: Place) -> None:
    ann = place.add_character()
    free = [place.add_face(ann, 0.5) for _ in range(3)]
    others = [place.add_face(ann, 0.5) for _ in range(5)]
    for licence, faces in (("CC-BY-4.0", free), ("all rights reserved", others)):
        for each in faces:
            found_under(place, each, licence)
    shares = shares_for(place, "CC-*")
    assert {each.face_id for each in chosen(place, 100, shares)} == {*free}
    assert counted(place, shares) == Unasked(0, 3, 0, needless=5)
    assert counted(place, Shares(random=0)) == Unasked(0, 8, 0)
    # One source under an allowed licence is enough.
    with place.workspace.catalogue.write() as connection:
        again = sa.select(image_source).where(image_source.c.id == 4)
        row = dict(connection.execute(again).mappings().one())
        del row["id"]
        row |= {"url": "http://other.example", "licence": "CC-BY-4.0"}
        connection.execute(sa.insert(image_source).values(row))
    assert counted(place, shares).faces == 4


def test_the_random_part_is_drawn_from_them_nevertheless(place: Place) -> None:
    ann = place.add_character()
    for number in range(60):
        found_under(place, place.add_face(ann, 0.5), "CC0" if number < 14 else "none")
    shares = Shares(random=0.3, licences=(("CC0", None),))
    found = chosen(place, 20, shares)
    by = Counter(each.chosen for each in found)
    assert by == {Chosen.UNCERTAIN: 14, Chosen.RANDOM: 6}
    assert {e.inclusion for e in found if e.chosen == Chosen.RANDOM} == {6 / 46}


def test_a_reference_of_which_nothing_may_be_released_is_not_asked_about(
    place: Place,
) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    for who, licence in ((ann, "CC0"), (bob, "none")):
        place.set_reference(who, place.reference(who), "medoid")
        found_under(place, place.reference(who), licence)
    shares = shares_for(place, "CC0")
    assert [each.character_id for each in chosen(place, 9, shares)] == [ann]
    assert counted(place, shares).references == 1
    assert counted(place, Shares()).references == 2


def test_sure_faces_are_looked_at_once_where_the_user_says_so(
    calibrated: Place,
) -> None:
    ann = calibrated.add_character()
    unsure = calibrated.add_face(ann, 0.5)
    sure = [calibrated.add_face(ann, p) for p in (0.97, 0.99)]
    calibrated.add_face(ann, 0.01)
    look = Shares(random=0, risk=0.05, look=True)
    found = chosen(calibrated, 100, look)
    assert [(each.face_id, each.chosen) for each in found] == [
        (unsure, Chosen.UNCERTAIN),
        (sure[0], Chosen.SURE),
        (sure[1], Chosen.SURE),
    ]
    assert counted(calibrated, look) == Unasked(0, 3, 0, sure=1)
    flags = ("annotate.risk=0.05", "annotate.look=true")
    settings = find(calibrated.workspace.root, flags).settings.annotate
    assert (settings.risk, settings.accepted_risk) == (0.05, 0.0)


def test_settings_say_what_is_not_asked(plain: Place) -> None:
    flags = ("annotate.tracks=follow", "annotate.track_audit=0.2")
    workspace = find(plain.workspace.root, (*flags, "harvest.only_licence=CC0"))
    with workspace.catalogue.read() as connection:
        shares = batch_shares(workspace, connection)
    assert (shares.follow, shares.track_audit, shares.licences) == (True, 0.2, ())
    workspace.catalogue.close()
