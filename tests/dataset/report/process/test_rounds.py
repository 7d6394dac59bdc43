from __future__ import annotations

from pathlib import Path

from icf.catalogue.rounds import log
from icf.codes import RoundState
from icf.dataset.report.page import write_report
from icf.dataset.report.process.rounds import chart, read_shown_rounds
from icf.workspace import Workspace

INTERVAL = {"value": 0.02, "low": 0.01, "high": 0.04}


def play(workspace: Workspace, left: int, *, promoted: bool) -> None:
    """Add a round that is done."""
    measured = {"to_ask": left, "label_error": INTERVAL, "calibration": None}
    figures = {"champion": {"rank1": 0.7}, "challenger": {"rank1": 0.8}}
    gate = {"promoted": promoted, "reason": "<so>", "figures": figures}
    found = {
        "batches": [{"questions": 40}, {"questions": 2}],
        "training": {"model": "a" * 64, "steps": 9, "seconds": 1.0},
        "gate": gate,
        "after": measured,
        "changes": {"questions_saved": 7},
    }
    with workspace.catalogue.write() as connection:
        made = log.open_or_begin(connection)
        log.move(connection, made.id, RoundState.DONE, found)


def shown(workspace: Workspace, target: Path) -> str:
    write_report(workspace, target)
    return target.read_text(encoding="utf-8")


def test_without_rounds_the_report_says_nothing_of_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert 'id="rounds"' not in shown(workspace, tmp_path / "report.html")


def test_each_round_has_a_row_and_two_have_a_chart(
    workspace: Workspace, tmp_path: Path
) -> None:
    play(workspace, 120, promoted=True)
    with workspace.catalogue.read() as connection:
        assert not chart(read_shown_rounds(connection))
    play(workspace, 30, promoted=False)
    with workspace.catalogue.write() as connection:
        log.open_or_begin(connection)
    with workspace.catalogue.read() as connection:
        first, second, third = read_shown_rounds(connection)
    assert (first.asked, first.left, first.saved) == (42, 120, 7)
    assert (first.rank1, second.rank1, third.rank1) == ("80.0%", "70.0%", "")
    assert first.error == "2.0% (1.0% to 4.0%)"
    assert (third.left, third.trained) == (None, "")
    text = shown(workspace, tmp_path / "report.html")
    assert "round 1: 120 left; round 2: 30 left" in text
    assert "&lt;so&gt;" in text
    assert "<so>" not in text
