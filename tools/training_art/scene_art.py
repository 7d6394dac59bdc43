"""The art that scenes are composed of: that of all training, and drawings by people."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from icf.tools.training_art import drawings, figures, heads, sources
from icf.tools.training_art.heads import Art, Head
from icf.tools.training_art.real import make
from icf.tools.training_art.styles import Box

#: Sources of `icf.tools.training_art.real` whose pictures show one figure each, with
#: its face boxed.
_BOXED = ("kenney", "fluent-3d")
#: Those whose pictures all have the head in one place: the face, in pixels.
_IN_PLACE: dict[str, Box] = {
    "cats": (102, 48, 290, 198),
    "monsters": (98, 84, 200, 214),
}

#: All sources of drawings by people that scenes show.
SHOWN = frozenset({"tarot", *_BOXED, *_IN_PLACE})


def scene_art() -> Art:
    """Read the art for training a detector."""
    art = heads.training_art()
    objects = sorted((sources.drawn() / "objects").glob("*/*.png"))
    return dataclasses.replace(
        art,
        heads={**art.heads, **_real()},
        objects=[heads.read_rgba(path) for path in objects],
        drawings=drawings.read(),
    )


def _real() -> dict[str, list[Head]]:
    found = heads.read(sorted(_boxed()))
    for source, face in _IN_PLACE.items():
        pictures = sorted((make.root() / source).rglob("*.png"))
        own = [Head(heads.read_rgba(p), face, source, p.parent.name) for p in pictures]
        if own:
            found[source] = own
    return found


def _boxed() -> Iterator[Path]:
    for folder in (
        *(make.root() / name for name in _BOXED),
        _mascots(),
        figures.root(),
    ):
        for box in folder.rglob("*.json"):
            yield box.with_suffix(".png")


def _mascots() -> Path:
    return sources.drawn() / "mascots"
