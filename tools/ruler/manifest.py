"""What the ruler is made of: sources, pictures, faces."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from icf.errors import BadInput

Box = tuple[float, float, float, float]
SetName = Literal["dev", "test"]
Registry = Literal["debian", "pypi", "npm"]
Group = Literal[
    "painted",
    "anime",
    "comics",
    "mascots",
    "black-and-white",
    "crowds",
    "no faces",
]
GROUPS: tuple[Group, ...] = get_args(Group)
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Source:
    """A package with drawings.

    Attributes:
        name: of the source.
        registry: which package manager fetches it.
        package: its name there.
        version: of the package.
        licence: of the drawings that are used.
        set: the one set that all its pictures are in.
    """

    name: str
    registry: Registry
    package: str
    version: str
    licence: str
    set: SetName


@dataclass(frozen=True)
class View:
    """How a file becomes a picture; the steps are taken in this order.

    Attributes:
        raster: width in pixels at which a vector drawing is drawn.
        cut: x1, y1, x2, y2 of a part, such as a frame of a sheet.
        longer: longer side in pixels to which the picture is resized; None: as it is.
        ground: colour behind what is transparent.
    """

    raster: int | None = None
    cut: tuple[int, int, int, int] | None = None
    longer: int | None = None
    ground: str = "#ffffff"


@dataclass(frozen=True)
class Face:
    """A face of a picture.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the picture: chin to hairline, ear to ear.
        identity: the character, unique in its source; None: not told.
    """

    box: Box
    identity: str | None = None


@dataclass(frozen=True)
class Drawing:
    """A picture of the ruler.

    Attributes:
        source: the name of its source.
        file: path in the unpacked package; ``ARCHIVE!MEMBER`` in an archive there.
        view: how it is drawn.
        sha256: of its pixels: RGB, eight bits each, row by row.
        size: width and height.
        group: what it is measured with.
        faces: all faces in it.
        ignored: boxes of what may be found or not, such as doubtful faces.
    """

    source: str
    file: str
    view: View
    sha256: str
    size: tuple[int, int]
    group: Group
    faces: tuple[Face, ...] = ()
    ignored: tuple[Box, ...] = ()

    @property
    def without_faces(self) -> bool:
        """Whether every box that is found in it is a false one."""
        return not self.faces and not self.ignored


def sources(path: Path = _HERE / "sources.json") -> dict[str, Source]:
    """Read the sources, by name.

    Raises:
        BadInput: the file is not as `Source` says.
    """
    try:
        listed = [Source(**each) for each in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{path} is not a list of sources: {error}") from error
    return {each.name: each for each in listed}


def path_of(name: SetName) -> Path:
    """Where the pictures of a set are listed."""
    return _HERE / f"{name}.jsonl"


def read(path: Path) -> list[Drawing]:
    """Read the pictures of a set.

    Raises:
        BadInput: a line is not as `Drawing` says; the message names the line.
    """
    found = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"the ruler's pictures cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            found.append(drawing_of(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadInput(f"{path}:{number}: not a picture: {error!r}") from error
    return found


def write(path: Path, drawings: Iterable[Drawing]) -> None:
    """Write the pictures of a set: a line each, ordered by source, file and cut."""
    ordered = sorted(drawings, key=lambda d: (d.source, d.file, d.view.cut or ()))
    text = "".join(json.dumps(_line(each)) + "\n" for each in ordered)
    path.write_text(text, encoding="utf-8")


def view_of(line: Mapping[str, Any]) -> View:
    """Read how a picture is drawn.

    Raises:
        TypeError: there is a key that `View` does not know.
    """
    view = dict(line.get("view", {}))
    if "cut" in view:
        view["cut"] = tuple(view["cut"])
    return View(**view)


def drawing_of(line: Mapping[str, Any]) -> Drawing:
    """Read a picture.

    Args:
        line: as JSON has it.

    Raises:
        KeyError, TypeError, ValueError: it is not as `Drawing` says.
    """
    if line["group"] not in GROUPS:
        raise ValueError(f"unknown group {line['group']!r}")
    if (line["group"] == "no faces") != (not line.get("faces")):
        raise ValueError("a picture is in the group 'no faces' if it has none")
    width, height = line["size"]
    faces = [
        Face(_box(each["box"], width, height), each.get("identity"))
        for each in line.get("faces", ())
    ]
    return Drawing(
        line["source"],
        line["file"],
        view_of(line),
        line["sha256"],
        (width, height),
        line["group"],
        tuple(faces),
        tuple(_box(each, width, height) for each in line.get("ignored", ())),
    )


def _box(numbers: Sequence[float], width: int, height: int) -> Box:
    x1, y1, x2, y2 = numbers
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise ValueError(f"box {list(numbers)} is not inside {width} x {height}")
    return x1, y1, x2, y2


def _line(drawing: Drawing) -> dict[str, Any]:
    """A picture as JSON, without what is as usual."""
    usual = View()
    view = {
        key: value
        for key, value in dataclasses.asdict(drawing.view).items()
        if value != getattr(usual, key)
    }
    faces = [
        {"box": face.box} | ({"identity": face.identity} if face.identity else {})
        for face in drawing.faces
    ]
    line = {
        "source": drawing.source,
        "file": drawing.file,
        "view": view,
        "sha256": drawing.sha256,
        "size": drawing.size,
        "group": drawing.group,
        "faces": faces,
        "ignored": drawing.ignored,
    }
    return {key: value for key, value in line.items() if value not in ({}, [], ())}
