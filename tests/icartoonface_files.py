"""The published iCartoonFace in small: its folders and lists, with drawn pictures.

What is published is described in `icf.icartoonface`. Sizes are chosen so that the faces
of the same identity are alike, and large enough for the filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]

#: Width and height of each face; of a picture for each face.
FACE, SIDE = 104, 144

RECTRAIN = "icartoonface_rectrain"
RECTRAIN_LIST = "icartoonface_rectrain_det.txt"
RECTEST = "icartoonface_rectest"
RECTEST_INFO = "icartoonface_rectest_info.txt"
DETTRAIN = "icartoonface_dettrain"
DETTRAIN_LIST = "personai_icartoonface_dettrain_anno_updatedv1.0.csv"
DETVAL = "icartoonface_detval"
DETVAL_LIST = "personai_icartoonface_detval.csv"


@dataclass(frozen=True)
class Published:
    """How much of each part there is; 0 leaves it out.

    Attributes:
        identities: folders of the training pictures.
        pictures: of each of them.
        seen: identities of the test that are in training too: they have their numbers.
        unseen: identities of the test alone.
        probes: pictures of each identity of the test.
        distractors: pictures of the test that show somebody else each.
        detection_train, detection_test: pictures with boxes of all faces.
        pairs: whether the info file has the pairs to score.
        seed: of all that is drawn.
    """

    identities: int = 4
    pictures: int = 6
    seen: int = 2
    unseen: int = 2
    probes: int = 3
    distractors: int = 3
    detection_train: int = 4
    detection_test: int = 3
    pairs: bool = True
    seed: int = 0


def write_published(root: Path, size: Published | None = None) -> Path:
    """Write the published files below a folder, and return it."""
    size = size or Published()
    rng = np.random.default_rng(size.seed)
    root.mkdir(parents=True, exist_ok=True)
    if size.identities:
        _write_rectrain(root, size, rng)
    if size.seen + size.unseen + size.distractors:
        _write_rectest(root, size, rng)
    if size.detection_train:
        rows = _write_detection(root / DETTRAIN, size.detection_train, 1, rng)
        lines = (",".join([name, *map(str, box)]) for name, box in rows)
        write_lines(root / DETTRAIN_LIST, list(lines))
    if size.detection_test:
        # The published numbers have gaps.
        rows = _write_detection(root / DETVAL, size.detection_test, 0, rng, step=2)
        lines = (",".join([name, *map(str, box), "face"]) for name, box in rows)
        write_lines(root / DETVAL_LIST, list(lines), end="\r\n")
    return root


def write_lines(path: Path, lines: Sequence[str], end: str = "\n") -> None:
    """Write lines, each with its end."""
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())


def identity_name(number: int) -> str:
    """How the folder of an identity is called."""
    return f"personai_{RECTRAIN}_{number:05d}"


def drawn_faces(
    looks: Sequence[int], rng: np.random.Generator
) -> tuple[Pixels, list[Box]]:
    """A picture with a face for each look, side by side, and their boxes.

    Args:
        looks: equal numbers are faces of one identity.
        rng: draws where the faces are, and what is behind them.
    """
    width = SIDE * len(looks)
    coarse = rng.integers(60, 200, (6, 6 * len(looks), 3)).astype(np.uint8)
    pixels = np.asarray(cv2.resize(coarse, (width, SIDE)), np.uint8)
    boxes = []
    for place, look in enumerate(looks):
        x = SIDE * place + int(rng.integers(8, SIDE - FACE - 8))
        y = int(rng.integers(8, SIDE - FACE - 8))
        pixels[y : y + FACE, x : x + FACE] = _face(look, rng)
        boxes.append((x, y, x + FACE, y + FACE))
    return pixels, boxes


def _face(look: int, rng: np.random.Generator) -> Pixels:
    """A face; what tells identities apart follows from ``look`` alone."""
    own = np.random.default_rng(1000 + look)
    skin, hair, iris = (own.integers(0, 256, 3).tolist() for _ in range(3))
    pixels = np.full((FACE, FACE, 3), hair, np.uint8)
    centre = FACE // 2
    high = int(own.integers(36, 48))
    cv2.ellipse(pixels, (centre, centre + 6), (40, high), 0, 0, 360, skin, -1)
    apart, size = int(own.integers(14, 22)), int(own.integers(5, 11))
    shift = int(rng.integers(-3, 4))
    for side in (-apart, apart):
        eye = (centre + side + shift, centre)
        cv2.circle(pixels, eye, size, (250, 250, 250), -1)
        cv2.circle(pixels, eye, size - 2, iris, -1)
    mouth = (centre + shift, centre + 26)
    open_by = int(rng.integers(2, 9))
    cv2.ellipse(pixels, mouth, (14, open_by), 0, 0, 180, (120, 20, 40), -1)
    return pixels


def _write_picture(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(".jpg", bgr)[1].tobytes())


def _write_rectrain(root: Path, size: Published, rng: np.random.Generator) -> None:
    lines = []
    for identity in range(size.identities):
        folder = identity_name(identity)
        for number in range(size.pictures):
            name = f"{folder}/{folder}_{number:07d}.jpg"
            pixels, [box] = drawn_faces([identity], rng)
            _write_picture(root / RECTRAIN / name, pixels)
            lines.append("\t".join([name, *map(str, box)]))
    write_lines(root / RECTRAIN_LIST, lines)


def _write_rectest(root: Path, size: Published, rng: np.random.Generator) -> None:
    lines: list[str] = []
    shown: dict[int, list[str]] = {}
    for number, (look, label) in enumerate(_test_faces(size)):
        name = f"personai_{RECTEST}_{number:07d}.jpg"
        pixels, [box] = drawn_faces([look], rng)
        _write_picture(root / RECTEST / name, pixels)
        lines.append(" ".join([name, *map(str, box), str(label)]))
        shown.setdefault(label, []).append(name)
    shown.pop(-1, None)
    if size.pairs:
        lines += [
            f"{probe} {other}"
            for names in shown.values()
            for probe in names
            for other in names
            if other != probe
        ]
    write_lines(root / RECTEST_INFO, lines)


def _test_faces(size: Published) -> Iterator[tuple[int, int]]:
    """The look and the label of each picture of the test."""
    own = [*range(size.seen), *range(size.identities, size.identities + size.unseen)]
    for label in own:
        yield from [(label, label)] * size.probes
    yield from ((500 + number, -1) for number in range(size.distractors))


def _write_detection(
    folder: Path, count: int, first: int, rng: np.random.Generator, step: int = 1
) -> list[tuple[str, Box]]:
    """Write pictures of one and of two faces; return a row for each box."""
    rows = []
    for number in range(count):
        name = f"personai_{folder.name}_{first + number * step:05d}.jpg"
        looks = [700 + first + number, 800 + first + number][: 1 + number % 2]
        pixels, boxes = drawn_faces(looks, rng)
        _write_picture(folder / name, pixels)
        rows += [(name, box) for box in boxes]
    return rows
