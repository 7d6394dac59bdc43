from __future__ import annotations

import pytest

from icf.tools.training_art import make, sources


def test_each_part_is_said_before_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def heads() -> None:
        happened.append("drawn")

    monkeypatch.setattr(make, "PARTS", (heads, heads))
    monkeypatch.setattr(sources, "fetch", lambda: happened.append("fetched"))
    make.main(happened.append)
    assert happened == [
        "fetching what the training pictures are drawn from",
        "fetched",
        "drawing the training pictures, 1 of 2: heads",
        "drawn",
        "drawing the training pictures, 2 of 2: heads",
        "drawn",
    ]
