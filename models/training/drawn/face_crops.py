"""Face crops to train the embedder on: many variants of one picture of a character.

A crop is like one from the detector: the face's square, enlarged, not quite in the
middle, redrawn, on any background. The character's hair, skin and features stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.models.formats.icf_embedder import SIDE
from icf.tools.training_art import compose, paint, place, restyle
from icf.tools.training_art.heads import Art, Head

Pixels = NDArray[np.uint8]
Random = np.random.Generator

#: Enlargement of a face's box for the embedder: hair distinguishes characters.
CROP_RATE = 0.5

#: The style of modelled people: only they turn their heads, are lit from different
#: sides, and change their clothes.
MODELLED = "sculpted"

#: Share of the training crops that are redrawn.
REDRAWN = 0.6


@dataclass(frozen=True)
class Identities:
    """The identities that the embedder is trained on.

    Attributes:
        pictures: for each identity, its pictures.
        weights: for each identity, how often it is drawn, relative to others.
    """

    pictures: Sequence[Sequence[Head]]
    weights: NDArray[np.float64]

    def chances(self) -> NDArray[np.float64]:
        """Probability of each identity to be drawn."""
        return np.asarray(self.weights / self.weights.sum(), np.float64)

    def draw(self, number: int, styles: int, random: Random) -> NDArray[np.int64]:
        """Draw identities by their weights.

        Args:
            number: how many.
            styles: how many styles they are of, as many of each; 0: of any.
            random: source of all randomness.
        """
        chances = self.chances()
        if not styles:
            return random.choice(len(chances), number, p=chances)
        names, place = np.unique(
            [own[0].style for own in self.pictures], return_inverse=True
        )
        of_style = np.bincount(place, chances)
        some = random.choice(
            len(names), min(styles, len(names)), replace=False, p=of_style
        )
        drawn = []
        for style, wanted in zip(
            some, np.array_split(np.arange(number), len(some)), strict=True
        ):
            own = np.flatnonzero(place == style)
            p = chances[own] / chances[own].sum()
            drawn.append(random.choice(own, len(wanted), p=p))
        return np.concatenate(drawn)

    @classmethod
    def of(
        cls,
        art: Art,
        modelled: float = 4.0,
        figures: Mapping[str, Sequence[Head]] | None = None,
        real: float = 0.0,
    ) -> Identities:
        """Group an art collection by character.

        Each drawing without a face is an identity of its own, which keeps the features
        general.

        Args:
            art: heads and drawings without faces.
            modelled: weight of each modelled person; generated characters have 1.
            figures: drawings by people, by source; each figure is an identity.
            real: weight of each of these.
        """
        generated = _by_identity(art.heads)
        drawn = _by_identity(figures or {})
        things = [[_whole(thing)] for thing in art.things]
        weights = [
            *(modelled if own[0].style == MODELLED else 1.0 for own in generated),
            *(real for _ in drawn),
            *(1.0 for _ in things),
        ]
        return cls([*generated, *drawn, *things], np.array(weights))


def _by_identity(styles: Mapping[str, Sequence[Head]]) -> list[list[Head]]:
    by_name: dict[tuple[str, str], list[Head]] = {}
    for style, heads in styles.items():
        for head in heads:
            by_name.setdefault((style, head.identity), []).append(head)
    return list(by_name.values())


def _whole(thing: Pixels) -> Head:
    height, width = thing.shape[:2]
    return Head(thing, (0.0, 0.0, float(width), float(height)), "thing", "")


def crop(
    head: Head,
    art: Art,
    random: Random,
    jitter: float = 1.0,
    redrawn: float = REDRAWN,
    side: int = SIDE,
    repainted: float = 0.0,
) -> Pixels:
    """Cut one crop of a head.

    Args:
        head: the picture.
        art: source of the backgrounds.
        random: source of all randomness.
        jitter: 1 for training: moved, turned, mirrored, partly hidden; 0 for none.
        redrawn: share of the crops that are redrawn.
        side: of the crop, in pixels.
        repainted: share of the crops that a network repaints.

    Returns:
        RGB, uint8, shape (side, side, 3).
    """
    canvas = place.background(art, side, random)
    reduced = _reduced(head, side)
    pixels = reduced.pixels
    if jitter and head.style == MODELLED and random.random() < redrawn:
        painted = compose.painted(pixels[..., :3], random)
        pixels = np.dstack([painted, pixels[..., 3:]])
    place.blend(canvas, pixels, _matrix(reduced, random, jitter, side))
    if repainted and random.random() < repainted:
        canvas = restyle.repainted(canvas, random)
    if random.random() < redrawn:
        canvas = paint.redrawn(canvas, random)
    if jitter and random.random() < 0.2:
        _hide(canvas, random)
    return canvas


def _reduced(head: Head, side: int) -> Head:
    """Halve large pictures, so that shrinking to the crop does not alias."""
    pixels, face = head.pixels, np.array(head.face)
    while max(face[2] - face[0], face[3] - face[1]) > 2.2 * side / (1 + CROP_RATE):
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        )
        face = face / 2
    box = (float(face[0]), float(face[1]), float(face[2]), float(face[3]))
    return Head(pixels, box, head.style, head.identity)


def _matrix(
    head: Head, random: Random, jitter: float, side: int
) -> NDArray[np.float64]:
    """Map the head's pixels to the crop's: 2 x 3."""
    x1, y1, x2, y2 = head.face
    scale = side / (max(x2 - x1, y2 - y1) * (1 + CROP_RATE))
    scale *= float(np.exp(random.normal(0, 0.12 * jitter)))
    angle = random.normal(0, 0.2 * jitter)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(np.exp(random.normal(0, 0.05 * jitter, 2)))
    if jitter and random.random() < 0.5:
        stretch = stretch @ np.diag([-1.0, 1.0])
    linear = scale * turn @ stretch
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    middle = side / 2 + random.normal(0, 0.05 * jitter, 2) * side
    return np.hstack([linear, (middle - linear @ centre)[:, None]])


def _hide(canvas: Pixels, random: Random) -> None:
    """Cover a part, as hands, balloons and other heads do."""
    side = len(canvas)
    width, height = random.integers(side // 8, side // 3, 2)
    left, top = random.integers(0, side, 2)
    colour = [int(v) for v in random.integers(0, 256, 3)]
    corner = (int(left + width), int(top + height))
    cv2.rectangle(canvas, (int(left), int(top)), corner, colour, -1)
