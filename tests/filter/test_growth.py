"""What the filter reads again and again grows with one character, not with all."""

from __future__ import annotations

import re
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from benchmarks.large_workspace import FACES_PER_CHARACTER, make

from icf.catalogue.schema import image
from icf.filter.chain import filter_chain
from icf.filter.rethreshold.chain_state import ChainStates
from icf.filter.rethreshold.run import rethreshold
from icf.workspace import Workspace, find
from tests.filter.workspaces import no_bar, run_filter

pytestmark = pytest.mark.slow

CHARACTERS = 20
_ANY_NUMBER = re.compile(r"\(\?(, \?)*\)")
#: A plan that reads all rows, or all of a common state.
_WHOLE = re.compile(r"SCAN |SEARCH .* \((label|verdict|awaits|status)=\?\)$")
#: Reading all of these for each character would be quadratic.
GROWING = {"image", "face", "decision", "question", "answer", "candidate", "face_link"}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of a few characters, made as the benchmark makes large ones."""
    root = tmp_path_factory.mktemp("large") / "space"
    return make(root, CHARACTERS * FACES_PER_CHARACTER)


@contextmanager
def statements(made: Workspace) -> Iterator[dict[str, list[str]]]:
    """Collect the statements sent, by their text without the number of values."""
    sent: dict[str, list[str]] = defaultdict(list)

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent[_ANY_NUMBER.sub("(?)", statement)].append(statement)

    engine = made.catalogue.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


def scanned(made: Workspace, statement: str) -> set[str]:
    """The growing tables that SQLite reads whole, or nearly, for a statement."""
    with made.catalogue.read() as connection:
        explained = "EXPLAIN QUERY PLAN " + statement
        values = (0,) * statement.count("?")
        plan = [row[3] for row in connection.exec_driver_sql(explained, values)]
    return {line.split()[1] for line in plan if _WHOLE.match(line)} & GROWING


def often_scanned(made: Workspace, sent: dict[str, list[str]]) -> dict[str, set[str]]:
    """The statements that were sent for every character and read a table whole."""
    # The plan depends on the number of values.
    often = [max(some, key=len) for some in sent.values() if len(some) >= CHARACTERS]
    queries = [each for each in often if each.startswith(("SELECT", "UPDATE"))]
    assert queries
    return {each: found for each in queries if (found := scanned(made, each))}


def test_a_run_reads_no_table_whole_for_each_character(large: Workspace) -> None:
    with large.catalogue.write() as connection:
        connection.exec_driver_sql(
            "UPDATE face SET awaits = 'duplicates', verdict = 'pending'"
            " WHERE verdict = 'kept'"
        )
    with statements(large) as sent:
        run_filter(large)
    assert often_scanned(large, sent) == {}


def test_a_rethresholding_reads_no_table_whole_for_each_character(
    large: Workspace,
) -> None:
    made = find(large.root, ("filter.min_sharpness=300", "filter.max_phash=4"))
    with statements(made) as sent:
        rethreshold(made, no_bar)
    assert often_scanned(made, sent) == {}


def test_looking_up_one_state_copies_nothing(large: Workspace) -> None:
    steps = [each for each in filter_chain(large).steps if each.subject == "image"]
    with large.catalogue.read() as connection:
        states = ChainStates(connection, steps)
        ids = list(connection.execute(sa.select(image.c.id)).scalars())
    tracemalloc.start()
    for each in ids:
        assert not states[each].dropped
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(ids)
