"""`icf browse`: a local page over the catalogue."""

from __future__ import annotations

import getpass
import json

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.names import normal_name


@click.command("browse")
@shared_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8766,
    show_default=True,
    help="Listen on this port of this machine; 0: on any that is free.",
)
@pass_invocation
@example("icf browse --port 0")
def browse(invocation: Invocation, port: int) -> None:
    """Look through albums, characters and faces in a browser, until Ctrl-C.

    Prints a link for yourself, which works until the command ends, one day at most.
    Each face says why it is in or out, and shows its nearest neighbours; faces that you
    choose go into review or become questions. Only this machine reaches the page.
    """
    # Imported here, so that help does not wait for them.
    from icf.annotate.page.app import make_app
    from icf.annotate.page.desk import open_desk
    from icf.annotate.page.serve import open_socket, serve
    from icf.annotate.page.serving import Serving, url_of
    from icf.annotate.people.sessions import end_link, make_browse_link
    from icf.app.browse.pages import PAGES, routes

    host = "127.0.0.1"
    workspace = invocation.workspace
    workspace.check_blobs()
    desk = open_desk(workspace, (), PAGES)
    with open_socket(host, port) as listening:
        url = url_of(host, listening.getsockname()[1])
        with workspace.catalogue.write() as connection:
            name = normal_name(getpass.getuser())
            token = make_browse_link(connection, desk.key, name, days=1.0)
        link = f"{url}/join/{token}"

        def ready() -> None:
            if invocation.json:
                click.echo(json.dumps({"url": url, "invite": link}))
            else:
                click.echo(f"your link, until this ends: {link}")

        serving = Serving()
        try:
            serve(make_app(desk, serving, routes(workspace)), serving, listening, ready)
        finally:
            with workspace.catalogue.write() as connection:
                end_link(connection, desk.key, token)
    invocation.say("stopped")
