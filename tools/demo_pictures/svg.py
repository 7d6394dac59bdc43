"""Pieces of SVG text that the drawn characters are made of."""

from __future__ import annotations

from collections.abc import Iterable


def document(size: tuple[float, float], defs: str, parts: Iterable[str]) -> str:
    """Put elements, back to front, into a document of a width and a height."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {size[0]:g} {size[1]:g}" '
        'stroke-linejoin="round" stroke-linecap="round">'
        f"<defs>{defs}</defs>{''.join(parts)}</svg>"
    )


def path(d: str, fill: str, stroke: str = "", width: float = 0, more: str = "") -> str:
    """Draw an outline; without a width it has no edge."""
    edge = f'stroke="{stroke}" stroke-width="{width:g}"' if width else ""
    return f'<path d="{d}" fill="{fill}" {edge} {more}/>'


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, more: str = "") -> str:
    """Draw an ellipse about a point."""
    return f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{fill}" {more}/>'


def rounded(
    corner: tuple[float, float],
    size: tuple[float, float],
    r: float,
    fill: str,
    more: str,
) -> str:
    """Draw a rectangle with round corners from its upper left one."""
    return (
        f'<rect x="{corner[0]}" y="{corner[1]}" width="{size[0]:g}" '
        f'height="{size[1]:g}" rx="{r:g}" fill="{fill}" {more}/>'
    )


def clipped(name: str, d: str, inner: str) -> str:
    """Show of ``inner`` what is within the outline ``d``."""
    return (
        f'<clipPath id="{name}"><path d="{d}"/></clipPath>'
        f'<g clip-path="url(#{name})">{inner}</g>'
    )


def gradient(name: str, end: tuple[float, ...], *stops: tuple[float, str]) -> str:
    """Define a linear gradient from x1, y1 to x2, y2 of what is filled with it."""
    colours = "".join(
        f'<stop offset="{at:g}" stop-color="{colour}"/>' for at, colour in stops
    )
    x1, y1, x2, y2 = end
    return (
        f'<linearGradient id="{name}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}">'
        f"{colours}</linearGradient>"
    )


def shade(colour: str, by: float) -> str:
    """Make a hex colour darker (``by`` under 0) or lighter, as ``#rrggbb``."""
    parts = [int(colour.lstrip("#")[k : k + 2], 16) for k in (0, 2, 4)]
    to = 255 if by > 0 else 0
    return "#" + "".join(f"{round(p + (to - p) * abs(by)):02x}" for p in parts)
