from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from icf.tools.training_art.mascots import Kind, face_of, kind_of
from icf.tools.training_art.objects import is_object


@pytest.mark.parametrize(
    "key",
    ["man", "cat", "person-facepalming", "clown-fish", "bearded-person", "wolf-hall"],
)
def test_bodies_and_people_are_no_mascots(key: str) -> None:
    assert kind_of(key) is None


def test_nothing_is_a_face_and_an_object() -> None:
    keys = ("fox", "grinning-face", "raised-fist", "crown", "ghost", "pouting-face")
    found = [(kind_of(key) is not None) + is_object(key) for key in keys]
    assert found == [1] * len(keys)


@pytest.mark.parametrize("kind", ["smileys", "animals"])
def test_a_face_lies_in_what_is_drawn(kind: Kind) -> None:
    drawn = np.zeros((100, 100, 4), np.uint8)
    drawn[20:80, 10:70] = 255
    x1, y1, x2, y2 = face_of(Image.fromarray(drawn), kind)
    assert 10 < x1 < x2 < 70
    assert 20 < y1 < y2 <= 80
