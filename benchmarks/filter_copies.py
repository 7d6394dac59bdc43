"""Copies against other drawings of one character: what hashes say, and embeddings.

Every drawing is measured with a box that jitters by 2%, and so is each of six copies of
it: saved again as JPEG, halved, resized and saved, cropped by up to 10%, recoloured
lightly, and all of this. Drawings are the clean pictures of the demo's site with one
face, and characters of the styles that were kept out of training (see docs/models.md),
drawn on places and plain grounds (`python -m icf.tools.training_art.make` draws them).

``ours`` is the share of the copies near by hashes that the embedding confirms at
filter.min_duplicate_cosine; ``told_apart`` the share of other drawings of the same
character, near by hashes, that it does not confirm.

Run: python -m benchmarks.filter_copies [--json]
"""

import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.art import held_out_art
from benchmarks.report import Result, report
from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.truth import Noise, load_truth
from icf.filter.steps.detect import HASHED_RATE
from icf.images import decode, measures
from icf.images.cut import cut
from icf.models.embedding import Embedder, crop_face
from icf.settings import FilterSettings
from icf.tools.training_art import heads

Pixels = NDArray[np.uint8]
Box = tuple[float, ...]

JITTER, SMALLEST = 0.02, 80
CHARACTERS, DRAWINGS = 12, 8


@dataclass(frozen=True)
class Drawing:
    """A picture with one face of a character."""

    character: str
    pixels: Pixels
    box: Box


@dataclass(frozen=True, eq=False)
class Measured:
    """Faces: arrays of shape (n,), and vectors of shape (n, d)."""

    drawing: NDArray[np.int64]
    character: NDArray[np.str_]
    change: NDArray[np.str_]
    phash: NDArray[np.int64]
    dhash: NDArray[np.int64]
    vectors: NDArray[np.float32]


def demo_drawings() -> Iterator[Drawing]:
    """The clean pictures of the demo's site with one face."""
    site = SiteArchive(shipped_tar())
    for file in load_truth().files:
        if file.noise is not Noise.CLEAN or len(file.faces) != 1:
            continue
        [face] = file.faces
        if min(np.subtract(face.box[2:], face.box[:2])) >= SMALLEST:
            pixels = decode(site.read(f"images/{file.name}")).pixels
            yield Drawing(str(face.character), pixels, face.box)


def style_drawings(rng: np.random.Generator) -> Iterator[Drawing]:
    """Characters of the styles kept out of training, on grounds."""
    art = held_out_art()
    for style, drawn in sorted(art.heads.items()):
        by_identity: dict[str, list[heads.Head]] = defaultdict(list)
        for head in drawn:
            by_identity[head.identity].append(head)
        for identity, some in sorted(by_identity.items())[:CHARACTERS]:
            for head in some[:DRAWINGS]:
                yield on_a_ground(f"{style}/{identity}", head, art.places, rng)


def on_a_ground(
    character: str, head: heads.Head, places: list[Pixels], rng: np.random.Generator
) -> Drawing:
    """A head with a margin, half of them before a place."""
    height, width = head.pixels.shape[:2]
    pad = width // 4
    shape = (height + 2 * pad, width + 2 * pad, 3)
    ground = np.full(shape, rng.integers(180, 256), np.uint8)
    if rng.random() < 0.5:
        place = places[rng.integers(len(places))][..., :3]
        ground = np.asarray(cv2.resize(place, shape[1::-1]), np.uint8)
    inside = ground[pad : pad + height, pad : pad + width]
    opaque = head.pixels[..., 3:] / 255
    inside[:] = inside * (1 - opaque) + head.pixels[..., :3] * opaque
    return Drawing(character, ground, tuple(side + pad for side in head.face))


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Save and read again."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def resized(pixels: Pixels, box: Box, scale: float) -> tuple[Pixels, Box]:
    """Make it smaller."""
    size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), tuple(side * scale for side in box)


def cropped(
    pixels: Pixels, box: Box, share: float, rng: np.random.Generator
) -> tuple[Pixels, Box]:
    """Cut a share of width and height off, some of it on each side."""
    height, width = pixels.shape[:2]
    left, top = int(width * share * rng.random()), int(height * share * rng.random())
    right, bottom = int(width * share) - left, int(height * share) - top
    part = pixels[top : height - bottom, left : width - right]
    moved = np.subtract(box, (left, top, left, top))
    return np.ascontiguousarray(part), tuple(moved.tolist())


