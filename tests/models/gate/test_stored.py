"""Comparisons in the catalogue, in both databases."""

from __future__ import annotations

from dataclasses import replace

from icf.catalogue.catalogue import Catalogue
from icf.models.gate import stored
from icf.models.gate.report import GateReport
from icf.models.registry import aliases

ONE, OTHER, THIRD = "1" * 64, "2" * 64, "3" * 64
REPORT = GateReport(
    task="embedder",
    champion=ONE,
    challenger=OTHER,
    promoted=True,
    figure="mean average precision",
    margin=0.02,
    confidence=0.95,
    difference=0.1,
    interval=(0.05, None),
)


def test_the_newest_comparison_of_two_models_is_found(catalogue: Catalogue) -> None:
    again = replace(REPORT, promoted=False, reasons=("it is worse",))
    other = replace(REPORT, champion=THIRD)
    with catalogue.write() as connection:
        first = stored.store(connection, REPORT)
        second = stored.store(connection, again)
        third = stored.store(connection, other)
    with catalogue.read() as connection:
        found = stored.newest(connection, "embedder", ONE, OTHER)
        assert stored.newest(connection, "detector", ONE, OTHER) is None
        assert stored.newest(connection, "embedder", OTHER, ONE) is None
        every = stored.of_challenger(connection, OTHER)
    assert found == second
    assert found is not None
    assert found.report == again
    assert every == [first, second, third]


def test_a_promotion_refers_to_its_comparison(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        gate = stored.store(connection, REPORT)
        aliases.promote(connection, "embedder", OTHER, "anna", "passed", gate.id)
    with catalogue.read() as connection:
        moves = aliases.history(connection, "embedder")
    assert [(each.alias, each.gate_id) for each in moves] == [
        ("previous", gate.id),
        ("champion", gate.id),
    ]
