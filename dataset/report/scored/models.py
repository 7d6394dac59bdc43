"""The models of the catalogue from their cards: data, figures, limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue import schema

_ROWS = 16


@dataclass(frozen=True)
class FigureTable:
    """The figures of a card.

    Attributes:
        columns: the names of the figures.
        rows: on what they were measured, and each column's value as text; empty if it
            was not measured.
    """

    columns: Sequence[str] = ()
    rows: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True)
class ShownModel:
    """A model of the registry.

    Attributes:
        name: of the model.
        task: what it is for.
        sha256: of its file.
        data: its training data: name and licence.
        figures: the figures on its card.
        limits: its known limits.
    """

    name: str
    task: str
    sha256: str
    data: Sequence[tuple[str, str]]
    figures: FigureTable
    limits: Sequence[str]


def read_models(connection: sa.Connection) -> list[ShownModel]:
    """Read all models, in the order they were added."""
    model = schema.model.c
    query = sa.select(model.name, model.task, model.sha256, model.card).order_by(
        model.added_at, model.sha256
    )
    return [shown_model(*row) for row in connection.execute(query)]


def shown_model(name: str, task: str, sha256: str, card: str) -> ShownModel:
    """Make the view of a model; a card that cannot be read gives an empty one.

    >>> card = '{"figures": {"unseen styles": {"AP50": 0.91236, "boxes": 1200}}}'
    >>> shown_model("x", "detect", "0", card).figures.rows
    (('unseen styles', ('0.9124', '1,200')),)
    """
    fields = _fields(card)
    return ShownModel(
        name,
        task,
        sha256,
        tuple(_data(fields.get("data"))),
        _figures(fields.get("figures")),
        tuple(str(each) for each in _list(fields.get("limits"))),
    )


def _fields(card: str) -> Mapping[str, Any]:
    try:
        found = json.loads(card)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _data(value: object) -> Iterator[tuple[str, str]]:
    for each in _list(value):
        if isinstance(each, dict):
            name = each.get("name") or next(iter(each.values()), "")
            yield str(name), str(each.get("licence", ""))


def _figures(value: object) -> FigureTable:
    found = list(_numbers(value, ()))
    columns = tuple(dict.fromkeys(name for _, name, _ in found))
    measured: dict[str, dict[str, str]] = {}
    for on, name, shown in found:
        measured.setdefault(on, {})[name] = shown
    rows = tuple(
        (on, tuple(values.get(name, "") for name in columns))
        for on, values in measured.items()
    )
    return FigureTable(columns, rows[:_ROWS])


def _numbers(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield for every number what it was measured on, its name and its value."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, (*path, str(key)))
    elif path and isinstance(value, float | int) and not isinstance(value, bool):
        shown = f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
        yield " · ".join(path[:-1]), path[-1], shown
