"""Draw every character once: ``python -m icf.tools.training_art.make``."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import resvg_py
from PIL import Image

from icf.tools.training_art import people as invented
from icf.tools.training_art import sculpt, sources, styles
from icf.tools.training_art.mascots import face_of, kind_of
from icf.tools.training_art.objects import is_object
from icf.tools.training_art.styles import Box

IDENTITIES, HELD_OUT_IDENTITIES, VIEWS, SIDE = 220, 60, 3, 288
#: Invented people rendered in three dimensions, and pictures of each: as they are, and
#: with other clothes, hair, age and light.
PEOPLE, PEOPLE_VIEWS, CHANGED_VIEWS = 240, 3, 3
#: Other invented people, of whom each picture is of another day; held out of training.
OTHERS, OTHER_VIEWS = range(PEOPLE, PEOPLE + 24), 4
#: Photographs without a face, in scikit-image.
PHOTOGRAPHS = (
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "retina.jpg",
    "coins.png",
    "moon.png",
    "page.png",
    "text.png",
    "cell.png",
    "ihc.png",
    "camera.png",
)
#: Folders of characters in the cache, but for comicgen's.
DRAWN = ("dicebear", "facesjs", "emoji", "renpy", "people", "sculpted")
#: Folder, and style, of `OTHERS`.
OTHER_DAYS = "other-days"
_HERE = Path(__file__).parent
_HEADS_ONLY = re.compile(
    r"(man|woman|person|boy|girl|child|baby|old-man|old-woman|older-person)"
    r"(?P<hair>-blond-hair|-red-hair|-curly-hair|-white-hair|-bald|-beard|-wearing-turban)?"
    r"(-(dark|light|medium|medium-dark|medium-light)(-skin-tone)?)?"
)
_PEOPLE = re.compile(
    r"people|heads?|faces?|girl|boy|man|woman|lady|baby|kid|king|queen|santa|angel|"
    r"clown|pirate|witch|portrait|mask|doll|smil|skull|anime|devil|monkey|snowman|"
    r"cupid|nurse|doctor|chef|gnome|elf|saint|jesus|ghost|pumpkin|card|robot|alien",
    re.IGNORECASE,
)


def main(say: Callable[[str], object]) -> None:
    """Draw everything that is missing.

    Args:
        say: receives a line before each part, some of which take many minutes.
    """
    say("fetching what the training pictures are drawn from")
    sources.fetch()
    for number, part in enumerate(PARTS, 1):
        say(f"drawing the training pictures, {number} of {len(PARTS)}: {part.__name__}")
        part()


def note(picture: Path, face: Box, style: str, identity: str) -> None:
    """Write the face box next to ``picture``."""
    text = {"face": [round(v, 1) for v in face], "style": style, "identity": identity}
    picture.with_suffix(".json").write_text(json.dumps(text))


def _scaled(box: Box, side: float) -> Box:
    x1, y1, x2, y2 = box
    return x1 * side, y1 * side, x2 * side, y2 * side


def node(script: str, *arguments: str) -> None:
    """Run a script of this folder where the npm packages are."""
    sources.run("node", str(_HERE / script), *arguments, at=sources.npm_root())


def dicebear() -> None:
    """Draw the DiceBear styles."""
    root = sources.drawn() / "dicebear"
    for style, face in styles.DICEBEAR.items():
        count = HELD_OUT_IDENTITIES if style in styles.HELD_OUT else IDENTITIES
        if not (root / style / f"{style}-{count - 1:03}" / f"{VIEWS - 1}.png").exists():
            node("dicebear.mjs", str(root), str(count), str(VIEWS), str(SIDE), style)
        for picture in sorted((root / style).glob("*/*.png")):
            note(picture, _scaled(face, SIDE), style, picture.parent.name)


def facesjs() -> None:
    """Draw faces.js characters."""
    root = sources.drawn() / "facesjs"
    if not (root / "facesjs-299/0.png").exists():
        node("facesjs.mjs", str(root), "300", "240")
    for picture in sorted(root.glob("*/*.png")):
        note(picture, _scaled(styles.FACESJS, 240), "facesjs", picture.parent.name)


def emoji() -> None:
    """Draw the people of the emoji sets that are only a head."""
    for name, face in styles.EMOJI.items():
        for key, svg in head_icons(name).items():
            picture = sources.drawn() / "emoji" / name / key / "0.png"
            draw(svg, 240).save(_folder(picture))
            note(picture, _scaled(face, 240), name, key)


def objects() -> None:
    """Draw hands, clothes, jewels and weapons of the emoji sets."""
    for name in styles.EMOJI:
        for key, svg in icons(name).items():
            picture = sources.drawn() / "objects" / name / f"{key}.png"
            if is_object(key) and not picture.exists():
                draw(svg, 160).save(_folder(picture))


def mascots() -> None:
    """Draw smileys, and heads of animals, of the emoji sets."""
    for name in styles.EMOJI:
        for key, svg in icons(name).items():
            if kind := kind_of(key):
                path = sources.drawn() / "mascots" / kind / f"{name}-{key}" / "0.png"
                if not path.exists():
                    picture = draw(svg, 240)
                    picture.save(_folder(path))
                    note(path, face_of(picture, kind), kind, f"{name}-{key}")


def head_icons(name: str) -> dict[str, str]:
    """The SVG drawings of an emoji set that are only a head, by key."""
    found = {}
    for key, svg in icons(name).items():
        match = _HEADS_ONLY.fullmatch(key)
        if match and (name != "noto" or match["hair"] in (None, "-beard")):
            found[key] = svg
    return found


def icons(name: str) -> dict[str, str]:
    """The SVG drawings of an emoji set, by key."""
    root = sources.npm_root() / f"node_modules/@iconify-json/{name}/icons.json"
    stored = json.loads(root.read_text())
    return {key: _svg({**stored, **icon}) for key, icon in stored["icons"].items()}


def _svg(icon: Mapping[str, Any]) -> str:
    w = icon.get("width", 16)
    place = f"{icon.get('left', 0)} {icon.get('top', 0)} {w} {icon.get('height', w)}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink='
        f'"http://www.w3.org/1999/xlink" viewBox="{place}">{icon["body"]}</svg>'
    )


def renpy() -> None:
    """Take Ren'Py's characters and the concert scene."""
    for source in sorted(sources.deb_root().glob("renpy-*/**/images/*.png")):
        key = next((k for k in styles.RENPY if source.name.startswith(k)), None)
        if key:
            identity = key.split()[0]
            picture = sources.drawn() / "renpy" / identity / source.name
            Image.open(source).convert("RGBA").save(_folder(picture))
            note(picture, styles.RENPY[key], "renpy", identity)
        elif source.name.startswith("concert"):
            target = _folder(sources.drawn() / "renpy/concert" / source.name)
            Image.open(source).convert("RGB").save(target)


def people() -> None:
    """Take the photographs of people: two portraits and a hundred small faces."""
    pypi = sources.pypi_root()
    images = pypi / "scikit_image/skimage/data"
    hopper = pypi / "matplotlib/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
    root = sources.drawn() / "people"
    portraits: tuple[tuple[str, Path, Box], ...] = (
        ("astronaut", images / "astronaut.png", (176, 70, 282, 188)),
        ("hopper", hopper, (160, 130, 365, 335)),
    )
    for name, source, face in portraits:
        picture = root / name / "0.png"
        Image.open(source).convert("RGBA").save(_folder(picture))
        note(picture, face, "photograph", name)
    for i, small in enumerate(np.load(images / "lfw_subset.npy")[:100]):
        picture = root / f"lfw-{i:03}" / "0.png"
        grey = Image.fromarray((small * 255).astype(np.uint8))
        grey.resize((100, 100), Image.Resampling.BICUBIC).save(_folder(picture))
        note(picture, (10, 4, 90, 97), "small photograph", f"lfw-{i:03}")


def backgrounds() -> None:
    """Take pictures without a face: photographs, and Ren'Py's painted places."""
    pypi, images = sources.pypi_root(), sources.deb_root()
    photographs = [pypi / "scikit_image/skimage/data" / name for name in PHOTOGRAPHS]
    photographs += (pypi / "scikit_learn/sklearn/datasets/images").glob("*.jpg")
    painted = sorted(images.glob("renpy-*/**/images/bg *"))
    for source in [*photographs, *painted]:
        if "pong" in source.name:
            continue
        picture = Image.open(source).convert("RGB")
        picture.thumbnail((2600, 720))
        target = (
            sources.drawn() / "backgrounds" / f"{source.stem.replace(' ', '-')}.png"
        )
        picture.save(_folder(target))


def comicgen() -> None:
    """Draw comicgen's characters, expression over pose."""
    root = sources.npm_root() / "node_modules/comicgen/svg"
    for (name, angle), face in styles.COMICGEN.items():
        generator = random.Random(f"{name}/{angle}")
        base = root / name / angle
        poses = sorted((base / "pose").glob("*.svg"))
        emotions = sorted((base / "emotion").glob("*.svg"))
        for i, emotion in enumerate(generator.sample(emotions, min(8, len(emotions)))):
            parts = [emotion, *([generator.choice(poses)] if poses else [])]
            _, _, w, h = _view_box(emotion.read_text())
            inner = "".join(_nested(p.read_text()) for p in parts)
            svg = (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}">'
                f"{inner}</svg>"
            )
            picture = sources.drawn() / "comicgen" / name / f"{i}.png"
            scale = 150 / (face[3] - face[1])
            draw(svg, round(w * scale)).save(_folder(picture))
            note(picture, _scaled(face, scale), "comicgen", name)


