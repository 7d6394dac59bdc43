from __future__ import annotations

import pytest
import torch
from torch import Tensor

from icf.models.training.detector.targets import Faces, padded
from icf.models.training.drawn.soft_target import soft_loss

FACE, IGNORED = (8.0, 8.0, 24.0, 24.0), (32.0, 32.0, 48.0, 48.0)


def faces(*boxes: tuple[float, ...]) -> Faces:
    return padded(
        [torch.tensor(boxes).reshape(-1, 4)],
        [torch.zeros(len(boxes), dtype=torch.int64)],
        [torch.tensor([IGNORED])],
        [True],
    )


def gradient(wanted: Tensor, labelled: Faces) -> Tensor:
    """The gradient of the loss of a map that says .5 everywhere."""
    heat = torch.zeros_like(wanted, requires_grad=True)
    torch.autograd.backward(soft_loss(heat, wanted, labelled))
    assert heat.grad is not None
    return heat.grad


def scores(**cells: float) -> Tensor:
    """The teacher's map: 16 x 16 cells of 4 pixels."""
    found = torch.zeros(1, 1, 16, 16)
    for place, score in cells.items():
        row, column = map(int, place[1:].split("_"))
        found[0, 0, row, column] = score
    return found


def test_on_a_face_the_teacher_is_followed() -> None:
    pulled = gradient(scores(c4_4=0.9, c4_3=0.2), faces(FACE))[0, 0]
    assert pulled[4, 4] == pytest.approx((0.5 - 0.9) / 2, abs=1e-6)
    assert pulled[4, 3] == pytest.approx((0.5 - 0.2) / 2, abs=1e-6)


def test_what_the_teacher_misses_of_a_face_is_not_taught() -> None:
    assert gradient(scores(c4_4=0.9), faces(FACE))[0, 0, 3, 3] == 0


def test_off_faces_nothing_is_said_whatever_the_teacher_says() -> None:
    pulled = gradient(scores(c14_2=0.9), faces(FACE))[0, 0]
    assert pulled[14, 2] == pulled[14, 3] > 0


def test_ignored_boxes_teach_nothing() -> None:
    assert gradient(scores(c9_9=0.9), faces(FACE))[0, 0, 9, 9] == 0


def test_a_picture_without_a_face_has_a_loss() -> None:
    assert (gradient(scores(c1_1=0.9), faces()) >= 0).all()
