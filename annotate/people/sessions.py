"""Invites and sessions: who a browser belongs to."""

from __future__ import annotations

import time

import sqlalchemy as sa

from icf.annotate.people.people import (
    Person,
    Role,
    find_person,
    give_back_all,
    person_of,
)
from icf.annotate.people.tokens import SecretKey, new_token
from icf.catalogue.annotation.schema import invite, page_session, person
from icf.catalogue.rows import lock_table
from icf.errors import WrongUse

#: Seconds after which a browser must open its invite link again.
SESSION_SECONDS = 30 * 24 * 3600.0


def make_invite(
    connection: sa.Connection, key: SecretKey, name: str, role: Role, days: float
) -> tuple[str, float]:
    """Invite a person, who is added if the name is new.

    A link that the person had stops working; sessions go on. Who may do less than
    before gives back what was held.

    Returns:
        The token of the link, which is stored nowhere, and when it expires.
    """
    someone = find_or_add(connection, name, role)
    update = sa.update(person).where(person.c.id == someone.id)
    connection.execute(update.values(role=str(role), revoked_at=None))
    if role < someone.role:
        give_back_all(connection, someone)
    end_invites(connection, someone)
    return _make_link(connection, key, someone, days)


def make_browse_link(
    connection: sa.Connection, key: SecretKey, name: str, days: float
) -> str:
    """Make one more link for a reviewer or admin; the person's other links go on.

    Roles stay as they are, and who was revoked stays so: where the name belongs to
    somebody who may not browse, the link is for ``NAME (browse)``.

    Returns:
        The token of the link.

    Raises:
        WrongUse: that name's access was revoked, too.
    """
    for called in (name, f"{name} (browse)"):
        someone = find_or_add(connection, called, Role.ADMIN)
        query = sa.select(person.c.revoked_at).where(person.c.id == someone.id)
        is_revoked = connection.execute(query).scalar_one() is not None
        if someone.role >= Role.REVIEWER and not is_revoked:
            return _make_link(connection, key, someone, days)[0]
    raise WrongUse(
        f"the access of {called!r} was revoked; `icf-annotate invite {called!r} --role "
        "admin` gives it back"
    )


def find_or_add(connection: sa.Connection, name: str, role: Role) -> Person:
    """Return the person of a name; a new one is added, whom no link lets in yet.

    Args:
        connection: a transaction that writes.
        name: of the person, revoked or not.
        role: of a new person; one that is known keeps another.
    """
    lock_table(connection, person)
    if someone := find_person(connection, name):
        return someone
    values = {
        "name": name,
        "role": str(role),
        "pseudonym": f"person-{new_token()[:8].lower()}",
        "added_at": time.time(),
    }
    connection.execute(sa.insert(person).values(**values))
    someone = find_person(connection, name)
    assert someone is not None
    return someone


def _make_link(
    connection: sa.Connection, key: SecretKey, someone: Person, days: float
) -> tuple[str, float]:
    now = time.time()
    token, expires = new_token(), now + days * 24 * 3600
    connection.execute(
        sa.insert(invite).values(
            person_id=someone.id,
            token_hash=key.hash_of(token),
            made_at=now,
            expires_at=expires,
        )
    )
    return token, expires


def find_invited(
    connection: sa.Connection, key: SecretKey, token: str
) -> Person | None:
    """The person whom a link was made for; None if it is wrong, old or revoked."""
    query = (
        sa.select(person)
        .join(invite, invite.c.person_id == person.c.id)
        .where(
            invite.c.token_hash == key.hash_of(token),
            invite.c.revoked_at.is_(None),
            invite.c.expires_at > time.time(),
            person.c.revoked_at.is_(None),
        )
    )
    row = connection.execute(query).first()
    return person_of(row) if row else None


def begin_session(connection: sa.Connection, key: SecretKey, someone: Person) -> str:
    """Begin a session; return its token, which is stored nowhere."""
    token, now = new_token(), time.time()
    connection.execute(
        sa.insert(page_session).values(
            person_id=someone.id,
            token_hash=key.hash_of(token),
            begun_at=now,
            seen_at=now,
            expires_at=now + SESSION_SECONDS,
        )
    )
    return token


def find_session(
    connection: sa.Connection, key: SecretKey, token: str
) -> Person | None:
    """The person of a session; None if it ended, or the person was revoked."""
    given = {"token_hash": key.hash_of(token), "now": time.time()}
    row = connection.execute(_OF_SESSION, given).first()
    return person_of(row) if row else None


# Made once: every request asks it.
_OF_SESSION = (
    sa.select(person)
    .join(page_session, page_session.c.person_id == person.c.id)
    .where(
        page_session.c.token_hash == sa.bindparam("token_hash"),
        page_session.c.ended_at.is_(None),
        page_session.c.expires_at > sa.bindparam("now"),
        person.c.revoked_at.is_(None),
    )
)


def touch_session(connection: sa.Connection, key: SecretKey, token: str) -> None:
    """Note that a session is used."""
    update = sa.update(page_session).where(
        page_session.c.token_hash == key.hash_of(token)
    )
    connection.execute(update.values(seen_at=time.time()))


def end_session(connection: sa.Connection, key: SecretKey, token: str) -> None:
    """End a session: its token opens nothing any more."""
    update = sa.update(page_session).where(
        page_session.c.token_hash == key.hash_of(token),
        page_session.c.ended_at.is_(None),
    )
    connection.execute(update.values(ended_at=time.time()))


def revoke(connection: sa.Connection, someone: Person) -> None:
    """End a person's sessions and invites at once, and give back what is held."""
    now = time.time()
    update = sa.update(person).where(person.c.id == someone.id)
    connection.execute(update.values(revoked_at=now))
    end_invites(connection, someone)
    give_back_all(connection, someone)
    ended = sa.update(page_session).where(
        page_session.c.person_id == someone.id, page_session.c.ended_at.is_(None)
    )
    connection.execute(ended.values(ended_at=now))


def end_link(connection: sa.Connection, key: SecretKey, token: str) -> None:
    """End one link; sessions stay."""
    update = sa.update(invite).where(
        invite.c.token_hash == key.hash_of(token), invite.c.revoked_at.is_(None)
    )
    connection.execute(update.values(revoked_at=time.time()))


def end_invites(connection: sa.Connection, someone: Person) -> None:
    """End the links that a person has; sessions stay."""
    update = sa.update(invite).where(
        invite.c.person_id == someone.id, invite.c.revoked_at.is_(None)
    )
    connection.execute(update.values(revoked_at=time.time()))
