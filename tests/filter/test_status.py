from __future__ import annotations

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.filter.status import StepCounts, count_steps
from icf.filter.steps.faces import HasFaces
from icf.filter.steps.kind import Kind
from icf.filter.steps.sharpness import Sharpness
from icf.filter.steps.size import Size
from tests.filter.rows import add_album, add_face, add_image

STEPS = (HasFaces(0.5), Size(100), Kind(), Sharpness(100.0))


def drop(catalogue: Catalogue, face_id: int, *steps: str) -> None:
    """Write that steps dropped a face, one after another."""
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        ledger.append(
            connection,
            run_id,
            [
                ledger.Decision("face", face_id, step, "dropped", "too_small")
                for step in steps
            ],
        )


def test_each_step_tells_who_came_to_it_passed_waits_and_is_out(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom, awaits="faces")
    out = {"awaits": None, "verdict": "dropped"}
    add_face(catalogue, image_id, tom, awaits="kind")
    add_face(catalogue, image_id, tom, awaits=None, verdict="kept")
    small = add_face(catalogue, image_id, tom, reason="too_small", **out)
    drop(catalogue, small, "size")
    # It was too small once; now something else has it out.
    blurred = add_face(catalogue, image_id, tom, reason="blurred", **out)
    drop(catalogue, blurred, "size", "sharpness")
    with catalogue.read() as connection:
        counts = count_steps(connection, STEPS)
    assert counts == [
        StepCounts("faces", "image", 0, 1, {}),
        StepCounts("size", "face", 3, 0, {"too_small": 1}),
        StepCounts("kind", "face", 2, 1, {}),
        StepCounts("sharpness", "face", 1, 0, {"blurred": 1}),
    ]
    assert [each.reached for each in counts] == [1, 4, 3, 2]


def test_what_is_dropped_after_the_chain_passed_all_of_it(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom, awaits=None)
    add_face(catalogue, image_id, tom, awaits=None, verdict="kept")
    out = {"awaits": None, "verdict": "dropped"}
    for reason, step in (("not_a_face", "label"), ("taken_down", "takedown")):
        drop(catalogue, add_face(catalogue, image_id, tom, reason=reason, **out), step)
    with catalogue.read() as connection:
        counts = count_steps(connection, STEPS)
    faces = [each for each in counts if each.subject == "face"]
    assert [(each.step, each.reached, each.passed) for each in faces] == [
        ("size", 3, 3),
        ("kind", 3, 3),
        ("sharpness", 3, 3),
        ("label", 3, 2),
        ("takedown", 2, 1),
    ]