def sculpted() -> None:
    """Render invented people in three dimensions."""
    wanted = [(_sculpted(n), PEOPLE_VIEWS, CHANGED_VIEWS) for n in range(PEOPLE)]
    _render([*wanted, *((_other_days(n), 0, OTHER_VIEWS) for n in OTHERS)])


def _sculpted(seed: int) -> Path:
    return sources.drawn() / f"sculpted/sculpted-{seed:03}"


def _other_days(seed: int) -> Path:
    return sources.drawn() / f"{OTHER_DAYS}/person-{seed:03}"


def _render(people: Iterable[tuple[Path, int, int]]) -> None:
    """Render what is missing of some people, each in a folder ``...-SEED``.

    Args:
        people: their folder, and how many pictures show them as they are, and changed.
    """
    missing = [
        (folder, as_they_are, changed)
        for folder, as_they_are, changed in people
        if not (folder / f"{as_they_are + changed - 1}.json").exists()
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for _ in pool.map(_sculpt, missing):
            pass


def _sculpt(wanted: tuple[Path, int, int]) -> None:
    folder, as_they_are, changed = wanted
    seed = int(folder.name.rpartition("-")[2])
    person = invented.person(seed)
    for view in range(as_they_are + changed):
        picture = folder / f"{view}.png"
        if picture.with_suffix(".json").exists():
            continue
        random = np.random.default_rng((seed, view))
        as_is = view < as_they_are
        who = person if as_is else invented.changed(person, random)
        pixels, face = sculpt.draw(who, random)
        Image.fromarray(pixels).save(_folder(picture))
        note(picture, face, folder.parent.name, folder.name)


def openclipart(per_folder: int = 120) -> None:
    """Draw openclipart's things and animals; nothing whose name suggests a person."""
    root = sources.deb_root() / "openclipart-svg/usr/share/openclipart/svg"
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        if folder.name == "people":
            continue
        found = [p for p in sorted(folder.rglob("*.svg")) if not _about_people(p, root)]
        random.Random(folder.name).shuffle(found)
        for source in found[:per_folder]:
            target = (
                sources.drawn() / "openclipart" / folder.name / f"{source.stem}.png"
            )
            if target.exists() or source.stat().st_size > 300_000:
                continue
            try:
                picture = draw(source.read_text(errors="replace"), 192)
            except (ValueError, OSError):
                continue  # resvg refuses a few old drawings
            if max(picture.size) <= 600:
                picture.save(_folder(target))


def _about_people(path: Path, root: Path) -> bool:
    return bool(_PEOPLE.search(str(path.relative_to(root))))


def _view_box(svg: str) -> tuple[float, ...]:
    match = re.search(r'viewBox="([\d.\- ]+)"', svg)
    return tuple(float(v) for v in match[1].split()) if match else (0, 0, 500, 600)


def _nested(svg: str) -> str:
    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE[^>]*>", "", svg)
    head = re.search(r"<svg\b[^>]*>", text)
    if head is None:
        raise ValueError("not an SVG drawing")
    x, y, w, h = _view_box(svg)
    spaces = " ".join(re.findall(r'xmlns:\w+="[^"]*"', head[0]))
    opening = f'<svg width="{w}" height="{h}" viewBox="{x} {y} {w} {h}" {spaces}>'
    return opening + text[head.end() :]


def draw(svg: str, width: int) -> Image.Image:
    """Draw an SVG picture, RGBA, ``width`` pixels wide."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width))
    return Image.open(io.BytesIO(png)).convert("RGBA")


def _folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def heads() -> Iterator[Path]:
    """Yield every character's picture that has a face box next to it."""
    for name in (*DRAWN, "comicgen"):
        yield from _with_boxes(name)


def other_days() -> Iterator[Path]:
    """Yield the held-out pictures of people who are shown on other days."""
    yield from _with_boxes(OTHER_DAYS)


def _with_boxes(name: str) -> Iterator[Path]:
    for box in sorted((sources.drawn() / name).rglob("*.json")):
        yield box.with_suffix(".png")


#: The parts, in drawing order.
PARTS = (
    dicebear,
    facesjs,
    emoji,
    objects,
    mascots,
    renpy,
    people,
    backgrounds,
    comicgen,
    openclipart,
    sculpted,
)

if __name__ == "__main__":
    main(print)
