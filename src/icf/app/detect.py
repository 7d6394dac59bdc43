"""`icf detect`: detect faces in picture files, without a workspace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import cv2

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
)
from icf.errors import SomeFailed, WrongUse
from icf.images import Picture, Undecodable, decode
from icf.models.detection import Detection, Detector
from icf.own_files import walk
from icf.terminal import printable

#: RGB of the frame drawn around a face.
COLOURS = {"cartoon": (230, 60, 110), "human": (60, 120, 230)}


@dataclass(frozen=True)
class Detected:
    """A file and its faces; ``picture`` is None if it is not a picture."""

    path: Path
    picture: Picture | None
    reason: str
    faces: tuple[Detection, ...] = ()


@click.command()
@click.argument(
    "paths",
    metavar="FILE_OR_FOLDER...",
    nargs=-1,
    required=True,
    type=GivenPath(),
)
@click.option(
    "--out",
    type=GivenPath(file_okay=False),
    default=Path("detected"),
    show_default=True,
    help="Folder for the pictures with drawn boxes (without --json).",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    help="Least score of a face  [default: the model card's].",
)
@click.option(
    "--model",
    type=GivenPath(dir_okay=False, exists=True),
    help="Detector of your own: its weights or card  [default: the bundled one].",
)
@shared_options
@pass_invocation
@example("icf detect pictures --json")
def detect(
    invocation: Invocation,
    paths: tuple[Path, ...],
    out: Path,
    min_score: float | None,
    model: Path | None,
) -> None:
    """Find cartoon and human faces in pictures, or in all pictures of a folder.

    With --json, prints one line per picture: {"path", "width", "height", "faces":
    [{"box": [x1, y1, x2, y2], "score", "kind": "cartoon" or "human"}]}, boxes in pixels
    of the upright picture. Without --json, boxes are drawn into copies of the pictures.
    A file that is not a picture gets a "reason" and no faces; the exit code is then 3.
    """
    if invocation.json:
        refuse_options("--json draws nothing", "out")
    detector = Detector.open(model) if model else Detector.bundled()
    found = bad = 0
    for each in detect_all(detector, paths, min_score):
        found += 1
        bad += each.picture is None
        if invocation.json:
            click.echo(json.dumps(_line(each)))
        elif each.picture is None:
            invocation.say(f"{each.path}: {each.reason}")
        else:
            drawn = _draw(each.path, each.picture, each.faces, out)
            faces = "1 face" if len(each.faces) == 1 else f"{len(each.faces)} faces"
            click.echo(printable(f"{each.path}: {faces}, drawn in {drawn}"))
    if bad:
        raise SomeFailed(
            f"{bad} of {found} files are not pictures that can be read; "
            "--json gives the reason of each"
        )


def detect_all(
    detector: Detector, paths: tuple[Path, ...], min_score: float | None
) -> Iterator[Detected]:
    """Detect faces in the given files, and in all files of the given folders, in order.

    Raises:
        WrongUse: a path does not exist.
    """
    for path in _files(paths):
        try:
            picture = decode(path.read_bytes())
        except Undecodable as error:
            yield Detected(path, None, str(error.reason))
            continue
        except OSError as error:
            yield Detected(path, None, f"cannot be read: {error.strerror}")
            continue
        [faces] = detector.detect([picture.pixels], min_score)
        yield Detected(path, picture, "ok", tuple(faces))


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (each for each in walk(path) if each.is_file())
        elif path.is_file():
            yield path
        else:
            raise WrongUse(f"there is no file or folder {path}")


def _line(detected: Detected) -> dict[str, object]:
    picture = detected.picture
    line: dict[str, object] = {
        "path": str(detected.path),
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "faces": [
            {
                "box": [round(edge, 2) for edge in face.box],
                "score": round(face.score, 4),
                "kind": face.kind,
            }
            for face in detected.faces
        ],
    }
    return line if picture else {**line, "reason": detected.reason}


def _draw(
    path: Path, picture: Picture, faces: tuple[Detection, ...], folder: Path
) -> Path:
    canvas = picture.pixels.copy()
    width = max(2, round(max(canvas.shape[:2]) / 300))
    for face in faces:
        x1, y1, x2, y2 = (round(edge) for edge in face.box)
        colour = COLOURS[face.kind]
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, width)
        label = f"{face.kind} {face.score:.2f}"
        scale = width / 4
        place = (x1, max(round(20 * scale), y1 - width - 2))
        cv2.putText(
            canvas, label, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width
        )
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.stem}-{_short_name(path)}.png"
    if not cv2.imwrite(str(target), cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR)):
        raise WrongUse(f"cannot write {target}; name another folder with --out")
    return target


def _short_name(path: Path) -> str:
    """Return a few letters that make equal file names of two folders different."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]
