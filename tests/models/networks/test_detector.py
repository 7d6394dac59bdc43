from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from icf.models import anchors as in_numpy
from icf.models import detection
from icf.models.networks import detector
from icf.models.networks.detector import (
    Detector,
    Targets,
    anchors,
    assign,
    decode,
    encode,
    loss,
)


@pytest.fixture(scope="module")
def network() -> Detector:
    torch.manual_seed(0)
    return Detector().eval()


def boxes(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


NO_BOXES = boxes()


def test_there_is_an_anchor_for_each_row_of_the_output(network: Detector) -> None:
    with torch.no_grad():
        logits, offsets = network(torch.zeros(2, 3, 128, 192))
    count = len(anchors(128, 192))
    assert logits.shape == (2, count, 2)
    assert offsets.shape == (2, count, 4)


def test_anchors_lie_in_the_order_of_the_output() -> None:
    """A map that holds at each place the anchor's own box comes out as anchors."""
    height, width = 128, 192
    rows = []
    for stride in in_numpy.STRIDES:
        y = (torch.arange(height // stride) + 0.5) * stride
        x = (torch.arange(width // stride) + 0.5) * stride
        cy, cx = torch.meshgrid(y, x, indexing="ij")
        halves = [size * stride / 2 for size in in_numpy.SIZES]
        boxes = [(cx - h, cy - h, cx + h, cy + h) for h in halves]
        output = torch.stack([side for box in boxes for side in box])[None]
        rows.append(detector._flat(output, 4)[0])
    assert torch.allclose(torch.cat(rows), anchors(height, width))


def test_anchors_are_squares_of_two_to_four_strides() -> None:
    found = anchors(64, 64)
    sides = found[:, 2:] - found[:, :2]
    assert torch.allclose(sides[:, 0], sides[:, 1])
    assert sides[:4, 0].tolist() == pytest.approx([16, 20.1587, 25.3984, 32], abs=1e-3)
    assert sides[-1, 0] == pytest.approx(256)


@given(height=st.integers(1, 6), width=st.integers(1, 6))
def test_the_anchors_of_running_are_those_of_training(height: int, width: int) -> None:
    trained = anchors(64 * height, 64 * width).numpy()
    run = in_numpy.anchors(64 * height, 64 * width)
    np.testing.assert_allclose(run, trained, rtol=1e-5, atol=1e-4)


def test_running_and_training_have_the_same_kinds() -> None:
    assert detection.KINDS == detector.KINDS


offset = st.floats(-4, 4, width=32)


@given(rows=st.lists(st.tuples(offset, offset, offset, offset), min_size=1, max_size=9))
def test_running_applies_offsets_as_training_does(
    rows: list[tuple[float, float, float, float]],
) -> None:
    offsets = np.array(rows, np.float32)
    reference = in_numpy.anchors(64, 64)[: len(rows)]
    trained = decode(torch.from_numpy(offsets), torch.from_numpy(reference.copy()))
    found = in_numpy.decode(offsets, reference)
    np.testing.assert_allclose(found, trained.numpy(), rtol=1e-4, atol=1e-3)


place = st.floats(0, 500)
#: In sides of the anchor; `decode` stops at e^3.
growth = st.floats(0.1, 20)


@given(x=place, y=place, wide=growth, high=growth, anchor=st.integers(0, 339))
def test_decode_undoes_encode(
    x: float, y: float, wide: float, high: float, anchor: int
) -> None:
    reference = anchors(64, 64)[anchor : anchor + 1].double()
    side = float(reference[0, 2] - reference[0, 0])
    box = torch.tensor([[x, y, x + wide * side, y + high * side]], dtype=torch.float64)
    assert torch.allclose(decode(encode(box, reference), reference), box, atol=1e-3)


def test_an_offset_cannot_make_a_box_overflow() -> None:
    reference = anchors(64, 64)[:1]
    for found in (
        decode(torch.full((1, 4), 1e6), reference).numpy(),
        in_numpy.decode(np.full((1, 4), 1e6, np.float32), reference.numpy()),
    ):
        assert np.isfinite(found).all()
        assert (found[:, 2] - found[:, 0])[0] == pytest.approx(16 * math.e**3, rel=1e-3)


def test_anchors_on_a_face_are_matched_and_the_rest_is_background() -> None:
    reference = boxes((0, 0, 10, 10), (2, 0, 12, 10), (50, 50, 60, 60), (4, 0, 14, 10))
    found = assign(reference, boxes((0, 0, 10, 10)), torch.tensor([1]), NO_BOXES)
    # IoU 1, .667, 0 and .429: matched, matched, background, not counted.
    assert found.classes.tolist() == [1, 1, -1, -2]
    assert torch.allclose(found.offsets[0], torch.zeros(4))
    restored = decode(found.offsets[:2], reference[:2])
    assert torch.allclose(restored, boxes((0, 0, 10, 10)).expand(2, 4), atol=1e-4)


def test_every_face_has_its_best_anchor_however_poor() -> None:
    reference = boxes((0, 0, 10, 10), (30, 30, 40, 40))
    found = assign(reference, boxes((33, 33, 36, 36)), torch.tensor([0]), NO_BOXES)
    assert found.classes.tolist() == [-1, 0]


def test_a_matched_anchor_belongs_to_the_face_it_covers_most() -> None:
    reference = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    faces = boxes((20, 0, 30, 10), (0, 0, 10, 10))
    found = assign(reference, faces, torch.tensor([0, 1]), NO_BOXES)
    assert found.classes.tolist() == [1, 0]


def test_anchors_in_an_ignored_box_are_not_counted_but_where_a_face_is() -> None:
    reference = boxes((0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60))
    ignored = boxes((0, 0, 40, 40))
    found = assign(reference, boxes((20, 0, 30, 10)), torch.tensor([0]), ignored)
    assert found.classes.tolist() == [-2, 0, -1]


def test_without_faces_everything_is_background() -> None:
    found = assign(
        anchors(64, 64), NO_BOXES, torch.zeros(0, dtype=torch.int64), NO_BOXES
    )
    assert (found.classes == -1).all()


def test_the_loss_is_focal_loss_counted_by_hand() -> None:
    torch.manual_seed(2)
    logits, offsets = torch.randn(2, 3, 2), torch.randn(2, 3, 4)
    targets = [
        Targets(torch.tensor([0, -1, -2]), torch.randn(3, 4)),
        Targets(torch.tensor([-1, 1, 1]), torch.randn(3, 4)),
    ]
    focal = smooth = 0.0
    for n, target in enumerate(targets):
        for a, wanted in enumerate(target.classes.tolist()):
            if wanted == -2:
                continue
            for kind in range(2):
                p = 1 / (1 + math.exp(-float(logits[n, a, kind])))
                if kind == wanted:
                    focal += 0.25 * (1 - p) ** 2 * -math.log(p)
                else:
                    focal += 0.75 * p**2 * -math.log(1 - p)
            if wanted >= 0:
                for d in (offsets[n, a] - target.offsets[a]).abs().tolist():
                    smooth += d - 0.25 if d > 0.5 else d * d
    classes, regression = loss(logits, offsets, targets)
    assert classes.item() == pytest.approx(focal / 3, rel=1e-5)
    assert regression.item() == pytest.approx(smooth / 12, rel=1e-5)


def test_the_loss_of_a_batch_without_faces_is_finite() -> None:
    logits = torch.zeros(1, 3, 2, requires_grad=True)
    offsets = torch.zeros(1, 3, 4, requires_grad=True)
    nothing = Targets(torch.full((3,), -1), torch.zeros(3, 4))
    classes, regression = loss(logits, offsets, [nothing])
    torch.autograd.backward(classes + regression)
    assert torch.isfinite(classes)
    assert regression.item() == 0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
