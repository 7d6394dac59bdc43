from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_pytest import inner_pytest

pytestmark = pytest.mark.slow

SKIPS = "tests.skips"
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no chromium here")
def test_program(): ...

@pytest.mark.skipif(True, reason="this machine has no GPU")
def test_gpu(): ...

def test_inside():
    pytest.importorskip("no_such_package", reason="needs an extra")

@pytest.mark.xfail(strict=True)
def test_known_fault():
    raise ValueError
"""


def test_what_could_be_installed_is_skipped_here_and_fails_in_ci(
    tmp_path: Path,
) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(TESTS)
    assert " 3 skipped, 1 xfailed in " in inner_pytest(SKIPS, test)
    said = inner_pytest(SKIPS, test, ci=True)
    assert " 1 failed, 1 skipped, 1 xfailed, 1 error in " in said
    assert "no chromium here\nCI is set" in said


def test_a_whole_file_that_is_skipped_is_an_error_in_ci(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text("import pytest\npytest.importorskip('no_such_package')\n")
    assert " 1 skipped in " in inner_pytest(SKIPS, test)
    assert " 1 error in " in inner_pytest(SKIPS, test, ci=True)
