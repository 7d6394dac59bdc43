"""What commands cost grows with the catalogue, not with its square."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from benchmarks.large_workspace import FACES_PER_CHARACTER, make

from icf.errors import SomeFailed
from icf.workspace import find
from tests.app.program import call

pytestmark = pytest.mark.slow

COMMANDS = (
    "status",
    "harvest status",
    "harvest characters --show",
    "harvest reference",
    "harvest licences",
    "filter status",
    "filter review --refresh",
    "filter consistency",
    "filter calibrate --dry-run",
    "filter rethreshold --set filter.min_face=50",
    "filter run",
    "annotate status",
    "annotate export batches/next",
    "annotate audit plan --max-error 0.05",
    "build-splits releases/one --seed 1",
    "report report.html",
    "why face:100",
    "doctor",
    "takedown character:3 --reason asked --yes",
)
#: A plan that reads all rows, or all of a common state.
_WHOLE = re.compile(
    r"SCAN (?!json_each)|SEARCH .* \((label|verdict|awaits|status)=\?\)$"
)


@contextmanager
def statements() -> Iterator[set[str]]:
    """Collect the statements that are sent to any catalogue."""
    sent: set[str] = set()

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.add(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def read_for_each_row(connection: sa.Connection, statement: str) -> list[str]:
    """What SQLite reads whole for every row of something else."""
    values = (0,) * statement.count("?")
    explained = "EXPLAIN QUERY PLAN " + statement
    plan = {row[0]: row for row in connection.exec_driver_sql(explained, values)}

    def is_correlated(parent: int) -> bool:
        if parent not in plan:
            return False
        _, above, _, detail = plan[parent]
        return "CORRELATED" in detail or is_correlated(above)

    return [
        detail
        for _, parent, _, detail in plan.values()
        if _WHOLE.match(detail) and is_correlated(parent)
    ]


def test_no_command_reads_a_table_whole_for_every_row_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path / "space", 20 * FACES_PER_CHARACTER)
    made.catalogue.close()
    monkeypatch.chdir(made.root)
    with statements() as sent:
        for line in COMMANDS:
            try:
                call(*line.split())
            except SomeFailed:
                assert line.startswith("takedown")  # an early batch was never written
    queries = [each for each in sent if each.startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(queries) > 200
    with find(made.root).catalogue.read() as connection:
        found = {each: read_for_each_row(connection, each) for each in queries}
    assert {each: plans for each, plans in found.items() if plans} == {}
