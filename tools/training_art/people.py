"""Random people: the attributes that all pictures of one person share."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icf.tools.training_art import bodies
from icf.tools.training_art.bodies import Floats, Random

_SKIN = ((236, 188, 160), (198, 140, 105), (141, 92, 62), (88, 56, 40), (250, 220, 200))
_ODD_SKIN = (
    (120, 160, 90),
    (110, 140, 190),
    (170, 120, 190),
    (190, 90, 80),
    (150, 150, 150),
)
_HAIR = (
    (25, 20, 20), (60, 38, 25), (110, 70, 40), (165, 110, 60), (215, 180, 110),
    (150, 55, 30), (190, 190, 190), (235, 235, 235),
)  # fmt: skip
_ODD_HAIR = (
    (60, 90, 190),
    (200, 80, 140),
    (70, 150, 90),
    (130, 60, 170),
    (220, 60, 60),
)
_EYE = ((70, 45, 25), (60, 100, 150), (70, 120, 70), (110, 110, 120), (150, 100, 40))


@dataclass(frozen=True)
class Person:
    """The attributes that all pictures of one invented person share.

    Lengths and heights are in the units of `icf.tools.training_art.bodies`, colours are
    RGB in 0..255, shares 0..1.

    Attributes:
        shape: morphs and their weights.
        skin: colour.
        hair: colour, also of brows and beard.
        eyes: colour of the iris, and of painted lids.
        lips: their redness, as a share.
        makeup: strength of the colour of the lids, as a share.
        cloth: colour; a hat has the inverse.
        collar: height below which there is cloth.
        thickness: of the hair; 0 for none.
        hairline: its height over the forehead, relative to the usual one.
        curls: waviness of the hair, as a share.
        length: height down to which loose hair hangs.
        parting: half the width in front of the face without loose hair.
        beard: its thickness; 0 for none.
        moustache: whether there is one.
        brows: half their thickness.
        hat: its lower edge; 99 for none.
        iris: its radius.
        freckles: 1 for some.
        seed: random seed of the noise.
    """

    shape: dict[Path, float]
    skin: Floats
    hair: Floats
    eyes: Floats
    lips: float
    makeup: float
    cloth: Floats
    collar: float
    thickness: float
    hairline: float
    curls: float
    length: float
    parting: float
    beard: float
    moustache: bool
    brows: float
    hat: float
    iris: float
    freckles: float
    seed: int


def person(seed: int) -> Person:
    """Draw a random person."""
    random = np.random.default_rng(seed)
    odd = random.random() < 0.12
    bald = random.random() < 0.08
    long = random.random() < 0.4
    bearded = random.random() < 0.2
    return Person(
        shape=bodies.shape(random),
        skin=_colour(random, _ODD_SKIN if odd else _SKIN, 10),
        hair=_colour(random, _ODD_HAIR if random.random() < 0.25 else _HAIR, 12),
        eyes=_colour(random, _EYE, 20),
        lips=float(random.uniform(0.1, 0.8)),
        makeup=float(random.uniform(0, 0.7) * (random.random() < 0.4)),
        cloth=random.uniform(20, 235, 3),
        collar=float(random.uniform(5.3, 5.95)),
        thickness=0.0 if bald else float(random.uniform(0.08, 0.38)),
        hairline=float(random.normal(0, 0.08)) - 0.3 * float(random.random() < 0.35),
        curls=float(random.choice([0.0, 0.3, 1.0])),
        length=float(random.uniform(4.6, 6.6)) if long and not bald else 9.0,
        parting=float(random.uniform(0.62, 1.1)),
        beard=float(random.uniform(0.03, 0.3)) if bearded else 0.0,
        moustache=bool(random.random() < (0.8 if bearded else 0.05)),
        brows=float(random.uniform(0.02, 0.06)),
        hat=float(random.uniform(7.75, 8.05)) if random.random() < 0.12 else 99.0,
        iris=float(random.uniform(0.068, 0.1)),
        freckles=float(random.random() < 0.1),
        seed=seed,
    )


def changed(who: Person, random: Random) -> Person:
    """Return the same person on another day: clothes, and perhaps hair, age and paint.

    The shape of the head, the skin and the eyes stay, but for what age does to them.
    """
    other = person(int(random.integers(1 << 31)))
    new = dataclasses.replace(who, cloth=other.cloth, collar=other.collar)
    if random.random() < 0.3:
        new = dataclasses.replace(new, hair=other.hair)
    if random.random() < 0.4:
        names = ("thickness", "hairline", "curls", "length", "parting")
        new = dataclasses.replace(new, **{name: getattr(other, name) for name in names})
    if random.random() < 0.3:
        new = dataclasses.replace(new, hat=99.0 if who.hat < 99 else 7.9)
    if who.beard and random.random() < 0.4:
        new = dataclasses.replace(new, beard=0.0, moustache=False)
    if random.random() < 0.3:
        new = dataclasses.replace(new, lips=other.lips, makeup=other.makeup)
    if random.random() < 0.3:
        age = str(random.choice([age for age in bodies.AGES if age != "child"]))
        new = dataclasses.replace(new, shape=bodies.aged(new.shape, age))
    return new


def _colour(
    random: Random, palette: tuple[tuple[int, ...], ...], spread: float
) -> Floats:
    base = np.array(palette[int(random.integers(len(palette)))], float)
    return np.clip(base + random.normal(0, spread, 3), 5, 250)
