"""Find decisions that were taken under other settings than those of now.

Each run keeps its settings. A finished `icf-filter rethreshold` brings every decision
up to its settings; runs after it judged their own rows by theirs. Other stages than the
filter ask too, so the steps are known by their names here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import decision, run
from icf.settings import FilterSettings

_RETHRESHOLD = "icf-filter rethreshold"

#: What each step compares stored measures with.
SETTINGS: Mapping[str, Sequence[str]] = {
    "aspect": ("min_side", "max_aspect"),
    "photo": ("max_photo",),
    "faces": ("min_score",),
    "score": ("min_score",),
    "size": ("min_face",),
    "tone": ("min_brightness", "min_contrast"),
    "sharpness": ("sharpness", "min_sharpness", "min_edge_sharpness", "min_resolution"),
    "duplicates": ("max_phash", "max_dhash", "min_duplicate_cosine"),
    "identity": ("min_probability",),
}


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


def find_stale(connection: sa.Connection, settings: FilterSettings) -> list[Stale]:
    """Return what `icf-filter rethreshold` would bring up to date, by setting.

    Args:
        connection: a transaction that reads.
        settings: those of now.
    """
    now = settings.model_dump(mode="json")
    runs = list(_runs(connection))
    return [
        Stale(f"filter.{name}", _value(now, name), then, rows)
        for step, name in _compared(now)
        for then, rows in _earlier(connection, runs, step, name, _value(now, name))
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


def _compared(now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each step that judges by what is stored, with each of its settings."""
    for step, names in SETTINGS.items():
        for name in names:
            yield step, name
    if now["steps"]:
        # Imported here, as it takes numpy.
        from icf.engine.plugins import loadable

        for cls in loadable():
            if cls.stored and cls.name in now["steps"]:
                yield cls.name, f"steps.{cls.name}"


def _earlier(
    connection: sa.Connection,
    runs: Sequence[tuple[int, int, Mapping[str, Any]]],
    step: str,
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
            decision.c.run_id.between(first, last), decision.c.step == step
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
