"""Packages with steps, installed into a folder as pip would: with their metadata."""

from __future__ import annotations

import io
import re
from pathlib import Path

import sqlalchemy as sa
from PIL import Image

from icf.catalogue.schema import candidate, character, image
from icf.workspace import Workspace

PAGE = Path(__file__).parent.parent.parent / "docs" / "filter" / "add-a-step.md"


def of_the_page(language: str) -> list[str]:
    """The page's blocks of one language."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def install(folder: Path, package: str, points: dict[str, str], **modules: str) -> None:
    """Install modules and the entry points of their steps into a folder."""
    info = folder / f"{package}-1.dist-info"
    info.mkdir(parents=True)
    about = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n"
    (info / "METADATA").write_text(about)
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[icf.steps]", *lines, ""]))
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def install_monochrome(folder: Path) -> None:
    """Install the step of the page."""
    code, _ = of_the_page("python")
    points = {"monochrome": "monochrome:Monochrome"}
    install(folder, "toon_monochrome", points, monochrome=code)


def install_bright(folder: Path) -> None:
    """Install the threshold step of the page."""
    _, code = of_the_page("python")
    install(folder, "toon_bright", {"bright": "bright:Bright"}, bright=code)


#: Beside the step of the page: a picture without colour crashes it.
CRASHING = """
import ctypes
from monochrome import Monochrome, decode, store

class Crashing(Monochrome):
    name = "crashing"
    reasons = {}

    def _judge_one(self, item):
        pixels = decode(store(self.blobs).get(item.sha256), self.max_pixels).pixels
        if not (pixels.max(2) - pixels.min(2)).any():
            ctypes.string_at(0)
        return super()._judge_one(item)
"""


def install_crashing(folder: Path) -> None:
    """Install the step of the page, and one that grey pictures crash."""
    install_monochrome(folder)
    points = {"crashing": "crashing:Crashing"}
    install(folder, "crashes", points, crashing=CRASHING)


def add_picture(workspace: Workspace, picture: Image.Image) -> int:
    """Store a picture, filed under the one character that there is."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    sha256 = workspace.blobs.put(stream.getvalue())
    with workspace.catalogue.write() as connection:
        new = sa.insert(image).values(
            sha256=sha256,
            bytes=len(stream.getvalue()),
            awaits="detect",
            verdict="pending",
            reason="ok",
            stored_at=0.0,
        )
        image_id = int(connection.execute(new.returning(image.c.id)).scalar_one())
        who = connection.execute(sa.select(character.c.id).limit(1)).scalar_one()
        filed = {"image_id": image_id, "character_id": who, "is_lead": False}
        connection.execute(sa.insert(candidate), [filed])
    return image_id
