from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.catalogue import Catalogue
from icf.dataset.report.process.measures import Measure, read_measures
from icf.settings import FilterSettings
from tests.filter.rows import add_album, add_face, add_image

WANTED = FilterSettings(
    max_photo=0.9, min_face=100, min_brightness=16, min_sharpness=100
)


def measured(catalogue: Catalogue) -> dict[str, Measure]:
    with catalogue.read() as connection:
        return {each.name: each for each in read_measures(connection, WANTED)}


def test_all_that_was_measured_is_counted_on_its_side_of_the_threshold(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image = add_image(catalogue, tom)
    for side, verdict in ((99.9, "dropped"), (100, "kept"), (104, "pending")):
        add_face(catalogue, image, tom, x2=side, y2=side + 9, verdict=verdict)
    size = measured(catalogue)["Size"]
    assert size.counts == {9: (0, 1), 10: (2, 0)}
    assert (size.step, size.threshold, size.total, size.beyond) == (10, 100, 3, 1)


def test_a_bar_in_which_the_threshold_lies_is_split(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    image = add_image(catalogue, tom)
    for brightness in (15.9, 16.0, 17.5, None):
        add_face(catalogue, image, tom, brightness=brightness)
    found = measured(catalogue)
    assert found["Brightness"].counts == {1: (0, 1), 2: (2, 0)}
    assert "Contrast" not in found


def test_pictures_over_the_threshold_are_the_bad_ones(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    images = [add_image(catalogue, tom) for _ in range(4)]
    with catalogue.write() as connection:
        for image, photo in zip(images, (0.0, 0.9, 0.97, None), strict=True):
            here = sa.update(schema.image).where(schema.image.c.id == image)
            connection.execute(here.values(photo=photo))
    found = measured(catalogue)["Photograph"]
    assert (found.total, found.beyond, found.threshold) == (3, 1, 0.9)


def test_a_measure_without_a_setting_has_no_threshold(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    add_face(catalogue, add_image(catalogue, tom), tom, sharpness_paper=12.0)
    paper = measured(catalogue)["Sharpness as in the paper"]
    assert (paper.threshold, paper.counts) == (None, {0: (1, 0)})


def test_nothing_measured_is_no_measure(catalogue: Catalogue) -> None:
    assert measured(catalogue) == {}
