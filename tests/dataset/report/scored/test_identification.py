from __future__ import annotations

from pathlib import Path

import pytest

from icf.dataset.own_models import OWN_EMBEDDER
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.scored.identification import (
    ShownIdentification,
    read_identification,
)
from icf.icartoonface.release_files import FEATURES
from icf.workspace import Workspace


@pytest.fixture
def release(workspace: Workspace) -> Path:
    target = workspace.root / "releases" / "one"
    write(workspace, prepare(workspace, 1), target, 1)
    return target


def test_the_curve_has_every_rank_with_its_interval_of_all_and_of_each_role(
    release: Path,
) -> None:
    shown = read_identification(release)
    assert shown is not None
    assert shown.unfair == OWN_EMBEDDER
    curve = shown.found.curves.all
    rows = [row for row in shown.plot.rows if row[0] == "all pairs"]
    assert [row[2] for row in rows] == [
        pytest.approx(p, abs=1e-4) for p in curve.percent
    ]
    for _, _, percent, low, high in shown.plot.rows:
        assert isinstance(percent, float)
        if low is not None and high is not None:
            assert float(low) <= percent <= float(high)
    names = {str(row[0]) for row in shown.plot.rows}
    assert names == {"all pairs", *(f"identities {r} in train" for r in _roles(shown))}
    everything, *others = shown.groups
    assert everything.kind == "all"
    by_album = [each for each in others if each.kind == "album"]
    assert sum(each.pairs for each in by_album) == everything.pairs
    assert "Cumulative" in shown.plot.title


def test_without_its_features_nothing_is_scored(release: Path) -> None:
    (release / FEATURES).unlink()
    assert read_identification(release) is None


def _roles(shown: ShownIdentification) -> set[str]:
    return {each.name for each in shown.groups if each.kind == "role"}
