"""Remind people to say who they are before they ask other people's sites."""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa

from icf.catalogue.schema import url
from icf.harvest.http.addresses import AllowList
from icf.workspace import Workspace

_PORTS = {"http": 80, "https": 443}


def advice(workspace: Workspace) -> str | None:
    """Return a word of advice; None with a contact, or where only own hosts are asked.

    A host is one's own when ``harvest.allow_hosts`` names it.
    """
    if workspace.settings.harvest.contact.strip():
        return None
    host = _host_of_others(workspace)
    if host is None:
        return None
    return (
        f"warning: {host} is asked without a contact in the User-Agent; many sites "
        "turn such programs away. Set harvest.contact in icf.toml to a mail address "
        "or a page"
    )


def _host_of_others(workspace: Workspace) -> str | None:
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
            port = parts.port or _PORTS[parts.scheme]
        except ValueError:
            continue  # the source itself says what is wrong with it
        if parts.hostname and not allow.has(parts.hostname, port):
            return parts.netloc
    return None
