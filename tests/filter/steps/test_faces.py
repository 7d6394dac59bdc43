from __future__ import annotations

from icf.catalogue.catalogue import Catalogue
from icf.filter.steps.faces import HasFaces
from tests.filter.rows import add_album, add_face, add_image


def test_an_image_is_in_for_its_surest_face_of_any_kind(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    sure, doubtful, empty = (add_image(catalogue, tom) for _ in range(3))
    add_face(catalogue, sure, tom, score=0.4)
    add_face(catalogue, sure, tom, score=0.5, kind="human")
    add_face(catalogue, doubtful, tom, score=0.49)
    step = HasFaces(0.5)
    with catalogue.read() as connection:
        items = step.select(connection, [sure, doubtful, empty])
    judged = {o.id: (o.reason, o.value, o.threshold) for o in step.judge(items)}
    assert judged == {
        sure: ("ok", 0.5, 0.5),
        doubtful: ("no_face", 0.49, 0.5),
        empty: ("no_face", None, 0.5),
    }
