"""Draw the heads of invented characters as animated series from Japan do.

Large eyes, a pointed chin, hair in locks with a band of shine, hard shadows. It is
drawn here from nothing: no model was trained on it, and it is under CC0 like the rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from icf.tools.demo_pictures import svg
from icf.tools.demo_pictures.svg import shade

#: Width and height of a drawing.
SIZE = (800.0, 900.0)
#: The face, from the chin to the hairline under the fringe and from ear to ear.
FACE = (262.0, 292.0, 538.0, 598.0)
CLOTHES = ("2f3b57", "7a2f3b", "3f5f4a", "d8cdb4", "5b4a7a", "a9b7c4", "c98a3a")
_INK = "#3a2b2b"
_MOODS = ("calm", "smile", "laugh", "angry", "sad", "surprised", "asleep", "wink")


@dataclass(frozen=True)
class Anime:
    """An animated character; colours are hex without ``#``.

    ``fringe`` and ``back`` name the hair, ``eyes`` its shape as (width, height, slant
    in pixels), ``jaw`` the half width of the jaw; ``extra`` is an accessory.
    """

    fringe: str
    back: str
    hair: str
    iris: str
    skin: str = "fbe3d2"
    eyes: tuple[int, int, int] = (80, 88, 6)
    jaw: int = 92
    extra: str = ""


@dataclass(frozen=True)
class _View:
    """How one picture shows the head: ``yaw`` from -1 (left) to 1, and the mood."""

    yaw: float
    mood: str

    def x(self, offset: float, depth: float = 1.0) -> float:
        """Where a feature ``offset`` from the middle of the face is seen."""
        far = 1 - 0.34 * abs(self.yaw) * (offset * self.yaw > 0)
        return 400 + offset * far + 44 * depth * self.yaw


def drawn(look: Anime, rng: random.Random, calm: bool) -> str:
    """Draw a bust as SVG text of the size `SIZE`, its face in `FACE`.

    Args:
        look: what the character always has.
        rng: chooses mood, side and clothes.
        calm: a smiling face from the front.
    """
    if not calm and rng.random() < 0.4:  # other hair, or without what is worn
        tied = {"long": "ponytail", "ponytail": "long", "tails": "bob", "buns": "bob"}
        look = replace(look, back=tied.get(look.back, look.back), extra="")
    mood = "smile" if calm else rng.choice(_MOODS)
    view = _View(0.0 if calm else rng.uniform(-1, 1), mood)
    cloth = rng.choice(CLOTHES)
    parts = [
        _back(look, view),
        _body(look, cloth, rng.randrange(3)),
        _head(look, view),
        _eye(look, view, -1),
        _eye(look, view, 1),
        _mouth(view),
        _fringe(look, view),
        _extra(look, view),
    ]
    return svg.document(SIZE, _gradients(look), parts)


def _gradients(look: Anime) -> str:
    dark, light = shade(look.iris, -0.55), shade(look.iris, 0.45)
    iris = (0.1, dark), (0.55, f"#{look.iris}"), (1, light)
    hair = (0, shade(look.hair, 0.08)), (1, shade(look.hair, -0.14))
    down = (0, 0, 0, 1)
    return svg.gradient("iris", down, *iris) + svg.gradient("hair", down, *hair)


def _path(d: str, fill: str, stroke: str = _INK, width: float = 5) -> str:
    return svg.path(d, fill, stroke, width)


def _inked(x: float, y: float, radius: float, fill: str, width: float = 5) -> str:
    """A circle with an edge."""
    edge = f'stroke="{_INK}" stroke-width="{width:g}"'
    return svg.ellipse(x, y, radius, radius, fill, edge)


def _back(look: Anime, view: _View) -> str:
    """The hair behind the head."""
    s, fill = -16 * view.yaw, shade(look.hair, -0.24)
    sides = {
        "short": f"M{236 + s} 420 Q{226 + s} 180 400 168 Q{574 + s} 180 {564 + s} 420 "
        f"L{540 + s} 520 L400 500 L{260 + s} 520 Z",
        "bob": f"M{226 + s} 380 Q{214 + s} 160 400 156 Q{586 + s} 160 {574 + s} 380 "
        f"Q{596 + s} 560 {556 + s} 628 Q400 590 {244 + s} 628 "
        f"Q{204 + s} 560 {226 + s} 380 Z",
        "long": f"M{222 + s} 380 Q{206 + s} 150 400 150 Q{594 + s} 150 {578 + s} 380 "
        f"Q{612 + s} 640 {640 + s} 880 L{520 + s} 900 L{280 + s} 900 L{160 + s} 880 "
        f"Q{188 + s} 640 {222 + s} 380 Z",
    }
    whole = _path(sides.get(look.back, sides["short"]), fill)
    if look.back == "tails":
        for side in (-1, 1):
            x = 400 + side * 172 + s
            whole += _path(
                f"M{x} 300 Q{x + side * 120} 300 {x + side * 118} 520 "
                f"Q{x + side * 112} 700 {x + side * 54} 800 "
                f"Q{x + side * 64} 640 {x + side * 20} 520 "
                f"Q{x - side * 10} 420 {x} 300 Z",
                fill,
            )
    if look.back == "ponytail":
        side = 1 if view.yaw <= 0 else -1
        x = 400 + side * 120
        whole += _path(
            f"M{x} 210 Q{x + side * 180} 170 {x + side * 196} 420 "
            f"Q{x + side * 200} 600 {x + side * 130} 690 "
            f"Q{x + side * 140} 500 {x + side * 70} 400 Z",
            fill,
        )
    if look.back == "buns":
        for side in (-1, 1):
            x = 400 + side * 142 + s
            whole += _inked(x, 190, 62, fill)
    if look.back == "spiky":
        tips = "".join(
            f"L{x + s} {y} L{x + dx + s} {y + 92} "
            for x, y, dx in (
                (180, 330, 60),
                (170, 220, 74),
                (226, 120, 66),
                (318, 70, 62),
                (430, 62, 58),
                (540, 106, 26),
                (622, 200, -26),
                (634, 320, -40),
            )
        )
        whole += _path(f"M{250 + s} 470 {tips} L{560 + s} 480 Z", fill)
    return whole


def _body(look: Anime, cloth: str, kind: int) -> str:
    dark = shade(cloth, -0.3)
    neck = _path(
        "M352 560 L350 672 Q400 720 450 672 L448 560 Z", shade(look.skin, -0.16)
    )
    shoulders = _path(
        "M352 664 Q250 690 196 730 Q150 780 140 940 L660 940 Q650 780 604 730 "
        "Q550 690 448 664 Q400 706 352 664 Z",
        f"#{cloth}",
    )
    if kind == 0:  # a sailor's collar with a scarf
        front = _path("M344 668 L250 720 L400 860 L550 720 L456 668 L400 760 Z", dark)
        front += _path("M400 770 L352 856 L400 836 L448 856 Z", shade(cloth, 0.5))
    elif kind == 1:  # a blazer over a shirt
        front = _path("M350 668 L400 790 L450 668 Q400 706 350 668 Z", "#f4f1ea")
        front += _path("M346 666 L300 720 L392 880 L400 790 Z", dark)
        front += _path("M454 666 L500 720 L408 880 L400 790 Z", dark)
    else:  # a hood
        front = _path(
            "M340 660 Q270 690 268 740 Q400 830 532 740 Q530 690 460 660 "
            "Q400 730 340 660 Z",
            dark,
        )
    raised = f'<g transform="translate(0 -34)">{shoulders}{front}</g>'
    return neck + raised


def _head(look: Anime, view: _View) -> str:
    skin, dark, x = f"#{look.skin}", shade(look.skin, -0.14), view.x
    left, right, jaw = x(-134, 0.2), x(134, 0.2), look.jaw
    chin = 400 + 26 * view.yaw
    outline = (
        f"M{left} 360 Q{left - 2} 470 {x(-jaw - 26, 0.6)} 510 "
        f"Q{x(-jaw + 26, 0.7)} 570 {chin - 16} 596 Q{chin} 602 {chin + 16} 596 "
        f"Q{x(jaw - 26, 0.7)} 570 {x(jaw + 26, 0.6)} 510 "
        f"Q{right + 2} 470 {right} 360 Q{right} 210 400 206 Q{left} 210 {left} 360 Z"
    )
    ears = "".join(
        _path(
            f"M{e} 410 Q{e + side * 34} 396 {e + side * 26} 456 "
            f"Q{e + side * 16} 490 {e - side * 4} 478 Z",
            skin,
        )
        for side, e in ((-1, left + 4), (1, right - 4))
        if view.yaw * side < 0.6
    )
    cheek = (
        f"M{right} 360 Q{right + 2} 470 {x(jaw + 26, 0.6)} 510 "
        f"Q{x(jaw - 26, 0.7)} 570 {chin + 16} 596 Q{x(70)} 540 {x(96)} 430 Z"
    )
    shadow = (
        f"M{left} 350 Q{left} 212 400 206 Q{right} 212 {right} 350 "
        f"Q400 392 {left} 350 Z"
    )
    blush = "".join(
        svg.ellipse(x(side * 88), 520, 26, 12, "#f29a9a", 'opacity="0.45"')
        for side in (-1, 1)
    )
    nose = _path(f"M{x(4, 1.5)} 506 l{8 + 6 * view.yaw} 14 l-12 3", "none", dark, 5)
    return (
        ears
        + _path(outline, skin)
        + _path(cheek, dark, width=0)
        + _path(shadow, dark, width=0)
        + _path(outline, "none")
        + blush
        + nose
    )


def _eye(look: Anime, view: _View, side: int) -> str:
    slant = look.eyes[2]
    w = look.eyes[0] * (1 - 0.2 * max(0.0, view.yaw * side))
    h = float(look.eyes[1])
    x, y = view.x(side * 68), 464.0
    brow = _brow(look, view, x, y - h * 0.5 - 22, w, side)
    closed = view.mood in ("asleep", "laugh") or (view.mood == "wink" and side > 0)
    if closed:
        bend = -16 if view.mood in ("laugh", "wink") else 14
        line = f"M{x - w / 2} {y + 8} Q{x} {y + 8 + bend} {x + w / 2} {y + 8}"
        return _path(line, "none", _INK, 9) + brow
    h *= {"surprised": 1.12, "angry": 0.8, "sad": 0.9}.get(view.mood, 1.0)
    top, low = y - h / 2, y + h / 2
    outer, inner = x + side * w / 2, x - side * w / 2
    white = (
        f"M{inner} {y + 4} Q{x - side * w * 0.2} {top} {x + side * w * 0.1} {top} "
        f"Q{outer - side * 4} {top + 4 - slant} {outer} {y - slant} "
        f"Q{outer - side * 8} {low} {x} {low} Q{inner} {low - 4} {inner} {y + 4} Z"
    )
    look_at = x + 5 * view.yaw
    rx, ry = w * 0.3, h * 0.46
    edge = f'stroke="{shade(look.iris, -0.7)}" stroke-width="4"'
    pupil = shade(look.iris, -0.85)
    iris = (
        svg.ellipse(look_at, y, rx, ry, "url(#iris)", edge)
        + svg.ellipse(look_at, y - 2, rx * 0.45, ry * 0.5, pupil)
        + svg.ellipse(x, top, w * 0.6, h * 0.16, "#5a4a60", 'opacity="0.35"')
    )
    large, small = w * 0.11, w * 0.06
    shine = svg.ellipse(look_at - rx * 0.4, y - ry * 0.45, large, large, "#fff")
    shine += svg.ellipse(look_at + rx * 0.4, y + ry * 0.5, small, small, "#fff")
    lash = (
        f"M{inner} {y + 2} Q{x - side * w * 0.2} {top - 2} {x + side * w * 0.1} {top} "
        f"Q{outer - side * 4} {top + 2 - slant} {outer + side * 8} {y - slant - 4}"
    )
    under = (
        f"M{outer - side * 6} {low - 8} Q{x} {low + 5} {x - side * w * 0.24} {low - 2}"
    )
    return (
        _path(white, "#fffdfb", width=0)
        + svg.clipped("left" if side < 0 else "right", white, iris)
        + shine
        + _path(lash, "none", _INK, 10)
        + _path(under, "none", _INK, 3)
        + brow
    )


def _brow(look: Anime, view: _View, x: float, y: float, w: float, side: int) -> str:
    inner, outer = {"angry": (16, -8), "sad": (-14, 8), "surprised": (-14, -14)}.get(
        view.mood, (0, 0)
    )
    line = (
        f"M{x - side * w * 0.5} {y + inner} Q{x} {y - 12 + outer} "
        f"{x + side * w * 0.55} {y + 4 + outer}"
    )
    return _path(line, "none", shade(look.hair, -0.45), 8)


def _mouth(view: _View) -> str:
    x, y = view.x(0, 1.2), 558
    if view.mood in ("laugh", "surprised"):
        wide, deep = (34, 30) if view.mood == "laugh" else (16, 22)
        shape = (
            f"M{x - wide} {y - 8} Q{x} {y - 14} {x + wide} {y - 8} "
            f"Q{x} {y + 2 * deep} {x - wide} {y - 8} Z"
        )
        return _path(shape, "#a8434a", _INK, 4)
    bend = {"smile": 14, "wink": 14, "angry": -9, "sad": -12}.get(view.mood, 3)
    wide = 26 if bend > 3 else 18
    return _path(f"M{x - wide} {y} Q{x} {y + bend} {x + wide} {y}", "none", _INK, 5)


def _locks(tips: tuple[tuple[float, float], ...], shift: float) -> str:
    """The outline of a fringe over the forehead: one lock to each tip."""
    d = "M252 440 Q228 180 400 170 Q572 180 548 440 "
    edge = [(548.0, 440.0), *((x + shift, y) for x, y in tips), (252.0, 440.0)]
    for (x1, _), (x2, y2) in pairwise(edge):
        d += f"Q{(x1 + x2) / 2 + 12} {min(y2, 360) - 70} {x2} {y2} "
    return d + "Z"


_FRINGES: dict[str, tuple[tuple[float, float], ...]] = {
    "straight": ((512, 400), (462, 404), (412, 406), (360, 404), (306, 400)),
    "parted": ((524, 446), (490, 392), (420, 300), (340, 384), (286, 440)),
    "swept": ((520, 470), (470, 430), (400, 396), (330, 352), (286, 372)),
    "messy": ((520, 420), (486, 372), (446, 424), (404, 384), (372, 436), (318, 392)),
    "open": ((528, 400), (496, 320), (410, 268), (318, 312), (276, 390)),
    "one_eye": ((524, 420), (470, 372), (420, 350), (372, 470), (306, 520)),
}


def _fringe(look: Anime, view: _View) -> str:
    shift = 22 * view.yaw
    front = _path(_locks(_FRINGES[look.fringe], shift), "url(#hair)")
    strands = "".join(
        _path(
            f"M{x + shift * 0.4} {y} Q{x - 6 + shift} {y + 60} {x + shift} {y + 116}",
            "none",
            shade(look.hair, -0.35),
            4,
        )
        for x, y in ((330, 220), (392, 200), (452, 212), (500, 250))
    )
    shine = _path(
        f"M{292 + shift} 292 l26 -20 l14 16 l30 -24 l16 18 l36 -24 "
        "l16 18 l30 -14 l18 20 l24 -8 l-6 22 l-30 2 l-20 -12 l-34 16 l-18 -16 "
        "l-36 22 l-16 -14 l-28 18 Z",
        shade(look.hair, 0.42),
        width=0,
    )
    sides = ""
    if look.back in ("long", "bob", "tails", "buns"):
        low = {"long": 690, "bob": 590, "tails": 560, "buns": 540}[look.back]
        for side in (-1, 1):
            x = 400 + side * 142
            sides += _path(
                f"M{x} 330 Q{x + side * 24} 470 {x - side * 4} {low} "
                f"Q{x - side * 40} 520 {x - side * 22} 380 Z",
                "url(#hair)",
            )
    return sides + front + strands + shine


def _glasses(view: _View) -> str:
    rims = "".join(
        svg.rounded(
            (view.x(side * 66) - 50, 420),
            (100, 80),
            26,
            "#ffffff",
            'fill-opacity="0.15" stroke="#2b3350" stroke-width="7"',
        )
        for side in (-1, 1)
    )
    middle = view.x(0)
    return rims + _path(
        f"M{middle - 16} 452 Q{middle} 444 {middle + 16} 452", "none", "#2b3350", 7
    )


def _ribbon(view: _View) -> str:
    x = 512 - 16 * view.yaw
    bow = (
        f"M{x} 226 L{x + 70} 180 L{x + 66} 262 Z M{x} 226 L{x - 60} 172 L{x - 64} 254 Z"
    )
    return _path(bow, "#c8384f") + _inked(x, 224, 16, "#c8384f", 4)


def _cat_ears(view: _View) -> str:
    ears = ""
    for side in (-1, 1):
        x = 400 + side * 118 - 12 * view.yaw
        ears += _path(
            f"M{x - 52} 238 L{x + side * 34} 92 L{x + 54} 234 Z", "url(#hair)"
        )
        ears += _path(
            f"M{x - 22} 222 L{x + side * 26} 132 L{x + 28} 218 Z", "#f0b7b0", width=0
        )
    return ears


def _scar(view: _View) -> str:
    x = view.x(-96)
    return _path(f"M{x - 6} 488 L{x + 10} 540", "none", "#b0605a", 7)


def _headphones(view: _View) -> str:
    band = _path("M236 420 Q236 140 400 138 Q564 140 564 420", "none", "#e4e6ea", 24)
    cups = "".join(
        svg.rounded(
            (370 + side * 166 - 10 * view.yaw, 384),
            (60, 104),
            24,
            "#d94f4f",
            f'stroke="{_INK}" stroke-width="5"',
        )
        for side in (-1, 1)
    )
    return band + cups


def _hairpin(view: _View) -> str:
    x = 300 + 20 * view.yaw
    return _path(f"M{x} 318 l64 -26 l6 16 l-64 26 Z", "#f2d24b")


_EXTRAS: dict[str, Callable[[_View], str]] = {
    "glasses": _glasses,
    "ribbon": _ribbon,
    "cat ears": _cat_ears,
    "scar": _scar,
    "headphones": _headphones,
    "hairpin": _hairpin,
}


def _extra(look: Anime, view: _View) -> str:
    return _EXTRAS[look.extra](view) if look.extra else ""
