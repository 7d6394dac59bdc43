"""Pictures of the demo's site as plain files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.truth import Noise, TrueFile, load_truth


def good_files(count: int) -> list[TrueFile]:
    """Clean pictures of one face each, no two of one character."""
    found: dict[str, TrueFile] = {}
    for file in load_truth().files:
        if file.noise is Noise.CLEAN and len(file.faces) == 1:
            found.setdefault(file.filed_under[0], file)
    return list(found.values())[:count]


def write_pictures(folder: Path, files: Sequence[TrueFile]) -> list[Path]:
    """Write pictures into a folder under their own names; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    site = SiteArchive(shipped_tar())
    paths = []
    for file in files:
        path = folder / file.name
        path.write_bytes(site.read(f"images/{file.name}"))
        paths.append(path)
    site.close()
    return paths
