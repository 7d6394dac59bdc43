"""What PostgreSQL refuses for reasons outside of the program, and what to do."""

from __future__ import annotations

import sqlalchemy as sa

from icf.errors import BrokenMachine

MAY_NOT = (
    "This database user may not do that. GRANT it USAGE on the schema and SELECT on "
    "the tables to read; to write, also INSERT, UPDATE and DELETE, and USAGE on the "
    "sequences. `icf init` needs the owner of the tables."
)
_LOST = (
    "It has lost a part, or is no catalogue of icf: put a backup in its place, or name "
    "another with catalogue.url."
)
_OF_OTHERS = (
    "The database has something else of that name, or a part of a catalogue: name an "
    "empty database with catalogue.url."
)
_DAMAGED = "The server's log says more; where it is damaged, put a backup in its place."

#: By SQLSTATE or its first two characters. Everything else that is no failure of the
#: server is a fault of the program: its traceback is needed.
_REMEDIES = {
    "0A000": "The tables may have changed meanwhile: run the same command again.",
    "25006": (
        "The server is a standby, or takes no writes (default_transaction_read_only): "
        "name another with catalogue.url."
    ),
    "25P03": "The server ended a transaction that took long: run the command again.",
    "25P04": "The server ended a transaction that took long: run the command again.",
    "3F000": "Create that schema, or name another with catalogue.url.",
    "42501": MAY_NOT,
    "42701": _OF_OTHERS,
    "42703": _LOST,
    "42704": _LOST,
    "42710": _OF_OTHERS,
    "42P01": _LOST,
    "42P07": _OF_OTHERS,
    "53100": (
        "Free some space on the server's disk; nothing that was acknowledged is lost."
    ),
    "XX": _DAMAGED,
}


def refusal(shown: str, error: sa.exc.DBAPIError) -> BrokenMachine | None:
    """The clear error for what the server said; None: the program must say it.

    Args:
        shown: the catalogue's URL without a password.
        error: what came of a statement.
    """
    state = getattr(error.orig, "sqlstate", None) or ""
    remedy = _REMEDIES.get(state) or _REMEDIES.get(state[:2])
    if remedy is None:
        return None
    # What follows is the statement, or what the log of the server has too.
    reason = str(error.orig).strip().partition("\n")[0]
    return BrokenMachine(f"the catalogue {shown}: {reason}\n{remedy}")
