from __future__ import annotations

import pytest

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from tests.annotate.place import EMBEDDER, Place


@pytest.fixture
def calibrated(place: Place) -> Place:
    """A place whose embedder was held against answers."""
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        calibrations.add(
            connection, run_id, EMBEDDER, Curve(9, -4), answered=50, error=0, figures={}
        )
    return place
