"""Degrade pictures like those of a real crawl."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

import simplejpeg
from PIL import Image, ImageFilter

from icf.app.demo.site.truth import Box, TrueFace
from icf.tools.demo_pictures.scenes import Scene

_PAGE = b"""<!DOCTYPE html>
<html><head><title>Please wait</title></head>
<body><p>This picture has moved. Continue in your browser.</p></body></html>
"""


@dataclass(frozen=True)
class Encoded:
    """The bytes of a picture as the site serves them, and its faces."""

    data: bytes
    suffix: str
    size: tuple[int, int]
    faces: tuple[TrueFace, ...]


def encoded(scene: Scene, suffix: str = "jpg", quality: int = 72) -> Encoded:
    """Encode a scene as ``jpg``, ``webp`` or (in 128 colours) ``png``."""
    out = io.BytesIO()
    if suffix == "jpg":
        scene.picture.save(out, "JPEG", quality=quality, optimize=True)
    elif suffix == "webp":
        scene.picture.save(out, "WEBP", quality=quality)
    else:
        scene.picture.quantize(128).save(out, "PNG", optimize=True)
    return Encoded(out.getvalue(), suffix, scene.picture.size, scene.faces)


def decoded(picture: Encoded) -> Scene:
    """Decode a good picture again."""
    return Scene(Image.open(io.BytesIO(picture.data)).convert("RGB"), picture.faces)


def cut(scene: Scene, box: Box) -> Scene:
    """Crop to ``box``; the faces' boxes are moved too."""
    faces = tuple(
        TrueFace(
            (
                max(0, f.box[0] - box[0]),
                max(0, f.box[1] - box[1]),
                min(box[2], f.box[2]) - box[0],
                min(box[3], f.box[3]) - box[1],
            ),
            f.character,
        )
        for f in scene.faces
    )
    return Scene(scene.picture.crop(box), faces)


def resized(scene: Scene, scale: float) -> Scene:
    """Scale the picture and the faces' boxes."""
    old = scene.picture
    size = (max(1, round(old.width * scale)), max(1, round(old.height * scale)))
    sx, sy = size[0] / old.width, size[1] / old.height
    faces = tuple(
        TrueFace(
            (
                round(f.box[0] * sx),
                round(f.box[1] * sy),
                round(f.box[2] * sx),
                round(f.box[3] * sy),
            ),
            f.character,
        )
        for f in scene.faces
    )
    return Scene(old.resize(size, Image.Resampling.LANCZOS), faces)


def near_duplicate(rng: random.Random, scene: Scene) -> Encoded:
    """Make a near-duplicate: cropped a little, resized, encoded again."""
    w, h = scene.picture.size
    left, top = (round(side * rng.uniform(0, 0.03)) for side in (w, h))
    right, bottom = (round(side * rng.uniform(0.97, 1)) for side in (w, h))
    copy = cut(scene, (left, top, right, bottom))
    return encoded(resized(copy, rng.uniform(0.92, 1.1)), "jpg", rng.randint(55, 72))


def close_up(rng: random.Random, scene: Scene) -> Encoded:
    """Crop tightly to the first face."""
    x1, y1, x2, y2 = scene.faces[0].box
    mx, my = (x2 - x1) * rng.uniform(0.12, 0.3), (y2 - y1) * rng.uniform(0.12, 0.3)
    w, h = scene.picture.size
    box = (
        max(0, round(x1 - mx)),
        max(0, round(y1 - my)),
        min(w, round(x2 + mx)),
        min(h, round(y2 + my)),
    )
    closer = cut(scene, box)
    return encoded(resized(closer, max(1.0, 210 / min(closer.picture.size))))


def blurred(rng: random.Random, scene: Scene) -> Encoded:
    """Blur a picture, so that faces are visible but not sharp."""
    radius = min(scene.picture.size) * rng.uniform(0.011, 0.02)
    soft = scene.picture.filter(ImageFilter.GaussianBlur(radius))
    return encoded(Scene(soft, scene.faces))


def thumbnail(rng: random.Random, scene: Scene) -> Encoded:
    """Shrink a picture to a thumbnail."""
    return encoded(resized(scene, rng.randint(72, 130) / max(scene.picture.size)))


def truncated(rng: random.Random, picture: Encoded) -> Encoded:
    """Truncate a JPEG."""
    end = int(len(picture.data) * rng.uniform(0.35, 0.7))
    return Encoded(picture.data[:end], "jpg", picture.size, ())


def flipped_bits(rng: random.Random, picture: Encoded) -> Encoded:
    """Flip bits in a JPEG's pixels until a strict decoder notices."""
    data = bytearray(picture.data)
    while True:
        for _ in range(8):
            where = rng.randrange(len(data) // 2, len(data) - 16)
            data[where] ^= 1 << rng.randrange(8)
        try:
            simplejpeg.decode_jpeg(bytes(data), strict=True)
        except ValueError:
            return Encoded(bytes(data), "jpg", picture.size, ())


def web_page(picture: Encoded) -> Encoded:
    """Return a web page in place of a picture."""
    return Encoded(_PAGE, "jpg", picture.size, ())


def nothing(picture: Encoded) -> Encoded:
    """Return zero bytes in place of a picture."""
    return Encoded(b"", "jpg", picture.size, ())
