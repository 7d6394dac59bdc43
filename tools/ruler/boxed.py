"""Take pictures into a set: ``python -m icf.tools.ruler.boxed dev draft.jsonl``.

A draft has a line a picture, as a set has, but without ``sha256`` and ``size``, which
are those of the picture that is drawn here. A picture of the same file and cut is
replaced.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.errors import BadInput, BrokenMachine
from icf.tools.ruler import manifest, packages, pictures
from icf.tools.ruler.manifest import Drawing, Source

Key = tuple[str, str, tuple[int, int, int, int] | None]


def taken(line: Mapping[str, Any], known: Mapping[str, Source], root: Path) -> Drawing:
    """Draw a picture of a draft, and complete its line.

    Args:
        line: of the draft.
        known: the sources by name.
        root: folder of all sources.

    Raises:
        BadInput: there is no such source or picture, or a box is not inside it.
    """
    try:
        folder = packages.unpacked(known[line["source"]], root)
        packed = pictures.content(folder, line["file"])
        pixels = pictures.drawn(packed, manifest.view_of(line))
        height, width = pixels.shape[:2]
        about = {"sha256": pictures.sha256_of(pixels), "size": (width, height)}
        return manifest.drawing_of({**line, **about})
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{json.dumps(line)}: {error!r}") from error


def merge(old: list[Drawing], new: list[Drawing]) -> list[Drawing]:
    """Replace pictures of the same file and cut, and append the others."""
    merged = {_key(each): each for each in (*old, *new)}
    return list(merged.values())


def _key(drawing: Drawing) -> Key:
    return drawing.source, drawing.file, drawing.view.cut


def main(name: manifest.SetName, draft: Path) -> None:
    """Take the pictures of a draft into a set."""
    known, root = manifest.sources(), packages.cache()
    lines = [json.loads(each) for each in draft.read_text("utf-8").splitlines()]
    for source in sorted({line["source"] for line in lines}):
        if known[source].set != name:
            raise BadInput(f"{source} is a source of the set {known[source].set}")
        packages.fetch(known[source], root)
    path = manifest.path_of(name)
    old = manifest.read(path) if path.exists() else []
    manifest.write(path, merge(old, [taken(line, known, root) for line in lines]))


if __name__ == "__main__":
    try:
        main("test" if sys.argv[1] == "test" else "dev", Path(sys.argv[2]))
    except (BadInput, BrokenMachine) as error:
        sys.exit(str(error))
