from __future__ import annotations

from icf.annotate.page.crops import Crops


def test_what_was_asked_for_last_is_kept() -> None:
    crops = Crops(most=3)
    made: list[str] = []

    def get(key: str) -> bytes | None:
        def make() -> bytes:
            made.append(key)
            return b"x"

        return crops.get(key, make)

    for key in "abcabd":
        assert get(key) == b"x"
    # "c" was asked for longest ago when there was no room for "d".
    assert made == ["a", "b", "c", "d"]
    get("a")
    get("c")
    assert made == ["a", "b", "c", "d", "c"]


def test_what_cannot_be_made_is_tried_again() -> None:
    crops = Crops()
    assert crops.get(1, lambda: None) is None
    assert crops.get(1, lambda: b"x") == b"x"
