"""Faces of an earlier version: they keep their decisions until they are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.engine.local import LocalEngine
from icf.filter.measure import count_unmeasured, measure
from icf.filter.rethreshold.run import rethreshold
from icf.workspace import Workspace
from tests.filter.workspaces import (
    make_workspace,
    no_bar,
    rows,
    run_before,
    site_files,
)

pytestmark = pytest.mark.slow

FORGET = {"edge_sharpness": None, "resolution": None, "contrast": None}
MEASURES = sa.select(face.c.id, *(face.c[name] for name in FORGET)).order_by(face.c.id)
DECISIONS = sa.select(face.c.id, face.c.verdict, face.c.reason, face.c.awaits).order_by(
    face.c.id
)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with faces up to the step that embeds them."""
    made = make_workspace(tmp_path_factory.mktemp("old") / "w", site_files(1))
    run_before(made, "embed")
    yield made
    made.catalogue.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with closing(LocalEngine(1)) as made:
        yield made


def changed(made: Workspace, **values: object) -> None:
    with made.catalogue.write() as connection:
        connection.execute(sa.update(face).values(**values))


def measured(made: Workspace, engine: LocalEngine) -> list[int]:
    """Measure; return the faces that could not be."""
    return [each.id for each in measure(made, engine, lambda done: None)]


def test_they_keep_their_decisions_until_they_are_measured(
    judged: Workspace, engine: LocalEngine
) -> None:
    known, decided = rows(judged, MEASURES), rows(judged, DECISIONS)
    assert None not in np.array(known, object)
    changed(judged, **FORGET)
    rethreshold(judged, no_bar)
    assert rows(judged, DECISIONS) == decided
    assert count_unmeasured(judged.catalogue) == len(known)
    assert measured(judged, engine) == []
    assert rows(judged, MEASURES) == known
    assert rows(judged, DECISIONS) == decided
    assert (measured(judged, engine), count_unmeasured(judged.catalogue)) == ([], 0)


def test_a_new_measure_decides_once_thresholds_are_applied(
    judged: Workspace, engine: LocalEngine
) -> None:
    # As if they were dark, and called blurred for their low Laplacian variance.
    decided = rows(judged, DECISIONS)
    changed(judged, **FORGET, sharpness=1.0)
    rethreshold(judged, no_bar)
    assert rows(judged, DECISIONS) != decided
    measured(judged, engine)
    rethreshold(judged, no_bar)
    assert rows(judged, DECISIONS) == decided


def test_a_face_without_its_picture_is_named_and_keeps_its_decision(
    judged: Workspace, engine: LocalEngine
) -> None:
    changed(judged, **FORGET)
    query = sa.select(face.c.id, image.c.sha256).join(
        image, image.c.id == face.c.image_id
    )
    lost_id, sha256 = rows(judged, query)[0]
    judged.blobs.remove(sha256)
    decided = rows(judged, DECISIONS)
    assert lost_id in measured(judged, engine)
    assert rows(judged, DECISIONS) == decided
    assert count_unmeasured(judged.catalogue) >= 1
