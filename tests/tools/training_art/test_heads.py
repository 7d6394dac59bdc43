from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from icf.tools.training_art import heads
from tests.tools.training_art.tiny import FACE, write_head


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    drawn = tmp_path / "drawn"
    write_head(drawn / "dicebear/lorelei/lorelei-000/0.png", "lorelei", "lorelei-000")
    write_head(drawn / "dicebear/micah/micah-000/0.png", "micah", "micah-000")
    write_head(drawn / "comicgen/dey/0.png", "comicgen", "dey")
    write_head(drawn / "renpy/eileen/a.png", "renpy", "eileen")
    write_head(drawn / "renpy/lucy/b.png", "renpy", "lucy")
    grey = np.full((30, 40), 128, np.uint8)
    for name in ("backgrounds/brick.png", "backgrounds/bg-club.png"):
        (drawn / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(drawn / name), grey)
    for name in ("a", "b", "c"):
        (drawn / "openclipart/tools").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(drawn / f"openclipart/tools/{name}.png"), grey)
    return drawn


@pytest.mark.usefixtures("cache")
def test_training_sees_nothing_that_is_held_out() -> None:
    trained, held = heads.training_art(), heads.held_out_art()
    assert set(trained.heads) == {"lorelei", "renpy"}
    assert set(held.heads) == {"micah", "comicgen", "renpy"}
    assert [h.identity for h in trained.heads["renpy"]] == ["eileen"]
    assert [h.identity for h in held.heads["renpy"]] == ["lucy"]
    assert (len(trained.places), len(held.places)) == (1, 1)
    assert (len(trained.things), len(held.things)) == (2, 1)


def test_a_head_is_read_with_its_box_and_its_transparency(cache: Path) -> None:
    picture = cache / "comicgen/dey/0.png"
    [head] = heads.read([picture])["comicgen"]
    assert head.face == FACE
    assert head.pixels.shape == (64, 64, 4)
    assert head.pixels[32, 32].tolist() == [200, 180, 140, 255]
    assert head.pixels[0, 0, 3] == 0
    assert not head.human


def test_a_missing_picture_is_named(cache: Path) -> None:
    picture = cache / "comicgen/dey/0.png"
    picture.unlink()
    with pytest.raises(FileNotFoundError, match="dey"):
        heads.read([picture])
