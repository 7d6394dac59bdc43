"""Which standing decisions an edited setting would change, and who says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import decision
from icf.engine import plugins
from icf.engine.stale import SETTINGS, find_stale
from icf.filter.chain import own_steps
from icf.settings import FilterSettings
from tests.annotate.place import Place

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
        return [each.message for each in find_stale(connection, NOW)]


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


def test_every_setting_that_a_step_compares_with_is_looked_at(
    plain: Place,
) -> None:
    known = FilterSettings.model_fields
    compared = {
        step.name: [each.name for each in fields(cast(Any, step)) if each.name in known]
        for step in own_steps(plain.workspace)
        if step.stored
    }
    for step, names in compared.items():
        assert set(names) <= set(SETTINGS.get(step, ())), step
    for step, found in SETTINGS.items():
        assert step in compared
        assert set(found) <= known.keys()


def test_other_packages_steps_count_where_they_judge_what_is_stored(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(catalogue, [1, 2], {"steps": {"size": {"side": 1}, "other": {"side": 1}}})
    now = NOW.model_copy(update={"steps": {"size": {"side": 2}, "other": {"side": 2}}})
    for stored, found in ((True, ["filter.steps.size"]), (False, [])):
        one = SimpleNamespace(name="size", stored=stored)
        monkeypatch.setattr(plugins, "loadable", lambda one=one: iter([one]))
        with catalogue.read() as connection:
            assert [each.setting for each in find_stale(connection, now)] == found
