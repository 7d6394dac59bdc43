"""Draw portraits of invented people in soft light, to be painted over by `brush`.

The faces are made here from nothing, and so are the strokes (`brush`): no model was
trained on them, and they are under CC0 like the rest.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from icf.tools.demo_pictures import svg
from icf.tools.demo_pictures.svg import shade

#: Width and height of a drawing.
SIZE = (800.0, 900.0)
#: The face, from the chin to the hairline and from ear to ear.
FACE = (266.0, 250.0, 534.0, 604.0)
CLOTHES = ("5a3a2c", "2f4858", "6b2f35", "4a5d3a", "8a7a5c", "33313f", "a3602f")
_FINE = 'filter="url(#fine)"'
_MOODS = ("calm", "smile", "stern", "sad", "surprised")


@dataclass(frozen=True)
class Painted:
    """A painted person; colours are hex without ``#``.

    ``hair`` and ``beard`` name their shapes, ``nose`` and ``lips`` are half widths and
    ``face`` the half width of the cheeks in pixels of the drawing; ``hat`` is a kind
    and a colour, or "".
    """

    hair: str
    hair_colour: str
    skin: str
    eyes: str = "4a3a2a"
    beard: str = ""
    nose: int = 26
    lips: int = 46
    face: int = 122
    brow: int = 10
    old: bool = False
    hat: str = ""


class _Sitting:
    """One picture of a person: where the head turns, the light and the mood."""

    def __init__(self, look: Painted, rng: random.Random, calm: bool) -> None:
        if not calm and rng.random() < 0.35:  # without a hat, or shaved
            look = replace(look, hat="") if look.hat else replace(look, beard="")
        self.look, self.rng = look, rng
        self.yaw = 0.0 if calm else rng.uniform(-1, 1)
        self.light = rng.choice((-1, 1))
        self.mood = "calm" if calm else rng.choice(_MOODS)
        self.cloth = rng.choice(CLOTHES)

    def x(self, offset: float, depth: float = 1.0) -> float:
        far = 1 - 0.32 * abs(self.yaw) * (offset * self.yaw > 0)
        return 400 + offset * far + 40 * depth * self.yaw

    def tone(self, by: float) -> str:
        return shade(self.look.skin, by)


def drawn(look: Painted, rng: random.Random, calm: bool) -> str:
    """Draw a bust as SVG text of the size `SIZE`, its face in `FACE`.

    Args:
        look: what the person always has.
        rng: chooses mood, side, light and clothes.
        calm: a calm face from the front.
    """
    sitting = _Sitting(look, rng, calm)
    parts = [
        _hair_behind(sitting),
        _body(sitting),
        _head(sitting),
        _eye(sitting, -1),
        _eye(sitting, 1),
        _nose(sitting),
        _beard(sitting),
        _mouth(sitting),
        _hair(sitting),
        _hat(sitting),
    ]
    return svg.document(SIZE, _definitions(sitting), parts)


def _definitions(sitting: _Sitting) -> str:
    """Blurs, and the light on skin and cloth."""
    blurs = "".join(
        f'<filter id="{name}" x="-{more}%" y="-{more}%" width="{100 + 2 * more}%" '
        f'height="{100 + 2 * more}%"><feGaussianBlur stdDeviation="{by}"/></filter>'
        for name, by, more in (("soft", 11, 60), ("fine", 3, 40))
    )
    dark, light = (1, 0) if sitting.light < 0 else (0, 1)
    skin = (
        (0, sitting.tone(0.2)),
        (0.5, f"#{sitting.look.skin}"),
        (1, sitting.tone(-0.45)),
    )
    cloth = (0, shade(sitting.cloth, 0.2)), (1, shade(sitting.cloth, -0.5))
    return (
        blurs
        + svg.gradient("skin", (light, 0, dark, 0.5), *skin)
        + svg.gradient("cloth", (light, 0, dark, 1), *cloth)
    )


def _line(d: str, colour: str, width: float, *, fine: bool = False) -> str:
    return svg.path(d, "none", colour, width, _FINE if fine else "")


def _soft(x: float, y: float, rx: float, ry: float, colour: str, opacity: float) -> str:
    more = f'opacity="{opacity}" filter="url(#soft)"'
    return svg.ellipse(x, y, rx, ry, colour, more)


def _strands(sitting: _Sitting, lines: list[tuple[float, ...]], width: float) -> str:
    """Curved strands of hair, each of its own shade: x, y, through x, y, to x, y."""
    rng, made = sitting.rng, ""
    for x1, y1, x2, y2, x3, y3 in lines:
        colour = shade(sitting.look.hair_colour, rng.uniform(-0.4, 0.35))
        j = [rng.uniform(-8, 8) for _ in range(4)]
        made += _line(
            f"M{x1 + j[0]} {y1} Q{x2 + j[1]} {y2 + j[2]} {x3 + j[3]} {y3}",
            colour,
            width * rng.uniform(0.6, 1.3),
        )
    return made


def _hair_behind(sitting: _Sitting) -> str:
    look, s = sitting.look, -12 * sitting.yaw
    fill = shade(look.hair_colour, -0.45)
    low = {"long": 840, "wavy": 760, "bob": 600, "braids": 560, "curls": 600}
    if look.hair not in low:
        return ""
    y, wide = low[look.hair], {"curls": 214, "wavy": 200}.get(look.hair, 176)
    hair = svg.path(
        f"M{400 - wide + s} {y} Q{400 - wide - 24 + s} 180 {400 + s} 160 "
        f"Q{400 + wide + 24 + s} 180 {400 + wide + s} {y} "
        f"Q400 {y + 30} {400 - wide + s} {y} Z",
        fill,
    )
    lines: list[tuple[float, ...]] = []
    for k in range(26):
        side, t = (-1 if k % 2 else 1), (k // 2) / 12
        x = 400 + s + side * (90 + (wide - 90) * t)
        bend = {"wavy": 40, "curls": 56}.get(look.hair, 12) * (1 if k % 4 < 2 else -1)
        lines.append((x - side * 60, 190 + 90 * t, x + bend, (230 + y) / 2, x, y - 10))
    hair += _strands(sitting, lines, 11)
    if look.hair == "braids":
        for side in (-1, 1):
            for k in range(9):
                x, at = 400 + s + side * (150 + 4 * k), 470 + 40 * k
                colour = shade(look.hair_colour, -0.25 if k % 2 else 0.1)
                turned = f'transform="rotate({30 * side} {x} {at})"'
                hair += svg.ellipse(x, at, 26, 28, colour, turned)
    return hair


def _body(sitting: _Sitting) -> str:
    neck = svg.path(
        "M330 540 L322 680 Q400 750 478 680 L470 540 Z", sitting.tone(-0.28)
    )
    neck += _soft(400 + 8 * sitting.yaw, 622, 74, 34, sitting.tone(-0.7), 0.7)
    coat = svg.path(
        "M318 664 Q220 690 150 740 Q96 790 84 920 L716 920 Q704 790 650 740 "
        "Q580 690 482 664 Q400 760 318 664 Z",
        "url(#cloth)",
    )
    dark, light = shade(sitting.cloth, -0.55), shade(sitting.cloth, 0.35)
    folds = "".join(
        _line(f"M{x} 720 Q{x + d} 800 {x + d / 2} 900", c, 12, fine=True)
        for x, d, c in (
            (230, -30, dark),
            (300, 10, light),
            (500, -10, light),
            (566, 34, dark),
            (400, 4, dark),
        )
    )
    collar = _line("M316 668 Q400 776 484 668", "#d9cbb0", 22) + _line(
        "M316 668 Q400 776 484 668", dark, 4
    )
    return neck + coat + folds + collar


def _head(sitting: _Sitting) -> str:
    look, x = sitting.look, sitting.x
    w = look.face
    left, right, chin = x(-w - 8, 0.2), x(w + 8, 0.2), 400 + 24 * sitting.yaw
    ears = "".join(
        svg.ellipse(e, 436, 20, 42, sitting.tone(-0.2))
        + svg.ellipse(e + side * 2, 438, 9, 24, sitting.tone(-0.5))
        for side, e in ((-1, left), (1, right))
        if sitting.yaw * side < 0.55
    )
    outline = (
        f"M{left} 400 Q{left} 500 {x(-w + 20, 0.6)} 540 Q{x(-58, 0.8)} 602 {chin} 606 "
        f"Q{x(58, 0.8)} 602 {x(w - 20, 0.6)} 540 Q{right} 500 {right} 400 "
        f"Q{right} 196 400 194 Q{left} 196 {left} 400 Z"
    )
    shadow_side = -sitting.light
    shadows = (
        _soft(x(shadow_side * (w - 26)), 470, 40, 110, sitting.tone(-0.65), 0.55)
        + _soft(x(-sitting.light * -64), 486, 40, 34, sitting.tone(0.45), 0.6)
        + _soft(x(0), 300, 70, 44, sitting.tone(0.4), 0.55)
        + "".join(
            _soft(x(side * 60), 418, 44, 26, sitting.tone(-0.55), 0.6)
            for side in (-1, 1)
        )
        + "".join(_soft(x(side * 72), 496, 34, 22, "#c2503c", 0.28) for side in (-1, 1))
        + _soft(x(0), 574, 30, 12, sitting.tone(-0.5), 0.5)
    )
    lines = ""
    if look.old:
        for side in (-1, 1):
            lines += _line(
                f"M{x(side * 34, 1.2)} 500 Q{x(side * 66)} 520 {x(side * 70)} 560",
                sitting.tone(-0.5),
                6,
                fine=True,
            )
        for y in (292, 316, 340):
            lines += _line(
                f"M{x(-70)} {y} Q{x(0)} {y - 10} {x(70)} {y}",
                sitting.tone(-0.4),
                5,
                fine=True,
            )
    return (
        ears
        + svg.path(outline, "url(#skin)")
        + svg.clipped("face", outline, shadows + lines)
    )


def _eye(sitting: _Sitting, side: int) -> str:
    look, x = sitting.look, sitting.x(side * 60)
    w = 34 * (1 - 0.16 * max(0.0, sitting.yaw * side))
    h = {"surprised": 19, "smile": 11, "sad": 12}.get(sitting.mood, 14)
    y, pupil = 420, x + 6 * sitting.yaw
    raised = {"surprised": -12, "sad": -2, "stern": 8}.get(sitting.mood, 0)
    inner = {"sad": -12, "stern": 10}.get(sitting.mood, 0)
    brow = _line(
        f"M{x - side * 44} {378 + raised + inner} Q{x} {364 + raised} "
        f"{x + side * 44} {382 + raised}",
        shade(look.hair_colour, -0.35),
        look.brow,
    )
    white = (
        f"M{x - w} {y} Q{x} {y - 2 * h} {x + w} {y} Q{x} {y + 1.5 * h} {x - w} {y} Z"
    )
    return (
        svg.path(white, "#e6dccb")
        + svg.ellipse(pupil, y - 2, h * 0.95, h * 0.95, f"#{look.eyes}")
        + svg.ellipse(pupil, y - 2, h * 0.45, h * 0.45, "#120d0a")
        + svg.ellipse(pupil + sitting.light * 5, y - 7, 3.4, 3.4, "#fff6e4")
        + _line(f"M{x - w} {y} Q{x} {y - 2 * h} {x + w} {y}", "#2a1a14", 6)
        + _line(
            f"M{x - w} {y - 8} Q{x} {y - 2 * h - 10} {x + w} {y - 8}",
            sitting.tone(-0.5),
            4,
        )
        + _line(
            f"M{x - w + 8} {y + 8} Q{x} {y + 1.6 * h + 8} {x + w - 8} {y + 8}",
            sitting.tone(-0.4),
            3,
        )
        + brow
    )


def _nose(sitting: _Sitting) -> str:
    x, w = sitting.x, sitting.look.nose
    turn = 1.0 if sitting.yaw > 0 else -1.0
    dark = -sitting.light
    return (
        _soft(x(dark * 20, 1.6), 470, 14, 46, sitting.tone(-0.6), 0.6)
        + _soft(x(sitting.light * 4, 1.8), 462, 9, 40, sitting.tone(0.55), 0.75)
        + _line(
            f"M{x(turn * 12, 1.6)} 410 Q{x(turn * 18, 1.9)} 460 {x(turn * w, 1.9)} 494",
            sitting.tone(-0.45),
            6,
            fine=True,
        )
        + "".join(
            svg.ellipse(
                x(side * w * 0.55, 1.8), 502, w * 0.36, 7, sitting.tone(-0.72), _FINE
            )
            for side in (-1, 1)
        )
        + _soft(x(0, 1.9), 488, 14, 10, sitting.tone(0.5), 0.6)
    )


def _mouth(sitting: _Sitting) -> str:
    x, w = sitting.x(0, 1.3), sitting.look.lips
    y = 545.0
    bend = {"smile": 14, "sad": -12, "stern": -4}.get(sitting.mood, 2)
    red = "#96463c"
    if sitting.mood == "surprised":
        edge = f'stroke="{red}" stroke-width="9"'
        return svg.ellipse(x, y + 4, 20, 17, "#3a1614", edge)
    upper = (
        f"M{x - w} {y} Q{x - w * 0.4} {y - 14} {x} {y - 7} Q{x + w * 0.4} {y - 14} "
        f"{x + w} {y} Q{x} {y + bend} {x - w} {y} Z"
    )
    lower = (
        f"M{x - w} {y} Q{x} {y + bend} {x + w} {y} Q{x} {y + 24 + bend} {x - w} {y} Z"
    )
    return (
        svg.path(lower, shade(red[1:], 0.18))
        + svg.path(upper, red)
        + _line(f"M{x - w - 4} {y} Q{x} {y + bend} {x + w + 4} {y}", "#3a1614", 5)
    )


def _beard(sitting: _Sitting) -> str:
    look, x = sitting.look, sitting.x
    if not look.beard:
        return ""
    lines: list[tuple[float, ...]] = []
    colour = shade(look.hair_colour, -0.25)
    shape = ""
    if look.beard in ("full", "goatee"):
        wide, low = (look.face - 4, 690) if look.beard == "full" else (46, 640)
        top = 470 if look.beard == "full" else 556
        shape = svg.path(
            f"M{x(-wide, 0.6)} {top} Q{x(-wide + 6, 0.7)} {low - 30} {x(0)} {low} "
            f"Q{x(wide - 6, 0.7)} {low - 30} {x(wide, 0.6)} {top} "
            f"Q{x(40)} 530 {x(0)} 528 Q{x(-40)} 530 {x(-wide, 0.6)} {top} Z",
            colour,
        )
        for k in range(34):
            t = k / 33 * 2 - 1
            begin = top + (1 - abs(t)) * (566 - top)
            lines.append(
                (
                    x(t * wide, 0.7),
                    begin,
                    x(t * wide * 0.9, 0.8),
                    (begin + low) / 2,
                    x(t * wide * 0.55),
                    low - abs(t) * 60,
                )
            )
    if look.beard in ("full", "moustache"):
        for k in range(22):
            t = k / 21 * 2 - 1
            lines.append(
                (x(t * 10, 1.5), 516, x(t * 40, 1.3), 522, x(t * 66, 1.2), 540)
            )
    return shape + _strands(sitting, lines, 8)


def _hair(sitting: _Sitting) -> str:
    look, x = sitting.look, sitting.x
    w = look.face + 16
    if look.hair == "bald":
        return _soft(x(sitting.light * 30), 236, 46, 22, sitting.tone(0.6), 0.8)
    line = {"receding": 250, "crop": 268, "curls": 290, "parted": 292}.get(
        look.hair, 286
    )
    low = {"receding": 400, "crop": 400}.get(look.hair, 450)
    side = -1 if look.hair == "parted" else 1
    cap = svg.path(
        f"M{x(-w, 0.2)} {low} Q{x(-w - 20, 0.1)} 150 400 146 Q{x(w + 20, 0.1)} 150 "
        f"{x(w, 0.2)} {low} Q{x(w - 26, 0.4)} {line + 40} {x(side * 40)} {line} "
        f"Q{x(-w + 30, 0.4)} {line + 34} {x(-w, 0.2)} {low} Z",
        shade(look.hair_colour, -0.3),
    )
    lines: list[tuple[float, ...]] = []
    for k in range(52):
        t = k / 51 * 2 - 1
        end = low - 20 if abs(t) > 0.72 else line + 36 * abs(t)
        lines.append(
            (
                400 + side * 40 + t * 70,
                156 + 18 * abs(t),
                x(t * w * 1.12, 0.2),
                214,
                x(t * (w - 6), 0.3),
                end,
            )
        )
    hair = cap + _strands(sitting, lines, 8)
    if look.hair == "curls":
        for k in range(42):
            angle = math.pi * (k / 41)
            x_, y_ = 400 - (w + 26) * math.cos(angle), 336 - 186 * math.sin(angle)
            colour = shade(look.hair_colour, sitting.rng.uniform(-0.4, 0.3))
            hair += svg.ellipse(round(x_, 1), round(y_, 1), 34, 34, colour)
    return hair


def _hat(sitting: _Sitting) -> str:
    if not sitting.look.hat:
        return ""
    colour, s = sitting.look.hat.split()[1], -8 * sitting.yaw
    dark, light = shade(colour, -0.5), shade(colour, 0.25)
    if sitting.look.hat.startswith("cap"):
        crown = (
            f"M{232 + s} 290 Q{226 + s} 110 400 104 Q{574 + s} 110 {568 + s} 290 "
            f"Q400 250 {232 + s} 290 Z"
        )
        brim = f"M{226 + s} 292 Q400 236 {574 + s} 292 Q400 352 {226 + s} 292 Z"
        return (
            svg.path(crown, f"#{colour}")
            + svg.path(brim, dark)
            + _line(
                f"M{290 + s} 180 Q{330 + s} 140 {390 + s} 134",
                light,
                16,
                fine=True,
            )
        )
    scarf = (
        f"M{236 + s} 330 Q{216 + s} 120 400 116 Q{584 + s} 120 {564 + s} 330 "
        f"Q{530 + s} 236 400 232 Q{270 + s} 236 {236 + s} 330 Z"
    )
    return svg.path(scarf, f"#{colour}") + "".join(
        _line(
            f"M{250 + s} {300 - k * 26} Q400 {206 - k * 28} {550 + s} {300 - k * 26}",
            light if k % 2 else dark,
            7,
            fine=True,
        )
        for k in range(4)
    )
