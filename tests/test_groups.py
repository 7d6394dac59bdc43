from __future__ import annotations

from pathlib import Path

import pytest

from tests import groups, skips
from tests.inner_pytest import inner_pytest

pytestmark = pytest.mark.slow

GROUPS = "tests.groups"
XDIST = "-p", "xdist.plugin"
TESTS = """
import os
from pathlib import Path
import pytest

@pytest.fixture(scope="module")
def costly():
    with Path(__file__).with_name("made").open("a") as made:
        made.write("once\\n")

@pytest.mark.parametrize("number", range(8))
def test_with_it(costly, number): ...

@pytest.mark.parametrize("bytes_", [os.urandom(9), os.urandom(9)])
def test_with_a_name_that_no_worker_knows(bytes_): ...

@pytest.mark.slow
def test_slow(): ...
"""


def test_what_a_file_shares_is_made_once_for_all_workers(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(TESTS)
    workers = *XDIST, "-n", "2", "--dist", "loadgroup"
    assert " 11 passed in " in inner_pytest(GROUPS, test, *workers)
    assert (tmp_path / "made").read_text() == "once\n"


def test_the_slow_begin(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(TESTS)
    listed = inner_pytest(GROUPS, test, *XDIST, "--collect-only", "-q").splitlines()
    assert listed[0].endswith("::test_slow")


def test_all_tests_run_with_both_plugins(pytestconfig: pytest.Config) -> None:
    registered = pytestconfig.pluginmanager.is_registered
    assert registered(groups)
    assert registered(skips)
