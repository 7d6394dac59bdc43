from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.filter.uncalibrated import uncalibrated
from icf.models.formats.outside import UNCALIBRATED
from icf.workspace import Workspace, init
from tests.app.program import call
from tests.models.gate.toy import crown, hash_of
from tests.models.onnx_files import colour_embedder


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    made = init(tmp_path / "space")
    yield made
    made.catalogue.close()


def test_the_bundled_embedder_is_calibrated(made: Workspace) -> None:
    assert uncalibrated(made) is None


def test_an_embedder_from_outside_is_not_until_answers_taught_a_curve(
    made: Workspace, tmp_path: Path
) -> None:
    path = colour_embedder(tmp_path / "ears.onnx", **UNCALIBRATED)
    crown(made, "embedder", path)
    assert "the embedder ears is not calibrated" in str(uncalibrated(made))
    assert "is not calibrated" in call("-C", made.root, "filter", "status").stderr
    run_id = made.begin_run("icf-filter calibrate")
    with made.catalogue.write() as connection:
        calibrations.add(
            connection,
            run_id,
            hash_of(path),
            Curve(9.0, -4.0),
            answered=50,
            error=0.01,
            figures={},
        )
    assert uncalibrated(made) is None
    assert "is not calibrated" not in call("-C", made.root, "filter", "status").stderr
