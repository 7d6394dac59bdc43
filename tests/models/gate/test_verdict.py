"""What a measured difference means, in words and as a verdict."""

from __future__ import annotations

import math

import pytest

from icf.models.gate.bootstrap import Difference
from icf.models.gate.report import Floor, GateReport
from icf.models.gate.verdict import judged

BLANK = GateReport(
    task="embedder",
    champion="c" * 64,
    challenger="d" * 64,
    promoted=False,
    figure="mean average precision",
    margin=0.02,
    confidence=0.95,
)


def found(value: float, low: float, high: float, visible: float = 0.08) -> GateReport:
    difference = Difference(value, low, high, 0.03, 20, visible)
    return judged(BLANK, difference, "audit characters")


def test_over_the_margin_it_is_promoted_though_it_may_be_a_little_worse() -> None:
    report = found(-0.001, -0.019, 0.017)
    assert report.promoted
    assert report.reasons == ()
    assert (report.difference, report.interval) == (-0.001, (-0.019, 0.017))


def test_a_certain_loss_is_called_one() -> None:
    report = found(-0.05, -0.08, -0.02)
    assert not report.promoted
    assert report.reasons[0].startswith("it is worse: mean average precision changes")


def test_what_the_set_cannot_see_says_how_many_would() -> None:
    report = found(0.01, -0.05, 0.07)
    assert not report.promoted
    [reason] = report.reasons
    assert "it may be worse by more than gate.margin, 0.02" in reason
    # The smallest visible loss is four times the margin: sixteen times as many.
    assert "with 20 audit characters a loss of 0.0800 is the smallest" in reason
    assert "about 320 would show one of 0.02" in reason


def test_without_bounds_it_is_refused_and_stored_without_infinities() -> None:
    report = found(0.5, -math.inf, math.inf, math.inf)
    assert not report.promoted
    assert report.interval == (None, None)
    assert report.smallest_visible is None
    assert GateReport.from_json(report.to_json()) == report
    assert "no bound" in report.text()


def test_a_group_that_loses_refuses_a_promoted_model() -> None:
    report = found(0.1, 0.05, 0.15).refused(["album Moon: it loses 0.2"])
    assert not report.promoted
    assert report.reasons == ("album Moon: it loses 0.2",)


def test_the_text_says_all_that_was_found() -> None:
    floors = (
        Floor("album Moon", 7, -0.2, (-0.3, -0.1), 0.1, held=False),
        Floor("album Sun", 2, 0.0, (None, None), 0.1, held=None),
    )
    report = GateReport(
        **{
            **vars(found(0.1, 0.05, 0.15)),
            "floors": floors,
            "compared": {"audit characters": 21},
            "figures": {"champion": {"map": 0.5}, "challenger": {"map": 0.6}},
            "notes": ("a note",),
        }
    )
    assert report.text().splitlines() == [
        "the challenger dddddddddddd may be promoted; the champion embedder is "
        "cccccccccccc",
        "compared on 21 audit characters",
        "champion: map 0.5000",
        "challenger: map 0.6000",
        "mean average precision: +0.1000, with 95% confidence over +0.0500 and under "
        "+0.1500; over -0.02 is needed",
        "the smallest loss that this audit set shows four times in five: 0.0800",
        "album Moon: -0.2000, at most -0.1000: loses more than 0.1",
        "1 albums and sizes have too little to be judged alone",
        "a note",
    ]


@pytest.mark.parametrize("promoted", [True, False])
def test_a_report_is_json_and_back(promoted: bool) -> None:
    report = found(0.0, -0.01 if promoted else -0.1, 0.01)
    assert report.promoted == promoted
    assert GateReport.from_json(report.to_json()) == report
