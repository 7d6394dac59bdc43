from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image
from icf.filter.steps.aspect import Aspect
from tests.filter.rows import add_album, add_image


@pytest.mark.parametrize(
    ("width", "height", "reason", "value", "threshold"),
    [
        (64, 900, "ok", 64, 64),
        (63, 900, "too_small", 63, 64),
        (900, 63, "too_small", 63, 64),
        (800, 12_000, "ok", 800, 64),
        (16_000, 800, "ok", 800, 64),
        (16_001, 800, "bad_aspect", 20.00125, 20.0),
        (50, 1_100, "bad_aspect", 22.0, 20.0),
    ],
)
def test_an_image_needs_the_minimum_side_and_may_be_no_strip(
    catalogue: Catalogue,
    width: int,
    height: int,
    reason: str,
    value: float,
    threshold: float,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom)
    step = Aspect(64, 20.0)
    with catalogue.write() as connection:
        update = sa.update(image).where(image.c.id == image_id)
        connection.execute(update.values(width=width, height=height))
        [outcome] = step.judge(step.select(connection, [image_id]))
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (value, threshold)
