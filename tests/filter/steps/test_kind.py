from __future__ import annotations

from icf.catalogue.catalogue import Catalogue
from icf.filter.steps.kind import Kind
from tests.filter.rows import DETECTOR, add_album, add_face, add_image


def test_human_faces_are_out_and_cartoon_faces_pass(
    sqlite_catalogue: Catalogue,
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    image_id = add_image(sqlite_catalogue, tom)
    faces = [
        add_face(sqlite_catalogue, image_id, tom, kind=kind, score=0.8)
        for kind in ("human", "cartoon")
    ]
    with sqlite_catalogue.read() as connection:
        outcomes = Kind().judge(Kind().select(connection, faces))
    assert [(o.id, o.passed, o.reason) for o in outcomes] == [
        (faces[0], False, "human"),
        (faces[1], True, "ok"),
    ]
    assert {(o.value, o.model) for o in outcomes} == {(0.8, DETECTOR)}
