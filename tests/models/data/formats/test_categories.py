from __future__ import annotations

import pytest

from icf.errors import BadInput
from icf.models.data.base import Kind
from icf.models.data.formats.categories import kind_of_category, kinds_of_categories


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("face", "cartoon"),
        ("Faces", "cartoon"),
        ("cartoon", "cartoon"),
        ("anime face", "cartoon"),
        ("AnimeFace", "cartoon"),
        ("cartoon_face", "cartoon"),
        ("human", "human"),
        ("human-face", "human"),
        ("photo face", "human"),
        ("girl's face", "cartoon"),
        ("face without mask", "cartoon"),
        ("Two-Face", "cartoon"),
        ("no face", None),
        ("Non-Face", None),
        ("not_a_cartoon_face", None),
        ("person", None),
        ("surface", None),
        ("cartoon dog", None),
        ("human body", None),
        ("", None),
    ],
)
def test_a_category_says_which_faces_it_has(name: str, kind: Kind | None) -> None:
    assert kind_of_category(name, "cartoon") == kind


def test_a_plain_face_is_of_the_sources_domain() -> None:
    assert kind_of_category("face", "human") == "human"
    assert kind_of_category("anime face", "human") == "cartoon"


def test_no_face_among_the_categories_is_an_error() -> None:
    assert kinds_of_categories({3: "dog", 4: "face"}, "human", "x") == {4: "human"}
    with pytest.raises(BadInput, match="none of its categories is a face: 'dog'"):
        kinds_of_categories({3: "dog"}, "human", "x")