def recoloured(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another gamma, and each channel a little stronger or weaker."""
    bright = (pixels / 255) ** rng.uniform(0.85, 1.2) * rng.uniform(0.9, 1.1, 3)
    return np.clip(bright * 255, 0, 255).astype(np.uint8)


def copies(
    drawing: Drawing, rng: np.random.Generator
) -> Iterator[tuple[str, Pixels, Box]]:
    """The drawing, and each way to copy it."""
    pixels, box = drawing.pixels, drawing.box
    yield "original", pixels, box
    yield "jpeg", jpeg(pixels, 40), box
    yield "halved", *resized(pixels, box, 0.5)
    small, moved = resized(pixels, box, 0.75)
    yield "resized", jpeg(small, 70), moved
    yield "cropped", *cropped(pixels, box, 0.1, rng)
    yield "recoloured", recoloured(pixels, rng), box
    small, moved = cropped(*resized(pixels, box, 0.7), 0.08, rng)
    yield "all", jpeg(recoloured(small, rng), 60), moved


def measure(drawings: Iterator[Drawing], embedder: Embedder) -> Measured:
    """Hash and embed every drawing and every copy."""
    rng = np.random.default_rng(0)
    rows, crops = [], []
    for number, drawing in enumerate(drawings):
        for change, pixels, box in copies(drawing, rng):
            sides = np.subtract(box[2:], box[:2])
            off = rng.uniform(-JITTER, JITTER, 4) * np.tile(sides, 2)
            x1, y1, x2, y2 = np.add(box, off).tolist()
            around = cut(pixels, (x1, y1, x2, y2), HASHED_RATE)
            hashes = measures.phash(around), measures.dhash(around)
            rows.append((number, drawing.character, change, *hashes))
            crops.append(crop_face(pixels, (x1, y1, x2, y2), embedder.crop_rate))
    numbers, characters, changes, phashes, dhashes = zip(*rows, strict=True)
    return Measured(
        np.array(numbers),
        np.array(characters),
        np.array(changes),
        np.array(phashes, np.int64),
        np.array(dhashes, np.int64),
        embedder.embed(crops),
    )


def near(
    faces: Measured, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which pairs both hashes find."""
    wanted = FilterSettings()
    return (
        measures.hamming(faces.phash[rows], faces.phash[others]) <= wanted.max_phash
    ) & (measures.hamming(faces.dhash[rows], faces.dhash[others]) <= wanted.max_dhash)


def cosines(
    faces: Measured, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Of each pair."""
    pairs = faces.vectors[rows], faces.vectors[others]
    return np.asarray(np.einsum("nd,nd->n", *pairs))


def figures(faces: Measured) -> dict[str, Any]:
    """What hashes and embeddings make of copies and of other drawings."""
    least = FilterSettings().min_duplicate_cosine
    first = np.flatnonzero(faces.change == "original")
    by_change = {}
    confirmed, found = 0, 0
    for change in dict.fromkeys(faces.change.tolist()):
        rows = np.flatnonzero(faces.change == change)
        if change == "original":
            continue
        by_hashes = near(faces, rows, first)
        cosine = cosines(faces, rows, first)[by_hashes]
        confirmed += int((cosine >= least).sum())
        found += len(cosine)
        low = np.quantile(cosine, [0.01, 0.05, 0.5]).round(3)
        by_change[change] = [round(float(by_hashes.mean()), 3), *low.tolist()]
    others = [np.empty(0, np.float32)]
    for character in set(faces.character.tolist()):
        rows = np.flatnonzero(faces.character == character)
        one, other = (rows[side] for side in np.triu_indices(len(rows), 1))
        different = faces.drawing[one] != faces.drawing[other]
        one, other = one[different], other[different]
        both = near(faces, one, other)
        others.append(cosines(faces, one[both], other[both]))
    apart = np.concatenate(others)
    return {
        "drawings": len(first),
        "copies_found": found,
        "copies_confirmed": confirmed,
        "others_found": len(apart),
        "others_told_apart": int((apart < least).sum()),
        "others_cosine": {
            "quantiles 0.1 0.5 0.9 1": np.quantile(apart, [0.1, 0.5, 0.9, 1])
            .round(3)
            .tolist()
        },
        "by_change: found by hashes, cosine 0.01 0.05 0.5": by_change,
    }


def main() -> None:
    """Measure and report."""
    embedder = Embedder.bundled()
    demo = figures(measure(demo_drawings(), embedder))
    styles = style_drawings(np.random.default_rng(1))
    drawn = figures(measure(styles, embedder))
    confirmed = [each["copies_confirmed"] for each in (demo, drawn)]
    found = [each["copies_found"] for each in (demo, drawn)]
    share = float(np.sum(confirmed) / np.sum(found))
    told_apart = float(demo["others_told_apart"] / demo["others_found"])
    report(
        Result(
            "filter_copies",
            "share",
            share,
            None,
            None,
            None,
            ">= 0.97 of the copies that hashes find are confirmed, >= 0.95 of the "
            "other drawings of the demo that hashes find are told apart",
            share >= 0.97 and told_apart >= 0.95,
            {"told_apart": told_apart, "demo": demo, "styles": drawn},
        )
    )


if __name__ == "__main__":
    main()
