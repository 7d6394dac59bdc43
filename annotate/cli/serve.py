"""`icf-annotate serve`: the page on which people answer."""

from __future__ import annotations

import getpass
import json

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.names import normal_name

#: As `icf.annotate.page.desk.TASKS`, which is not imported to show the help.
_TASKS = "pairs,grid,boxes,attributes,review"


@click.command("serve")
@shared_options
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Listen on this address; 0.0.0.0 on all of this machine.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Listen on this port; 0: on any that is free.",
)
@click.option(
    "--tasks",
    metavar="NAMES",
    default=_TASKS,
    show_default=True,
    help="Offer these pages.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The address in invite links, of a proxy in front: https://faces.example.",
)
@click.option(
    "--allow-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Answer requests for this name too; can be repeated.",
)
@pass_invocation
@example("icf-annotate serve --port 0 --tasks pairs,grid")
def serve_command(
    invocation: Invocation,
    host: str,
    port: int,
    tasks: str,
    public_url: str | None,
    names: tuple[str, ...],
) -> None:
    """Serve the page on which people answer, until Ctrl-C.

    Prints its address. People come by the links that `icf-annotate invite` makes; if
    nobody has a link that works, it also prints one for yourself, as admin.

    Only this machine reaches it, unless --host says otherwise. For other machines put
    a proxy with TLS before it, and name its address with --public-url.
    """
    from icf.annotate.page.app import make_app
    from icf.annotate.page.desk import open_desk
    from icf.annotate.page.serve import open_socket, remember_address, serve
    from icf.annotate.page.serving import make_serving, url_of
    from icf.annotate.people.listing import nobody_invited
    from icf.annotate.people.people import Role
    from icf.annotate.people.sessions import make_invite

    offered = _checked(tasks)
    serving = make_serving(host, names, public_url)
    workspace = invocation.workspace
    workspace.check_blobs()
    desk = open_desk(workspace, offered)
    with open_socket(host, port) as listening:
        url = serving.public_url or url_of(host, listening.getsockname()[1])
        remember_address(workspace.root, url)
        token = None
        with workspace.catalogue.write() as connection:
            if nobody_invited(connection):
                name = normal_name(getpass.getuser())
                token, _ = make_invite(connection, desk.key, name, Role.ADMIN, 1.0)
        link = f"{url}/join/{token}" if token else None

        def ready() -> None:
            if invocation.json:
                click.echo(json.dumps({"url": url, "invite": link}))
            else:
                click.echo(f"the page is at {url}")
                if link:
                    click.echo(f"your own link, as admin, for one day: {link}")

        if not serving.local and not serving.secure:
            invocation.say(
                f"warning: {host} can be reached from other machines, and without TLS "
                "whoever is on the way reads the links and pictures; put a proxy with "
                "TLS before it, and give its address with --public-url https://..."
            )
        serve(make_app(desk, serving), serving, listening, ready)
    invocation.say("stopped")


def _checked(tasks: str) -> list[str]:
    from icf.annotate.page.desk import TASKS

    names = [each.strip() for each in tasks.split(",") if each.strip()]
    unknown = [each for each in names if each not in TASKS]
    if unknown or not names:
        raise WrongUse(
            f"--tasks {tasks!r}: {unknown[0] if unknown else 'nothing'!r} is no page; "
            f"there are {', '.join(TASKS)}"
        )
    return names
