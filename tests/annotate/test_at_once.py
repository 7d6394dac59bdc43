"""Two who do the same at once end as one after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from icf.annotate.gold.make import CONFIRMED, Known, add
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import make_browse_link, make_invite
from icf.annotate.people.tokens import SecretKey
from icf.annotate.posterior.skills import NEW, write_skills
from icf.catalogue.annotation.schema import gold, person, skill
from icf.catalogue.rows import count_rows
from tests.annotate.place import Place
from tests.catalogues import wait_until_waited_for

KEY = SecretKey(b"k" * 32)

Work = Callable[[sa.Connection], object]


def twice_at_once(place: Place, work: Work) -> None:
    """Do the same in two transactions; the second begins before the first ends."""
    catalogue = place.workspace.catalogue

    def second() -> None:
        with catalogue.write() as connection:
            work(connection)

    with ThreadPoolExecutor(1) as threads:
        with catalogue.write() as connection:
            work(connection)
            other = threads.submit(second)
            wait_until_waited_for(connection, other)
        other.result()


def test_known_pairs_are_added_once(place: Place) -> None:
    ann = place.add_character()
    faces = [place.add_face(ann, 0.5) for _ in range(3)]
    known = [Known(each, ann, faces[0], True, CONFIRMED) for each in faces[1:]]
    twice_at_once(place, lambda connection: add(connection, known))
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, gold) == len(known)


def test_skills_are_those_of_one_fit(place: Place) -> None:
    twice_at_once(place, lambda connection: write_skills(connection, {"ann": NEW}))
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, skill) == 1


@pytest.mark.parametrize(
    "work",
    [
        lambda connection: make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1),
        lambda connection: make_browse_link(connection, KEY, "Ann", 1),
    ],
    ids=["invite", "browse"],
)
def test_a_person_is_added_once(place: Place, work: Work) -> None:
    twice_at_once(place, work)
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, person) == 1
