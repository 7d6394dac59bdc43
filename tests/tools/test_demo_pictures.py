"""The characters that the demo's site draws from nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from icf.tools.demo_pictures import anime, painted
from icf.tools.demo_pictures.anime import Anime
from icf.tools.demo_pictures.brush import brushed
from icf.tools.demo_pictures.cast import ALBUMS, Character
from icf.tools.demo_pictures.figures import Drawing, render
from icf.tools.demo_pictures.light import lit, shown
from icf.tools.demo_pictures.painted import Painted

DRAWN = [
    who
    for album in ALBUMS
    for who in album.characters
    if isinstance(who.look, Anime | Painted)
]


def draw(who: Character, seed: int, *, calm: bool = False) -> Image.Image:
    """One picture of a character, its face 40 pixels wide, on white."""
    rng = random.Random(seed)
    if isinstance(who.look, Anime):
        svg, size, face = anime.drawn(who.look, rng, calm), anime.SIZE, anime.FACE
    else:
        assert isinstance(who.look, Painted)
        svg = painted.drawn(who.look, rng, calm)
        size, face = painted.SIZE, painted.FACE
    figure = render(Drawing(svg, size, face), 40, who.name)
    picture = Image.new("RGB", figure.picture.size, "white")
    picture.paste(figure.picture, (0, 0), figure.picture)
    return picture


def test_two_of_five_albums_are_drawn_from_nothing() -> None:
    albums = {album.title for album in ALBUMS if set(album.characters) & set(DRAWN)}
    assert albums == {"Harbour Nine", "Café Étoile"}
    assert len(DRAWN) == 18


@pytest.mark.parametrize("who", DRAWN, ids=lambda who: who.name)
def test_a_character_is_the_same_from_the_same_seed_and_never_the_same_twice(
    who: Character,
) -> None:
    first = np.asarray(draw(who, 1))
    assert np.array_equal(first, np.asarray(draw(who, 1)))
    assert not np.array_equal(first, np.asarray(draw(who, 2)))


def test_calm_portraits_of_two_characters_differ_in_the_face() -> None:
    faces = [np.asarray(draw(who, 0, calm=True).resize((64, 64))) for who in DRAWN]
    for k, one in enumerate(faces):
        for other in faces[:k]:
            assert np.abs(one.astype(np.int16) - other).mean() > 1


@pytest.mark.parametrize("change", [brushed, lit, shown])
def test_paint_and_light_keep_the_size_and_repeat_with_the_seed(
    change: Callable[[Image.Image, random.Random], Any],
) -> None:
    picture = draw(DRAWN[0], 3).resize((40, 45))
    seen = set()
    for seed in range(8):
        one, again = (change(picture, random.Random(seed)) for _ in range(2))
        assert one.size == picture.size
        assert one.tobytes() == again.tobytes()
        seen.add(one.tobytes())
    assert len(seen) > 3
