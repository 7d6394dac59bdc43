"""`icf embed`: one embedding for each face in a list, without a workspace."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.errors import BadInput
from icf.icartoonface.recognition import read_rectest_info
from icf.images import Undecodable, decode
from icf.models.embedding import Embedder, crop_face
from icf.stores.files import check_place_of_file, replace_file

#: Faces embedded at a time.
BATCH = 64

#: Faults that are listed; the others are only counted.
SHOWN = 20

#: Largest coordinate that is accepted; also keeps huge integers out of float().
_MAX_COORDINATE = 1e9


@dataclass(frozen=True)
class FaceLine:
    """One line of FACES.jsonl; box is x1, y1, x2, y2 in pixels."""

    line: int
    path: Path
    box: tuple[float, float, float, float]


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong with a line."""

    line: int
    message: str


@click.command()
@click.argument("faces", metavar="FACES.jsonl", type=GivenPath())
@click.option(
    "--out",
    required=True,
    metavar="F.npy",
    type=GivenPath(dir_okay=False),
    help="File for the embeddings.",
)
@click.option(
    "--model",
    type=GivenPath(dir_okay=False, exists=True),
    help="Embedder of your own: its weights or card  [default: the bundled one].",
)
@click.option(
    "--pictures",
    type=GivenPath(file_okay=False, exists=True),
    help="Folder of the pictures that an info file of iCartoonFace names.",
)
@shared_options
@pass_invocation
@example("icf embed faces.jsonl --out faces.npy")
def embed(
    invocation: Invocation,
    faces: Path,
    out: Path,
    model: Path | None,
    pictures: Path | None,
) -> None:
    """Embed the faces listed in FACES.jsonl, lines of {"path", "box"}.

    Paths are relative to the working folder; box is [x1, y1, x2, y2] in pixels of the
    upright picture. F.npy gets one float32 row of unit length for each line, in order;
    for a line of `icf detect --json`, one for each of its faces.
    With --pictures, the list is an info file of iCartoonFace or of a release, and F.npy
    is what `icf-evaluate identification --features` takes.
    If any line cannot be embedded, every such line is reported and nothing is written.
    """
    check_place_of_file(out)
    embedder = Embedder.open(model) if model else Embedder.bundled()
    if pictures is None:
        lines, faults = read_faces(faces)
    else:
        lines, faults = _read_info(faces, pictures), []
    blocks: list[NDArray[np.float32]] = [np.zeros((0, embedder.dim), np.float32)]
    with invocation.progress("embedding", len(lines)) as advance:
        remaining = iter(lines)
        while some := list(islice(remaining, BATCH)):
            crops, more_faults = _crops(some, embedder.crop_rate)
            faults += more_faults
            blocks.append(embedder.embed(crops))
            advance(len(some))
    if faults:
        raise BadInput(_fault_message(faces, faults))
    matrix = np.concatenate(blocks)
    _write(out, matrix)
    invocation.emit(
        {"faces": len(matrix), "dim": embedder.dim, "path": str(out)},
        lambda: f"{len(matrix)} embeddings of {embedder.dim} numbers in {out}",
    )


def _fault_message(faces: Path, faults: Sequence[Fault]) -> str:
    lines = "1 line" if len(faults) == 1 else f"{len(faults)} lines"
    listed = [f"  line {each.line}: {each.message}" for each in sorted(faults)[:SHOWN]]
    if len(faults) > SHOWN:
        listed.append(f"  and {len(faults) - SHOWN} more")
    return "\n".join(
        [
            f"{lines} of {faces} cannot be embedded, so nothing was written:",
            *listed,
        ]
    )


def read_faces(path: Path) -> tuple[list[FaceLine], list[Fault]]:
    """Read FACES.jsonl; return its valid lines, and the faults of the others.

    Raises:
        BadInput: the file cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {path}: {error}") from error
    good, faults = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            good += _parse(number, line)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(number, f"not {{'path', 'box'}}: {error}"))
    return good, faults


def _read_info(path: Path, pictures: Path) -> list[FaceLine]:
    """Read the pictures of an info file, each with its box.

    Raises:
        BadInput: it is not an info file.
    """
    info = read_rectest_info(path)
    rows = zip(info.files, info.boxes.astype(float).tolist(), strict=True)
    return [
        FaceLine(number, pictures / name, (x1, y1, x2, y2))
        for number, (name, (x1, y1, x2, y2)) in enumerate(rows, start=1)
    ]


def _parse(number: int, line: str) -> list[FaceLine]:
    """Return the face of a line, or those of a line of `icf detect --json`."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("it is not an object")
    if "path" not in record:
        raise ValueError("it has no 'path'")
    path = record["path"]
    if not isinstance(path, str) or "\0" in path:
        raise ValueError(f"path {path!r} is not a path")
    faces = record.get("faces", [record])
    if not isinstance(faces, list):
        raise ValueError(f"faces {faces!r} is not a list")
    return [FaceLine(number, Path(path), _box_of(face)) for face in faces]


def _box_of(face: object) -> tuple[float, float, float, float]:
    if not isinstance(face, dict) or "box" not in face:
        raise ValueError("it has no 'box'")
    box = face["box"]
    if not _is_box(box):
        raise ValueError(f"box {box!r} is not four numbers x1, y1, x2, y2")
    x1, y1, x2, y2 = map(float, box)
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f"box {box!r} has no area")
    return x1, y1, x2, y2


def _is_box(box: object) -> bool:
    return (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(e, int | float) and abs(e) < _MAX_COORDINATE for e in box)
    )


def _crops(
    lines: Sequence[FaceLine], rate: float
) -> tuple[list[NDArray[np.uint8]], list[Fault]]:
    """Crop each face; consecutive lines of one picture decode it once."""
    crops, faults = [], []
    for line, pixels in _decoded(lines):
        if isinstance(pixels, str):
            faults.append(Fault(line.line, f"{line.path}: {pixels}"))
            continue
        height, width = pixels.shape[:2]
        x1, y1, x2, y2 = line.box
        if max(x2 - x1, y2 - y1) > 2 * max(width, height):
            faults.append(Fault(line.line, f"box is far larger than {line.path}"))
            continue
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            faults.append(Fault(line.line, f"box is outside of {line.path}"))
            continue
        crops.append(crop_face(pixels, line.box, rate))
    return crops, faults


def _decoded(
    lines: Sequence[FaceLine],
) -> Iterator[tuple[FaceLine, NDArray[np.uint8] | str]]:
    last: Path | None = None
    pixels: NDArray[np.uint8] | str = ""
    for line in lines:
        if line.path != last:
            last = line.path
            try:
                pixels = decode(line.path.read_bytes()).pixels
            except OSError as error:
                pixels = f"cannot be read: {error.strerror}"
            except Undecodable as error:
                pixels = str(error)
        yield line, pixels


def _write(out: Path, matrix: NDArray[np.float32]) -> None:
    stream = io.BytesIO()
    np.save(stream, matrix, allow_pickle=False)
    replace_file(out, [stream.getbuffer()])
