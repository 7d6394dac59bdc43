"""The drawn styles: their face boxes, and which of them are held out.

The face box of each style was drawn by hand, as shares of the picture's width: chin to
hairline and ear to ear, as in the published cartoon-face data sets.
"""

from __future__ import annotations

Box = tuple[float, float, float, float]

#: DiceBear styles: the face, in shares of the width.
DICEBEAR: dict[str, Box] = {
    "lorelei": (0.26, 0.31, 0.75, 0.78),
    "adventurer": (0.19, 0.31, 0.825, 0.80),
    "bigEars": (0.21, 0.46, 0.79, 0.93),
    "avataaars": (0.27, 0.18, 0.73, 0.69),
    "bigSmile": (0.14, 0.30, 0.87, 0.835),
    "croodles": (0.25, 0.30, 0.76, 0.86),
    "personas": (0.25, 0.23, 0.75, 0.67),
    "dylan": (0.13, 0.23, 0.87, 0.83),
    "miniavs": (0.24, 0.29, 0.74, 0.85),
    "micah": (0.24, 0.225, 0.74, 0.76),
    "toonHead": (0.27, 0.33, 0.73, 0.80),
    "openPeeps": (0.36, 0.29, 0.76, 0.84),
    "notionists": (0.30, 0.31, 0.63, 0.635),
}
#: Emoji sets: the face, in shares of the width.
EMOJI: dict[str, Box] = {
    "noto": (0.12, 0.20, 0.88, 0.95),
    "twemoji": (0.11, 0.22, 0.89, 0.95),
    "fluent-emoji-flat": (0.14, 0.25, 0.86, 0.93),
    "fluent-emoji": (0.14, 0.25, 0.86, 0.93),
}
#: faces.js, for a face of medium width, in shares of the width.
FACESJS: Box = (0.17, 0.51, 0.83, 1.20)

#: Ren'Py's demo characters, in pixels of the packaged picture.
RENPY: dict[str, Box] = {
    "eileen": (78, 99, 230, 260),
    "sylvie blue": (107, 62, 217, 168),
    "sylvie green": (143, 64, 246, 170),
    "lucy happy": (154, 125, 278, 242),
    "lucy mad": (157, 165, 290, 313),
}
#: The faces of Ren'Py's 2400 x 1530 concert scene.
CONCERT: tuple[Box, ...] = (
    (344, 496, 484, 650),
    (856, 600, 976, 742),
    (1616, 336, 1860, 600),
    (1010, 1272, 1160, 1382),
)
#: comicgen, by character and angle, in the drawing's own units.
COMICGEN: dict[tuple[str, str], Box] = {
    ("aryan", ""): (227.5, 86, 285, 153),
    ("bill", ""): (374, 157, 558, 337),
    ("sophie", ""): (62, 15, 84.6, 38.3),
    ("dee", "straight"): (217.5, 137, 283, 220),
    ("dey", "straight"): (217, 99, 287, 188.5),
    ("priya", "straight"): (233, 151, 282, 213),
    ("ringo", "straight"): (229, 132, 288, 208),
    ("ethan", "straight"): (208.5, 63, 278, 132.5),
}

#: Styles that are only measured on, never trained on.
HELD_OUT = frozenset({"micah", "toonHead", "openPeeps", "notionists", "comicgen"})
#: Ren'Py pictures held out: one character, and the whole concert scene.
HELD_OUT_RENPY = ("lucy", "concert")
