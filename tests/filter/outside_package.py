"""Packages with steps, installed into a folder as pip would: with their metadata."""

from __future__ import annotations

import re
from pathlib import Path

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
    [code] = of_the_page("python")
    points = {"monochrome": "monochrome:Monochrome"}
    install(folder, "toon_monochrome", points, monochrome=code)
