from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from icf.models.anchors import SMALL, TORCHVISION, Geometry
from icf.models.training.detector.targets import (
    Faces,
    Targets,
    assign,
    decode,
    encode,
    padded,
)

Box = tuple[float, float, float, float]


def boxes(*rows: Box) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def faces(
    *rows: Box, kinds: list[int], ignored: Tensor | None = None, complete: bool = True
) -> Faces:
    """The faces of one picture."""
    none = boxes() if ignored is None else ignored
    return padded([boxes(*rows)], [torch.tensor(kinds)], [none], [complete])


def assigned(reference: Tensor, found: Faces) -> list[int]:
    classes: list[int] = assign(reference, found).classes[0].tolist()
    return classes


def test_anchors_on_a_face_are_matched_and_the_rest_is_background() -> None:
    reference = boxes((0, 0, 10, 10), (2, 0, 12, 10), (50, 50, 60, 60), (4, 0, 14, 10))
    found = assign(reference, faces((0, 0, 10, 10), kinds=[1]))
    # IoU 1, .667, 0 and .429: matched, matched, background, not counted.
    assert found.classes.tolist() == [[1, 1, -1, -2]]
    assert found.boxes[0, :2].tolist() == [[0, 0, 10, 10]] * 2
    assert torch.equal(found.boxes[0, 2:], reference[2:])


def test_every_face_has_its_best_anchor_however_poor() -> None:
    reference = boxes((0, 0, 10, 10), (30, 30, 40, 40))
    assert assigned(reference, faces((33, 33, 36, 36), kinds=[0])) == [-1, 0]


def test_a_matched_anchor_belongs_to_the_face_it_covers_most() -> None:
    reference = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    shown = faces((20, 0, 30, 10), (0, 0, 10, 10), kinds=[0, 1])
    assert assigned(reference, shown) == [1, 0]


def test_anchors_in_an_ignored_box_are_not_counted_but_where_a_face_is() -> None:
    reference = boxes((0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60))
    shown = faces((20, 0, 30, 10), kinds=[0], ignored=boxes((0, 0, 40, 40)))
    assert assigned(reference, shown) == [-2, 0, -1]


def test_without_faces_everything_is_background() -> None:
    assert set(assigned(SMALL_ANCHORS, faces(kinds=[]))) == {-1}


def test_an_incomplete_picture_says_nothing_of_what_is_far_from_its_faces() -> None:
    reference = boxes((0, 0, 10, 10), (7, 0, 17, 10), (50, 50, 60, 60))
    shown = faces((0, 0, 10, 10), kinds=[0], complete=False)
    # IoU 1, .176 and 0: the face, known to be beside it, unknown.
    assert assigned(reference, shown) == [0, -1, -2]
    assert set(assigned(reference, faces(kinds=[], complete=False))) == {-2}


SMALL_ANCHORS = torch.from_numpy(SMALL.anchors(128, 128).copy())

place = st.floats(-10, 120)
side = st.floats(4, 100)


@st.composite
def pictures(draw: st.DrawFn) -> list[tuple[Tensor, Tensor, Tensor, bool]]:
    def some(most: int) -> Tensor:
        rows = [
            (x, y, x + w, y + h)
            for x, y, w, h in draw(
                st.lists(st.tuples(place, place, side, side), max_size=most)
            )
        ]
        return boxes(*rows)

    found = []
    for _ in range(draw(st.integers(1, 3))):
        shown = some(11)
        kinds = torch.tensor(
            draw(st.lists(st.integers(0, 1), min_size=len(shown), max_size=len(shown))),
            dtype=torch.int64,
        )
        found.append((shown, kinds, some(2), draw(st.booleans())))
    return found


@given(shown=pictures())
def test_a_batch_is_matched_as_each_picture_alone_would_be(
    shown: list[tuple[Tensor, Tensor, Tensor, bool]],
) -> None:
    found = assign(SMALL_ANCHORS, padded(*zip(*shown, strict=True)))
    for i, one in enumerate(shown):
        expected = by_hand(SMALL_ANCHORS, *one)
        assert torch.equal(found.classes[i], expected.classes)
        assert torch.equal(found.boxes[i], expected.boxes)


def by_hand(
    reference: Tensor, shown: Tensor, kinds: Tensor, ignored: Tensor, complete: bool
) -> Targets:
    """The rules, a picture at a time, as they are written in the docstring."""
    overlap = torchvision.ops.box_iou(reference, shown)
    best = overlap.amax(1) if len(shown) else torch.zeros(len(reference))
    classes = torch.full((len(reference),), -1)
    if not complete:
        classes[best < 0.1] = -2
    for x1, y1, x2, y2 in ignored:
        wide = torch.minimum(reference[:, 2], x2) - torch.maximum(reference[:, 0], x1)
        high = torch.minimum(reference[:, 3], y2) - torch.maximum(reference[:, 1], y1)
        area = (reference[:, 2] - reference[:, 0]) * (reference[:, 3] - reference[:, 1])
        classes[wide.clamp(min=0) * high.clamp(min=0) / area > 0.5] = -2
    classes[best >= 0.4] = -2
    wanted = reference.clone()
    if len(shown):
        which = overlap.argmax(1)
        chosen = best >= 0.5
        for number, anchor in enumerate(overlap.argmax(0).tolist()):
            which[anchor], chosen[anchor] = number, True
        classes[chosen] = kinds[which[chosen]]
        wanted[chosen] = shown[which[chosen]]
    return Targets(classes, wanted)


offset = st.floats(-4, 4, width=32)


@pytest.mark.parametrize("geometry", [SMALL, TORCHVISION])
@given(rows=st.lists(st.tuples(offset, offset, offset, offset), min_size=1, max_size=9))
def test_running_applies_offsets_as_training_does(
    geometry: Geometry, rows: list[tuple[float, float, float, float]]
) -> None:
    offsets = np.array(rows, np.float32)
    reference = geometry.anchors(64, 64)[: len(rows)]
    trained = decode(
        torch.from_numpy(offsets), torch.from_numpy(reference.copy()), geometry
    )
    found = geometry.decode(offsets, reference)
    np.testing.assert_allclose(found, trained.numpy(), rtol=1e-4, atol=1e-2)


#: In sides of the anchor; `decode` stops at e^3.
growth = st.floats(0.1, 20)


@given(x=place, y=place, wide=growth, high=growth, anchor=st.integers(0, 339))
def test_decode_undoes_encode(
    x: float, y: float, wide: float, high: float, anchor: int
) -> None:
    reference = SMALL_ANCHORS[anchor : anchor + 1].double()
    long = float(reference[0, 2] - reference[0, 0])
    box = torch.tensor([[x, y, x + wide * long, y + high * long]], dtype=torch.float64)
    again = decode(encode(box, reference, SMALL), reference, SMALL)
    assert torch.allclose(again, box, atol=1e-3)
