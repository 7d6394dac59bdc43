"""Champion, challenger and previous: which models these names mean, in a log.

Nothing is overwritten: a move appends a row to the table ``model_alias`` with who moved
it, when, why, and on which comparison. Of each task and alias the newest row counts.
"""

from __future__ import annotations

import getpass
import socket
import time
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from icf.catalogue.schema import model_alias
from icf.errors import WrongUse
from icf.models.registry.tasks import ON_CARDS, Task

Alias = Literal["champion", "challenger", "previous"]
ALIASES: tuple[Alias, ...] = get_args(Alias)


@dataclass(frozen=True)
class Move:
    """A row of the log.

    Attributes:
        task: of the model.
        alias: that moved.
        model: SHA-256 of what it names from then on; None: the bundled model.
        by: who moved it, such as ``anna@studio``.
        reason: why.
        gate_id: the comparison it was moved on; None: it was moved without one.
        at: when, in seconds since 1970.
    """

    task: Task
    alias: Alias
    model: str | None
    by: str
    reason: str
    gate_id: int | None
    at: float


def this_user() -> str:
    """Who is at work here: ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def current(connection: sa.Connection, task: Task) -> dict[Alias, str | None]:
    """Return what each alias names now: a SHA-256, or None for the bundled model.

    There always is a champion: the bundled model until another was promoted. A
    challenger or a previous model that is the champion is none.
    """
    newest = sa.select(sa.func.max(model_alias.c.id)).where(_is_of(task))
    query = sa.select(model_alias.c.alias, model_alias.c.model).where(
        model_alias.c.id.in_(newest.group_by(model_alias.c.alias))
    )
    found: dict[Alias, str | None] = {"champion": None}
    found.update({row.alias: row.model for row in connection.execute(query)})
    champion = found["champion"]
    return {
        alias: model
        for alias, model in found.items()
        if alias == "champion" or model != champion
    }


def history(connection: sa.Connection, task: Task) -> list[Move]:
    """Return every move of a task's aliases, oldest first."""
    query = sa.select(model_alias).where(_is_of(task)).order_by(model_alias.c.id)
    return [
        Move(
            task,
            row.alias,
            row.model,
            row.moved_by,
            row.reason,
            row.gate_id,
            row.moved_at,
        )
        for row in connection.execute(query)
    ]


def challenge(
    connection: sa.Connection, task: Task, model: str | None, by: str, reason: str
) -> None:
    """Make a model the challenger."""
    _move(connection, task, "challenger", model, by, reason, None)


def promote(
    connection: sa.Connection,
    task: Task,
    model: str | None,
    by: str,
    reason: str,
    gate_id: int | None,
) -> None:
    """Make a model the champion, and the champion the previous one.

    Args:
        connection: a transaction that writes.
        task: of the model.
        model: its SHA-256; None: the bundled model.
        by: who promotes it.
        reason: why.
        gate_id: the comparison that allows it.

    Raises:
        WrongUse: it is the champion already.
    """
    champion = current(connection, task)["champion"]
    if champion == model:
        raise WrongUse(f"{_shown(model)} is the champion {task} already")
    _move(connection, task, "previous", champion, by, reason, gate_id)
    _move(connection, task, "champion", model, by, reason, gate_id)


def roll_back(connection: sa.Connection, task: Task, by: str, reason: str) -> None:
    """Make the previous model the champion again.

    Raises:
        WrongUse: nothing was promoted since the last time.
    """
    aliases = current(connection, task)
    if "previous" not in aliases:
        raise WrongUse(
            f"there is no previous {task} to go back to: none was promoted since the "
            "last rollback; `icf model promote NAME` makes any model the champion"
        )
    _move(connection, task, "champion", aliases["previous"], by, reason, None)


def _is_of(task: Task) -> sa.ColumnElement[bool]:
    return model_alias.c.task == ON_CARDS[task]


def _shown(model: str | None) -> str:
    return "the bundled model" if model is None else f"model {model[:12]}"


def _move(
    connection: sa.Connection,
    task: Task,
    alias: Alias,
    model: str | None,
    by: str,
    reason: str,
    gate_id: int | None,
) -> None:
    connection.execute(
        sa.insert(model_alias).values(
            task=ON_CARDS[task],
            alias=alias,
            model=model,
            moved_by=by,
            reason=reason,
            gate_id=gate_id,
            moved_at=time.time(),
        )
    )
