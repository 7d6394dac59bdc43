"""Data sets made for a test, in exactly the shape in which others publish them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from icf.models.data.base import LabelledPicture, Reader, Skipped
from tests.core.pictures import drawing, encoded


def write_jpeg(path: Path, width: int = 64, height: int = 48, seed: int = 1) -> Path:
    """Write a drawing, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(drawing(width, height, seed), "JPEG"))
    return path


def write_lines(path: Path, lines: Iterable[str], end: str = "\n") -> Path:
    """Write lines, each with its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    return path


def split(reader: Reader) -> tuple[list[LabelledPicture], list[Skipped]]:
    """What a reader gives, and what it leaves out."""
    pictures: list[LabelledPicture] = []
    skipped: list[Skipped] = []
    for each in reader.pictures():
        if isinstance(each, Skipped):
            skipped.append(each)
        else:
            pictures.append(each)
    return pictures, skipped


def reasons(skipped: Iterable[Skipped]) -> list[str]:
    """Why things were left out, in order."""
    return [each.reason for each in skipped]
