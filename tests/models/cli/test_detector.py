"""`icf-train detector` on files as they are published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from icf.images import encode_jpeg
from icf.models.cards import bundled_path, load_card
from icf.models.cli.main import cli
from icf.models.detection import Detector
from icf.stores.files import hash_file
from tests.models.training.detector.drawn import SIDE, boxes, drawn

CONFIG = """
[loop]
batch = 2
workers = 0
precision = "float32"
[pictures]
sides = [64]
chances = [1.0]
[held_out]
share = 0.25
side = 128
resamples = 20
[mix]
human = [0.0, 0.5]
steps = 1
"""


def write_coco(folder: Path, count: int = 12) -> Path:
    """Cartoons with their boxes in one JSON file."""
    folder.mkdir(parents=True)
    images, annotations = [], []
    for number in range(count):
        name = f"{number}.jpg"
        (folder / name).write_bytes(encode_jpeg(drawn(number, "cartoon"), 90))
        images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        annotations += [
            {
                "id": 10 * number + k,
                "image_id": number,
                "category_id": 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "iscrowd": 0,
            }
            for k, (x1, y1, x2, y2) in enumerate(boxes(number))
        ]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "face"}],
    }
    path = folder / "cartoons.json"
    path.write_text(json.dumps(content))
    return path


def write_widerface(folder: Path, count: int = 12) -> Path:
    """Photographs, as WIDER FACE has them."""
    pictures = folder / "WIDER_train" / "images" / "0--Parade"
    pictures.mkdir(parents=True)
    lines = []
    for number in range(count):
        name = f"0_Parade_{number}.jpg"
        (pictures / name).write_bytes(encode_jpeg(drawn(number, "human"), 90))
        found = boxes(number)
        lines += [f"0--Parade/{name}", str(len(found))]
        lines += [
            f"{x1:.0f} {y1:.0f} {x2 - x1:.0f} {y2 - y1:.0f} 0 0 0 0 0 0"
            for x1, y1, x2, y2 in found
        ] or ["0 0 0 0 0 0 0 0 0 0"]
    split = folder / "wider_face_split"
    split.mkdir()
    (split / "wider_face_train_bbx_gt.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.slow
def test_cartoons_and_photographs_make_a_detector(tmp_path: Path) -> None:
    cartoons = write_coco(tmp_path / "cartoons")
    photographs = write_widerface(tmp_path / "wider")
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    out = tmp_path / "out"
    words = [
        *(
            "detector",
            "--data",
            f"coco:{cartoons}",
            "--data",
            f"widerface:{photographs}",
        ),
        *("--out", str(out), "--config", str(config), "--from", "bundled"),
        *("--steps", "2", "--mix", "auto", "--device", "cpu", "--json"),
    ]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert said.keys() == {"model", "path", "steps", "seconds", "figures"}
    assert said["path"] == str(out / "detector.onnx")
    assert said["model"] == hash_file(Path(said["path"]))
    assert {"cartoon", "human", f"coco:{cartoons}"} <= said["figures"].keys()
    assert {"mix, 0% human", "mix, 50% human"} <= said["figures"].keys()
    assert "50% human: cartoon AP50" in done.stderr
    card = load_card(out / "detector.json")
    assert (
        card.parent == load_card(bundled_path("detector").with_suffix(".json")).sha256
    )
    assert [each["name"] for each in card.data] == [
        f"coco:{cartoons}",
        f"widerface:{photographs}",
    ]
    assert "--mix auto" in card.recipe
    assert any(
        "of the training pictures are of the data with" in t for t in card.limits
    )
    assert Detector.open(out / "detector.onnx").model_hash == said["model"]
