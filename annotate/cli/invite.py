"""`icf-annotate invite`: a link with which somebody answers."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import urlsplit

import click

from icf.command import NAME, Invocation, example, pass_invocation, shared_options


@click.command("invite")
@shared_options
@click.argument("name", type=NAME)
@click.option(
    "--role",
    type=click.Choice(["annotator", "reviewer", "admin"]),
    default="annotator",
    show_default=True,
    help="What the person may do.",
)
@click.option(
    "--days",
    type=click.FloatRange(0, 366, min_open=True),
    default=14.0,
    show_default=True,
    help="How long the link works.",
)
@click.option(
    "--url",
    metavar="URL",
    help="The page's address, if it is not where it was served last.",
)
@pass_invocation
@example("icf-annotate invite Ann --json")
def invite_command(
    invocation: Invocation, name: str, role: str, days: float, url: str | None
) -> None:
    """Make a link with which NAME answers on the page.

    Send it to that person alone. It may be opened on several devices until it expires;
    each then stays logged in for 30 days. Another invite of the same name replaces the
    link, and changes the role.

    The link leads to where `icf-annotate serve` served the page last, or to its default
    address; --url names another one.
    """
    from icf.annotate.page.serve import remembered_address
    from icf.annotate.page.serving import Serving, checked_url
    from icf.annotate.people.people import Role
    from icf.annotate.people.sessions import make_invite
    from icf.annotate.people.tokens import read_key

    workspace = invocation.workspace
    where = checked_url(url) if url else remembered_address(workspace.root)
    with workspace.catalogue.write() as connection:
        token, expires = make_invite(
            connection, read_key(workspace.root), name, Role[role.upper()], days
        )
    until = datetime.fromtimestamp(expires, timezone.utc).isoformat(timespec="seconds")
    link = f"{where}/join/{token}"
    value = {"url": link, "name": name, "role": role, "expires": until}
    invocation.emit(value, lambda: link)
    invocation.say(f"for {name}, as {role}, until {until}")
    if Serving(host=urlsplit(where).hostname or "").local:
        invocation.say(
            "only this machine can open it; for others `icf-annotate serve "
            "--public-url URL` behind a proxy, or `serve --host 0.0.0.0` and here "
            "--url http://ADDRESS:PORT"
        )
