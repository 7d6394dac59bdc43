"""Find decisions that were taken under other settings or by another embedder.

Each run keeps its settings. A finished `icf-filter rethreshold` brings every decision
up to its settings; runs after it judged their own rows by theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import decision, run
from icf.engine.step import Step
from icf.filter.embed_again import count_outdated, is_undecided
from icf.settings import FilterSettings

_RETHRESHOLD = "icf-filter rethreshold"


@dataclass(frozen=True)
class Stale:
    """Decisions under an earlier value of a setting.

    Attributes:
        setting: its full name.
        now: its value.
        then: the earlier value.
        rows: how many images or faces were judged by it.
    """

    setting: str
    now: object
    then: object
    rows: int

    @property
    def message(self) -> str:
        """What it means, and the command that ends it."""
        noun = "row was" if self.rows == 1 else "rows were"
        return (
            f"{self.setting} is {self.now}, and {self.rows:,} {noun} judged by "
            f"{self.then}: `icf-filter rethreshold` judges them again"
        )


@dataclass(frozen=True)
class OtherEmbedder:
    """Faces that are to be decided again by the vectors of the present embedder.

    Attributes:
        model: its SHA-256.
        faces: how many have no vector by it.
        undecided: whether the others were not decided on by theirs.
    """

    model: str
    faces: int
    undecided: bool

    @property
    def message(self) -> str:
        """What it means, and the command that ends it."""
        if not self.faces:
            return (
                f"faces were embedded by {self.model[:12]}, and are still judged by "
                "an earlier embedder: `icf-filter run` decides again"
            )
        noun = "face has" if self.faces == 1 else "faces have"
        return (
            f"the embedder is {self.model[:12]}, and {self.faces:,} {noun} a vector by "
            "another one: `icf-filter run` embeds again, and decides again"
        )


def find_other_embedder(connection: sa.Connection, model: str) -> OtherEmbedder | None:
    """What `icf-filter run` would bring up to date after a change of the embedder.

    Args:
        connection: a transaction that reads.
        model: the SHA-256 of the present embedder.
    """
    found = OtherEmbedder(
        model, count_outdated(connection, model), is_undecided(connection)
    )
    return found if found.faces or found.undecided else None


def find_stale(
    connection: sa.Connection, settings: FilterSettings, steps: Sequence[Step[Any]]
) -> list[Stale]:
    """Return what `icf-filter rethreshold` would bring up to date, by setting.

    Args:
        connection: a transaction that reads.
        settings: those of now.
        steps: of the chain; those that compare what is stored count.
    """
    now = settings.model_dump(mode="json")
    runs = list(_runs(connection))
    stored = [step for step in steps if step.stored]
    return [
        Stale(f"filter.{name}", value, then, rows)
        for step in stored
        for name, value in _settings_of(step, now)
        for then, rows in _earlier(connection, runs, step, name, value)
        if rows
    ]


def _runs(connection: sa.Connection) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Yield the first and last id of runs that share settings, and these settings.

    The decisions of all runs until the last finished rethresholding follow its
    settings.
    """
    query = (
        sa.select(run.c.id, run.c.command, run.c.settings, run.c.finished_at)
        .where(run.c.command.startswith("icf-filter "))
        .order_by(run.c.id)
    )
    rows = connection.execute(query).all()
    whole = [
        at
        for at, row in enumerate(rows)
        if row.command == _RETHRESHOLD and row.finished_at is not None
    ]
    first = whole[-1] if whole else 0
    for at, row in enumerate(rows[first:]):
        begin = 0 if at == 0 else row.id
        yield begin, row.id, json.loads(row.settings).get("filter", {})


def _settings_of(
    step: Step[Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    """Yield the settings that a step compares with: its fields have their names."""
    own_fields: Sequence[Field[Any]] = fields(step) if is_dataclass(step) else ()
    for name in (each.name for each in own_fields):
        if name in now:
            yield name, now[name]
    own = now["steps"].get(step.name)
    if own is not None:
        yield f"steps.{step.name}", own


def _earlier(
    connection: sa.Connection,
    runs: Sequence[tuple[int, int, Mapping[str, Any]]],
    step: Step[Any],
    name: str,
    value: object,
) -> Iterator[tuple[object, int]]:
    """Yield other values of a setting, and how many rows the step judged by them."""
    judged: dict[str, int] = {}
    for first, last, settings in runs:
        then = _value(settings, name)
        if then is None or then == value:
            continue
        query = sa.select(sa.func.count(sa.distinct(decision.c.subject_id))).where(
            decision.c.run_id.between(first, last), decision.c.step == step.name
        )
        count = int(connection.execute(query).scalar_one())
        judged[json.dumps(then)] = judged.get(json.dumps(then), 0) + count
    for text, count in judged.items():
        yield json.loads(text), count


def _value(settings: Mapping[str, Any], name: str) -> object:
    found: Any = settings
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found
