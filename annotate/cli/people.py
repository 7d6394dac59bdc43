"""`icf-annotate people`, `icf-annotate revoke`: who may answer."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import click

from icf.command import (
    NAME,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import WrongUse


@click.command("people")
@shared_options
@pass_invocation
@example("icf-annotate people --json")
def people_command(invocation: Invocation) -> None:
    """List who was invited or answered by file, and how much each answered."""
    from icf.annotate.people.listing import answers_by_person, everybody, who_boxed

    with invocation.workspace.catalogue.read() as connection:
        known = everybody(connection)
        answers = answers_by_person(connection)
        named = answers.keys() | who_boxed(connection)
    value = [
        {
            "name": each.person.name,
            "role": str(each.person.role),
            "state": each.state,
            "paused": each.person.paused,
            "answers": answers.get(each.person.name, 0),
            "seen": _time(each.seen_at),
            "link_until": _time(each.invited_until),
        }
        for each in known
    ]
    by_file = named - {each["name"] for each in value}
    value += [_by_file(name, answers.get(name, 0)) for name in sorted(by_file)]
    columns = ("name", "role", "state", "answers", "seen", "link until")
    rows = [
        (
            each["name"],
            each["role"] or "",
            each["state"],
            each["answers"],
            each["seen"] or "",
            each["link_until"] or "",
        )
        for each in value
    ]
    invocation.emit(value, lambda: table(columns, rows))
    if not known:
        invocation.say("nobody was invited yet: icf-annotate invite NAME")


@click.command("revoke")
@shared_options
@click.argument("name", type=NAME)
@pass_invocation
@example("icf-annotate revoke Ann --json")
def revoke_command(invocation: Invocation, name: str) -> None:
    """Shut NAME out at once: links and sessions end, and what is held is given back.

    Answers stay, and count. `icf-annotate invite NAME` lets the person in again.
    """
    from icf.annotate.people.people import find_person
    from icf.annotate.people.sessions import revoke

    with invocation.workspace.catalogue.write() as connection:
        someone = find_person(connection, name)
        if someone is None:
            raise WrongUse(
                f"nobody named {name!r} was invited; `icf-annotate people` lists "
                "everybody"
            )
        revoke(connection, someone)
    invocation.emit({"name": name, "state": "revoked"}, lambda: f"{name} is shut out")


def _by_file(name: str, answers: int) -> dict[str, Any]:
    """What is said of somebody who never was on the page."""
    unknown = dict.fromkeys(("role", "paused", "seen", "link_until"))
    return {"name": name, "state": "by file", "answers": answers, **unknown}


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
