"""Smileys, and the heads of animals, robots and ghosts, of the emoji sets.

A mascot's head is one with its face. The box is that of what is drawn: of a smiley
nearly all of it, of an animal without its ears.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from PIL import Image

from icf.tools.training_art.styles import Box

Kind = Literal["smileys", "animals"]

_SMILEYS = re.compile(
    r"(?:anguished|astonished|beaming|confounded|confused|crying|disappointed|downcast|"
    r"drooling|enraged|expressionless|fearful|flushed|frowning|grimacing|grinning|"
    r"grinning-squinting|hushed|kissing|loudly-crying|lying|nauseated|nerd|neutral|"
    r"pensive|persevering|pleading|pouting|relieved|sleeping|slightly-frowning|"
    r"slightly-smiling|smiling|smirking|squinting|tired|unamused|weary|winking|woozy|"
    r"worried|zany|angry|face)-?(?:face)?(?:-with-(?:smiling-eyes|big-eyes|tongue|sweat|"
    r"closed-eyes|open-mouth|heart-eyes|sunglasses|diagonal-mouth|raised-eyebrow|"
    r"rolling-eyes|medical-mask|tears-of-joy|open-mouth-and-smiling-eyes))?"
)
_ANIMALS = re.compile(
    r"(?:cat|cow|dog|monkey|mouse|pig|rabbit|tiger|clown)-face|alien|bear|fox|frog|"
    r"ghost|goblin|ogre|hamster|jack-o-lantern|koala|lion|panda|polar-bear|raccoon|"
    r"robot|wolf|full-moon-face|grinning-cat|grinning-cat-with-smiling-eyes|"
    r"cat-with-wry-smile|kissing-cat|weary-cat|crying-cat"
)
#: The face in shares of what is drawn.
_FACES: dict[Kind, Box] = {
    "smileys": (0.03, 0.05, 0.97, 0.97),
    "animals": (0.08, 0.20, 0.92, 0.98),
}
#: Opacity from which a pixel is drawn.
_SOLID = 60


def kind_of(key: str) -> Kind | None:
    """Tell from an icon's name what it shows.

    >>> [kind_of(key) for key in ("grinning-face", "fox", "man", "man-shrugging")]
    ['smileys', 'animals', None, None]
    """
    if _ANIMALS.fullmatch(key):
        return "animals"
    return "smileys" if "face" in key and _SMILEYS.fullmatch(key) else None


def face_of(picture: Image.Image, kind: Kind) -> Box:
    """Return the box of the face in a picture, RGBA, in pixels."""
    rows, columns = np.nonzero(np.asarray(picture)[..., 3] > _SOLID)
    left, top = int(columns.min()), int(rows.min())
    width, height = int(columns.max()) + 1 - left, int(rows.max()) + 1 - top
    x1, y1, x2, y2 = _FACES[kind]
    return left + x1 * width, top + y1 * height, left + x2 * width, top + y2 * height
