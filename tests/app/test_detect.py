from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from icf.errors import SomeFailed, WrongUse
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.program import call, program

Box = tuple[float, float, float, float]


def lines(*words: object) -> list[dict[str, Any]]:
    """What `icf detect ... --json` prints, a record a picture."""
    done = call("detect", *words, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(w, 0.0) * max(h, 0.0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (areas - shared)


def test_each_picture_is_a_line_with_boxes_in_its_pixels(tmp_path: Path) -> None:
    files = good_files(12)
    paths = write_pictures(tmp_path / "pictures", files)
    found = lines(*paths)
    assert [each["path"] for each in found] == [str(path) for path in paths]
    hits = 0
    for each, file, path in zip(found, files, paths, strict=True):
        assert set(each) == {"path", "width", "height", "faces"}
        with Image.open(path) as picture:
            assert (each["width"], each["height"]) == picture.size
        for face in each["faces"]:
            assert set(face) == {"box", "score", "kind"}
            assert face["kind"] in ("cartoon", "human")
            assert 0 <= face["score"] <= 1
            x1, y1, x2, y2 = face["box"]
            assert 0 <= x1 < x2 <= each["width"]
            assert 0 <= y1 < y2 <= each["height"]
        hits += any(overlap(f["box"], file.faces[0].box) > 0.5 for f in each["faces"])
    assert hits >= 10


def test_a_folder_stands_for_all_files_in_it_in_order(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "pictures" / "deep", good_files(2))
    found = lines(tmp_path / "pictures")
    assert [each["path"] for each in found] == [str(path) for path in sorted(paths)]


def test_a_picture_without_faces_has_an_empty_list(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    [found] = lines(tmp_path / "noise.png", "--min-score", "1")
    assert found == {
        "path": str(tmp_path / "noise.png"),
        "width": 160,
        "height": 120,
        "faces": [],
    }


def test_boxes_are_in_pixels_of_the_upright_picture(tmp_path: Path) -> None:
    [path] = write_pictures(tmp_path, good_files(1))
    with Image.open(path) as picture:
        upright = picture.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    turned = tmp_path / "turned.jpg"
    upright.rotate(90, expand=True).save(turned, exif=exif, quality=95)
    [found] = lines(turned)
    assert (found["width"], found["height"]) == upright.size


def test_only_faces_of_the_score_asked_for_are_shown(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path, good_files(3))
    for least in (0.1, 0.5, 0.9):
        for each in lines(*paths, "--min-score", least):
            assert all(face["score"] >= least - 1e-4 for face in each["faces"])


def test_what_is_no_picture_has_a_reason_and_ends_with_code_3(tmp_path: Path) -> None:
    [good] = write_pictures(tmp_path, good_files(1))
    (tmp_path / "zz.jpg").write_bytes(b"<html>not here</html>")
    (tmp_path / "zzz.jpg").write_bytes(b"")
    done = program("icf", "detect", ".", "--json", folder=tmp_path, code=3)
    first, page, empty = map(json.loads, done.stdout.splitlines())
    assert first["path"] == good.name
    assert "reason" not in first
    assert page == {
        "path": "zz.jpg",
        "width": None,
        "height": None,
        "faces": [],
        "reason": "not_image",
    }
    assert empty["reason"] == "empty"
    assert done.stderr == (
        "error: 2 of 3 files are not pictures that can be read; "
        "--json gives the reason of each\n"
    )


def test_the_message_names_the_file_that_is_no_picture_and_why(tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(_jpeg()[:500])
    done = program("icf", "detect", "cut.jpg", folder=tmp_path, code=3)
    assert done.stderr.startswith("cut.jpg: truncated\n")
    assert not (tmp_path / "detected").exists()


def _jpeg() -> bytes:
    stream = io.BytesIO()
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (200, 200, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def test_without_json_the_boxes_are_drawn_into_copies(tmp_path: Path) -> None:
    [path] = write_pictures(tmp_path / "pictures", good_files(1))
    before = path.read_bytes()
    shown = call("detect", path, "--out", tmp_path / "drawn").stdout
    [drawn] = (tmp_path / "drawn").iterdir()
    assert shown == f"{path}: 1 face, drawn in {drawn}\n"
    assert path.read_bytes() == before
    with Image.open(path) as picture:
        plain = np.asarray(picture.convert("RGB")).astype(int)
    with Image.open(drawn) as picture:
        canvas = np.asarray(picture.convert("RGB")).astype(int)
    assert canvas.shape == plain.shape
    [face] = lines(path)[0]["faces"]
    x1, y1, x2, y2 = (round(edge) for edge in face["box"])
    changed = np.abs(canvas - plain).max(2) > 40
    assert changed[(y1 + y2) // 2, x1 - 1 : x1 + 2].any()
    assert not changed[y1 + 12 : y2 - 12, x1 + 12 : x2 - 12].any()


def test_files_of_one_name_in_two_folders_are_drawn_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pictures(tmp_path / folder, good_files(1))
    call("detect", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "drawn")
    assert len(list((tmp_path / "drawn").iterdir())) == 2


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"there is no file or folder .*nowhere"):
        call("detect", tmp_path / "nowhere")


def test_no_path_at_all_is_wrong_use(tmp_path: Path) -> None:
    done = program("icf", "detect", folder=tmp_path, code=2)
    assert "Missing argument 'FILE_OR_FOLDER...'" in done.stderr


def test_an_empty_folder_is_an_empty_answer(tmp_path: Path) -> None:
    assert lines(tmp_path) == []


def test_a_broken_picture_stops_none_of_the_others(tmp_path: Path) -> None:
    [good] = write_pictures(tmp_path, good_files(1))
    bad = tmp_path / "a.jpg"
    bad.write_bytes(b"GIF89a")
    with pytest.raises(SomeFailed, match="1 of 2 files"):
        call("detect", bad, good, "--out", tmp_path / "drawn")


@pytest.mark.parametrize(
    "words", [("detect", "a.png"), ("embed", "faces.jsonl", "--out", "f.npy")]
)
def test_a_model_that_is_not_there_is_wrong_use(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = program("icf", *words, "--model", "nosuch", folder=tmp_path, code=2)
    assert "'nosuch' does not exist" in done.stderr
