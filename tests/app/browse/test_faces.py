from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from icf.app.browse import faces
from icf.app.browse.faces import Filter, read_page
from tests.app.browse.conftest import Looking


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", sorted(faces.SORTS))
def test_the_pages_have_every_face_once(
    looking: Looking, monkeypatch: pytest.MonkeyPatch, sort: str, descending: bool
) -> None:
    monkeypatch.setattr(faces, "PAGE", 3)
    seen: list[int] = []
    asked: Filter | None = Filter(sort=sort, descending=descending)
    with looking.place.workspace.catalogue.read() as connection:
        while asked is not None:
            shown, asked = read_page(connection, asked)
            assert 0 < len(shown) <= 3
            seen += [each.id for each in shown]
    assert sorted(seen) == sorted(
        [*looking.references, *looking.faces, *looking.others]
    )


def test_an_address_means_the_filter_it_was_made_of() -> None:
    asked = Filter(
        2, 3, None, "kept", "ok", "same", "train", 1, "score", True, (0.1, 7)
    )
    assert Filter.read(dict(parse_qsl(asked.query()))) == asked


def test_only_faces_of_a_part_are_shown_and_the_next_page_goes_on(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "PAGE", 2)
    among = {*looking.others, looking.faces[0]}
    with looking.place.workspace.catalogue.read() as connection:
        first, further = read_page(connection, Filter(), among)
        assert further is not None
        second, end = read_page(connection, further, among)
    assert {each.id for each in (*first, *second)} == among
    assert end is None
