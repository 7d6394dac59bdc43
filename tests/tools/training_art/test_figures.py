"""Whole figures, drawn from icons and clip art that are made here."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from icf.tools.training_art import figure_boxes, figures, heads, make, sources
from icf.tools.training_art.real import make as real
from tests.tools.training_art.tiny import picture

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 20">'
    '<circle cx="5" cy="5" r="4" fill="red"/></svg>'
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with one icon and three drawings of clip art, and no generator."""
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    folder = sources.npm_root() / "node_modules/@iconify-json/noto"
    folder.mkdir(parents=True)
    body = '<circle cx="5" cy="5" r="4" fill="red"/>'
    icon = {"body": body, "width": 10, "height": 20}
    stored = {"width": 99, "icons": {"chef": icon, "tree": icon}}
    (folder / "icons.json").write_text(json.dumps(stored))
    clips = sources.deb_root() / "openclipart-svg/usr/share/openclipart/svg"
    for name in ("animals/bear", "people/judge", "people/twins"):
        (clips / name).parent.mkdir(parents=True, exist_ok=True)
        (clips / f"{name}.svg").write_text(SVG)
    face = (0.1, 0.05, 0.9, 0.45)
    table = tmp_path / "figures.csv"
    table.write_text(
        "source,figure,x1,y1,x2,y2\n"
        "noto,chef,0.1,0.05,0.9,0.45\n"
        "noto,is no longer there,0.1,0.05,0.9,0.45\n"
        "openclipart,animals/bear,0.1,0.05,0.9,0.45\n"
        "openclipart,animals/fish,,,,\n"
    )
    monkeypatch.setattr(figure_boxes, "PATH", table)
    monkeypatch.setattr(
        real,
        "boxed",
        lambda: {
            ("clip-people", "judge"): (face,),
            ("clip-people", "twins"): (face, face),
            ("tarot", "judge"): (face,),
        },
    )
    monkeypatch.setattr(figures, "SETS", ("noto",))
    monkeypatch.setattr(figures, "node", lambda *_: None)
    return tmp_path


def drawn() -> dict[str, list[float]]:
    found = sorted(figures.root().rglob("*.json"))
    return {
        f"{path.parts[-3]}/{path.parts[-2]}": json.loads(path.read_text())["face"]
        for path in found
    }


def test_figures_are_drawn_with_faces_of_one_width(cache: Path) -> None:
    figures.main()
    boxes = drawn()
    assert boxes.keys() == {"noto/chef", "openclipart/bear", "openclipart/judge"}
    path = figures.root() / "noto/chef/0.png"
    with Image.open(path) as shown:
        assert shown.mode == "RGBA"
        assert shown.height == 2 * shown.width  # its own size, not that of its set
        x1, y1, x2, y2 = boxes["noto/chef"]
        assert x2 - x1 == pytest.approx(110, abs=1)
        assert (y1, y2) == pytest.approx((0.05 * shown.height, 0.45 * shown.height), 1)
    about = json.loads(path.with_suffix(".json").read_text())
    assert (about["style"], about["identity"]) == ("noto figures", "chef")


def test_what_is_drawn_stays_as_it_is(cache: Path) -> None:
    figures.main()
    path = figures.root() / "noto/chef/0.png"
    path.write_bytes(b"drawn before")
    figures.main()
    assert path.read_bytes() == b"drawn before"


def test_characters_of_generators_get_the_box_of_their_style(cache: Path) -> None:
    for name in ("kawaii/Ghost/happy", "bigheads/000/1", "kawaii/Browser/happy"):
        path = figures.root() / f"{name}.png"
        path.parent.mkdir(parents=True)
        Image.new("RGBA", (200, 100)).save(path)
    figures.main()
    boxes = drawn()
    assert boxes["bigheads/000"] == [52, 27, 152, 78]
    assert boxes["kawaii/Ghost"] == [50, 18, 150, 68]
    assert "kawaii/Browser" not in boxes


def test_clip_art_with_a_face_is_no_example_of_a_thing(cache: Path) -> None:
    assert figure_boxes.clips_with_faces() == {"bear", "fish"}
    folder = cache / "drawn/openclipart/animals"
    folder.mkdir(parents=True)
    for name in ("ant", "bear", "crab", "fish"):
        cv2.imwrite(str(folder / f"{name}.png"), picture(200))
    trained, held = heads.training_art(), heads.held_out_art()
    assert (len(trained.things), len(held.things)) == (1, 1)  # crab, and ant


class TestBoxes:
    """The file of the boxes."""

    def test_each_lies_in_its_picture(self) -> None:
        boxes = [box for box in figure_boxes.faces().values() if box is not None]
        x1, y1, x2, y2 = np.array(boxes).T
        assert len(boxes) > 1000
        assert ((x1 >= 0) & (y1 >= 0) & (x2 <= 1) & (y2 <= 1)).all()
        assert ((x2 - x1 > 0.05) & (y2 - y1 > 0.05)).all()

    def test_each_is_of_a_source_that_is_drawn(self) -> None:
        assert {source for source, _ in figure_boxes.faces()} == {
            *figures.SETS,
            figure_boxes.CLIP_ART,
        }

    def test_no_figure_is_named_twice(self) -> None:
        rows = figure_boxes.PATH.read_text().splitlines()
        assert len(rows) == len(figure_boxes.faces()) + 1


def test_an_icon_without_a_size_has_that_of_its_set(cache: Path) -> None:
    folder = sources.npm_root() / "node_modules/@iconify-json/noto"
    stored = {"width": 24, "icons": {"dot": {"body": "<g/>", "left": 3}}}
    (folder / "icons.json").write_text(json.dumps(stored))
    assert 'viewBox="3 0 24 24"' in make.icons("noto")["dot"]
