from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image
from icf.engine.step import Outcome
from icf.engine.threshold import StoredRow
from icf.filter.steps.photo import Photo
from tests.filter.rows import add_album, add_image

MODEL = "f" * 64


def judged(catalogue: Catalogue, photo: float | None) -> Outcome:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom, awaits="photo")
    measured = {"photo": photo, "photo_model": None if photo is None else MODEL}
    with catalogue.write() as connection:
        here = sa.update(image).where(image.c.id == image_id)
        connection.execute(here.values(measured))
    step = Photo(0.9)
    with catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [image_id]))
    assert outcome.id == image_id
    return outcome


@pytest.mark.parametrize(
    ("photo", "reason"),
    [(0.0, "ok"), (0.9, "ok"), (0.901, "photograph"), (1.0, "photograph")],
)
def test_what_is_over_the_threshold_is_out_with_value_and_model(
    catalogue: Catalogue, photo: float, reason: str
) -> None:
    outcome = judged(catalogue, photo)
    assert (outcome.passed, outcome.reason) == (reason == "ok", reason)
    assert (outcome.value, outcome.threshold, outcome.model) == (photo, 0.9, MODEL)


def test_a_picture_that_was_never_measured_passes(catalogue: Catalogue) -> None:
    outcome = judged(catalogue, None)
    assert (outcome.passed, outcome.reason) == (True, "ok")
    assert (outcome.value, outcome.model) == (None, None)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_never_drops_more(
    photo: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    item = StoredRow(1, (photo, MODEL))
    [strict], [lax] = Photo(low).judge([item]), Photo(high).judge([item])
    assert lax.passed or not strict.passed


def test_it_needs_no_pixels_so_that_thresholds_can_be_moved() -> None:
    assert Photo.stored
