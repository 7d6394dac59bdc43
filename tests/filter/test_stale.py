"""Which standing decisions an edited setting would change, and who says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import decision
from icf.engine.step import Step
from icf.filter.stale import find_stale
from icf.filter.steps.aspect import Aspect
from icf.filter.steps.size import Size
from icf.settings import FilterSettings

STEPS: Sequence[Step[Any]] = (Aspect(64, 3.0), Size(30))
NOW = FilterSettings(min_face=30, min_side=64, max_aspect=3.0)


def judge(
    catalogue: Catalogue,
    faces: Sequence[int],
    filter_settings: Mapping[str, object],
    command: str = "icf-filter run",
    *,
    finished: bool = True,
) -> None:
    """Record a run that judged faces by size."""
    settings = json.dumps({"filter": {"min_side": 64, **filter_settings}})
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, command, settings, "0")
        rows = [
            {
                "subject": "face",
                "subject_id": each,
                "step": "size",
                "verdict": "kept",
                "reason": "ok",
                "run_id": run_id,
                "decided_at": 0.0,
            }
            for each in faces
        ]
        if rows:
            connection.execute(sa.insert(decision), rows)
        if finished:
            ledger.end_run(connection, run_id)


def said(catalogue: Catalogue) -> list[str]:
    with catalogue.read() as connection:
        return [each.message for each in find_stale(connection, NOW, STEPS)]


def test_decisions_by_the_settings_of_now_are_not_stale(catalogue: Catalogue) -> None:
    judge(catalogue, [], {"min_face": 80})
    judge(catalogue, [1, 2], {"min_face": 30})
    judge(catalogue, [], {"unknown": 1}, "icf-filter review --apply")
    assert said(catalogue) == []


def test_an_edited_setting_names_what_the_earlier_value_judged(
    catalogue: Catalogue,
) -> None:
    judge(catalogue, range(1, 282), {"min_face": 80})
    judge(catalogue, [290], {"min_face": 60})
    judge(catalogue, [300], {"min_face": 30})
    again = "`icf-filter rethreshold` judges them again"
    assert said(catalogue) == [
        f"filter.min_face is 30, and 281 rows were judged by 80: {again}",
        f"filter.min_face is 30, and 1 row was judged by 60: {again}",
    ]


def test_a_finished_rethresholding_brings_all_up_to_date(catalogue: Catalogue) -> None:
    judge(catalogue, [1, 2, 3], {"min_face": 80})
    judge(catalogue, [1], {"min_face": 30}, "icf-filter rethreshold", finished=False)
    assert len(said(catalogue)) == 1
    judge(catalogue, [2], {"min_face": 30}, "icf-filter rethreshold")
    assert said(catalogue) == []
    judge(catalogue, [4], {"min_face": 50})
    assert "1 row was judged by 50" in said(catalogue)[0]


def test_a_rethresholding_by_other_settings_makes_all_stale(
    catalogue: Catalogue,
) -> None:
    judge(catalogue, [1, 2, 3], {"min_face": 30})
    judge(catalogue, [3], {"min_face": 80}, "icf-filter rethreshold")
    assert "3 rows were judged by 80" in said(catalogue)[0]
