"""Remind the user to give a contact before the first request to foreign hosts."""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa

from icf.catalogue.schema import url
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.urls import DEFAULT_PORTS
from icf.workspace import Workspace


def advice(workspace: Workspace) -> str | None:
    """Return a reminder; None if there is a contact, or only own hosts are requested.

    ``harvest.allow_hosts`` names the own hosts.
    """
    if workspace.settings.harvest.contact.strip():
        return None
    host = _foreign_host(workspace)
    if host is None:
        return None
    return (
        f"warning: requests to {host} have no contact in the User-Agent; many sites "
        "refuse such programs. Set harvest.contact in icf.toml to a mail address or a "
        "page"
    )


def _foreign_host(workspace: Workspace) -> str | None:
    allow = AllowList(workspace.settings.harvest.allow_hosts)
    declared = [
        address
        for table in workspace.settings.source
        for address in table.values()
        if isinstance(address, str) and address.startswith(("http://", "https://"))
    ]
    hosts = sa.select(url.c.host).where(url.c.host != "").distinct()
    with workspace.catalogue.read() as connection:
        listed = [f"http://{host}/" for host in connection.execute(hosts).scalars()]
    for address in declared + listed:
        parts = urlsplit(address)
        try:
            port = parts.port or DEFAULT_PORTS[parts.scheme]
        except ValueError:
            continue  # the source reports the error
        if parts.hostname and not allow.has(parts.hostname, port):
            return parts.netloc
    return None
