"""Where the variable CI is set, nothing is skipped that could have been installed.

A plugin of pytest: a skipped test, or file of tests, is then a failed one.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

#: What a reason names that no installation gives: such a skip stays one.
NOT_TO_INSTALL = ("GPU", "only root", "opt-in")


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not os.environ.get("CI") or not report.skipped or hasattr(report, "wasxfail"):
        return
    # Of a skip this is file, line and reason.
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""
    if not any(each in reason for each in NOT_TO_INSTALL):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCI is set: here a test that is skipped failed."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    report = yield
    _fail(report)
    return report
