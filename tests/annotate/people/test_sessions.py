from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from icf.annotate.people.listing import everybody, nobody_invited
from icf.annotate.people.people import Role, find_person
from icf.annotate.people.sessions import (
    begin_session,
    end_link,
    find_invited,
    find_session,
    make_browse_link,
    make_invite,
    revoke,
)
from icf.annotate.people.tokens import SecretKey
from icf.annotate.tasks.leases import Leasing, held
from icf.catalogue.annotation.schema import invite
from icf.errors import WrongUse
from tests.annotate.place import Place

KEY = SecretKey(b"k" * 32)


def test_another_invite_replaces_the_link_and_the_role_but_ends_no_session(
    place: Place,
) -> None:
    with place.workspace.catalogue.write() as connection:
        first, _ = make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1)
        someone = find_invited(connection, KEY, first)
        assert someone is not None
        session = begin_session(connection, KEY, someone)
        second, _ = make_invite(connection, KEY, "Ann", Role.REVIEWER, 1)
        assert find_invited(connection, KEY, first) is None
        again = find_invited(connection, KEY, second)
        assert again is not None
        assert (again.id, again.role) == (someone.id, Role.REVIEWER)
        assert find_session(connection, KEY, session) == again


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        (Role.REVIEWER, Role.ANNOTATOR, False),
        (Role.ADMIN, Role.REVIEWER, False),
        (Role.REVIEWER, Role.REVIEWER, True),
        (Role.ANNOTATOR, Role.REVIEWER, True),
    ],
)
def test_who_may_do_less_gives_back_what_was_held(
    place: Place, before: Role, after: Role, holds: bool
) -> None:
    with place.workspace.catalogue.write() as connection:
        make_invite(connection, KEY, "Ann", before, 1)
        someone = find_person(connection, "Ann")
        assert someone is not None
        Leasing(60).issue(connection, someone, "review", [("conflict", 1)])
        make_invite(connection, KEY, "Ann", after, 1)
        assert list(held(connection, "conflict", [1])) == [(1, someone.id)] * holds


def test_who_is_revoked_holds_nothing_and_comes_back_by_a_new_invite(
    place: Place,
) -> None:
    with place.workspace.catalogue.write() as connection:
        token, _ = make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1)
        ann = find_invited(connection, KEY, token)
        assert ann is not None
        session = begin_session(connection, KEY, ann)
        Leasing(60).issue(connection, ann, "pairs", [("question", 1)])
        revoke(connection, ann)
        assert find_invited(connection, KEY, token) is None
        assert find_session(connection, KEY, session) is None
        assert list(held(connection, "question", [1])) == []
        assert [each.state for each in everybody(connection)] == ["revoked"]
        token, _ = make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1)
        assert find_invited(connection, KEY, token) is not None
        assert find_session(connection, KEY, session) is None


def test_a_link_to_browse_leaves_links_roles_and_revocations_as_they_are(
    place: Place,
) -> None:
    with place.workspace.catalogue.write() as connection:
        theirs, _ = make_invite(connection, KEY, "Ann", Role.ADMIN, 1)
        token = make_browse_link(connection, KEY, "Ann", 1)
        ann = find_invited(connection, KEY, token)
        assert ann == find_invited(connection, KEY, theirs)
        end_link(connection, KEY, token)
        assert find_invited(connection, KEY, token) is None
        assert find_invited(connection, KEY, theirs) == ann

        theirs, _ = make_invite(connection, KEY, "Ben", Role.ANNOTATOR, 1)
        other = find_invited(
            connection, KEY, make_browse_link(connection, KEY, "Ben", 1)
        )
        assert other is not None
        assert (other.name, other.role) == ("Ben (browse)", Role.ADMIN)
        ben = find_invited(connection, KEY, theirs)
        assert ben is not None
        assert ben.role == Role.ANNOTATOR

        revoke(connection, ben)
        assert make_browse_link(connection, KEY, "Ben", 1)
        assert find_invited(connection, KEY, theirs) is None
        states = {each.person.name: each.state for each in everybody(connection)}
        assert states["Ben"] == "revoked"
        revoke(connection, other)
        with pytest.raises(WrongUse, match=r"'Ben \(browse\)' was revoked"):
            make_browse_link(connection, KEY, "Ben", 1)


def test_a_token_of_another_workspace_opens_nothing(place: Place) -> None:
    with place.workspace.catalogue.write() as connection:
        token, _ = make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1)
        assert find_invited(connection, SecretKey(b"o" * 32), token) is None


def test_somebody_can_come_in_as_long_as_a_link_or_a_session_lasts(
    place: Place,
) -> None:
    with place.workspace.catalogue.write() as connection:
        assert nobody_invited(connection)
        token, _ = make_invite(connection, KEY, "Ann", Role.ADMIN, 1)
        assert not nobody_invited(connection)
        ann = find_invited(connection, KEY, token)
        connection.execute(sa.update(invite).values(expires_at=time.time() - 1))
        assert nobody_invited(connection)
        assert ann is not None
        begin_session(connection, KEY, ann)
        assert not nobody_invited(connection)
        revoke(connection, ann)
        assert nobody_invited(connection)


def test_a_person_keeps_one_pseudonym(place: Place) -> None:
    with place.workspace.catalogue.write() as connection:
        make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1)
        before = find_person(connection, "Ann")
        make_invite(connection, KEY, "Ann", Role.ADMIN, 1)
        after = find_person(connection, "Ann")
    assert before is not None
    assert after is not None
    assert before.pseudonym == after.pseudonym
    assert "Ann" not in before.pseudonym
