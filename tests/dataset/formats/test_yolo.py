from __future__ import annotations

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.formats.records import Split
from icf.images import decode
from icf.images.shares import shares
from icf.models.data.spec import open_reader, parse
from tests.dataset.formats.conftest import Exported
from tests.dataset.formats.reading import read_all

CALLED: dict[Split, str] = {"train": "train", "test": "val"}


def read_as_ultralytics(
    folder: Path, split: str
) -> dict[str, list[tuple[float, float, float, float]]]:
    """Corners in pixels by picture, by the rules of its loader (`verify_image_label`).

    The labels of ``.../images/...`` are in ``.../labels/...``; each row has five
    columns, the class is known, shares are from 0 to 1, and no row is there twice.
    """
    config = yaml.safe_load((folder / "data.yaml").read_text())
    assert config["nc"] == len(config["names"]) == 1
    images = folder / config[split]
    found = {}
    for path in sorted(images.rglob("*.*")):
        label = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
        rows = [line.split() for line in label.read_text().splitlines()]
        assert len({tuple(row) for row in rows}) == len(rows) > 0
        picture = decode(path.read_bytes())
        width, height = picture.width, picture.height
        boxes = []
        for row in rows:
            assert len(row) == 5
            assert int(row[0]) in config["names"]
            x, y, w, h = map(float, row[1:])
            assert min(x, y, w, h) >= 0
            assert max(x, y, w, h) <= 1
            corners = x - w / 2, y - h / 2, x + w / 2, y + h / 2
            sides = (width, height, width, height)
            boxes.append(tuple(a * b for a, b in zip(corners, sides, strict=True)))
        found[path.name] = boxes
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("split", CALLED)
def test_a_yolo_loader_finds_every_picture_and_box(
    whole: Exported, split: Split
) -> None:
    found = read_as_ultralytics(whole.of("yolo"), CALLED[split])
    expected = {each.name: each for each in whole.records["detection", split]}
    assert found.keys() == expected.keys()
    for name, boxes in found.items():
        assert boxes == [pytest.approx(box, abs=1e-5) for box in expected[name].boxes]
        path = whole.of("yolo") / "images" / CALLED[split] / name
        assert path.read_bytes() == whole.bytes[expected[name].placed.picture]


def test_training_reads_it(whole: Exported) -> None:
    found = read_all(open_reader(parse(f"yolo:{whole.of('yolo')}")))
    assert found == whole.boxes("train")


@given(st.data())
def test_shares_are_exact_to_a_hundredth_of_a_pixel(data: st.DataObject) -> None:
    size = data.draw(st.tuples(st.integers(2, 40_000), st.integers(2, 40_000)))
    x1, x2 = sorted(data.draw(st.sets(st.integers(0, size[0]), min_size=2, max_size=2)))
    y1, y2 = sorted(data.draw(st.sets(st.integers(0, size[1]), min_size=2, max_size=2)))
    x, y, width, height = map(float, shares((x1, y1, x2, y2), size).split())
    assert x * size[0] - width * size[0] / 2 == pytest.approx(x1, abs=0.01)
    assert y * size[1] + height * size[1] / 2 == pytest.approx(y2, abs=0.01)
    assert max(x, y, width, height) <= 1


def test_ultralytics_itself_loads_it(
    whole: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ultralytics", reason="opt-in: pip install ultralytics")
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    folder = whole.of("yolo")
    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    for split, called in CALLED.items():
        loaded = YOLODataset(data[called], data=data, task="detect", augment=False)
        expected = {each.name: each for each in whole.records["detection", split]}
        assert len(loaded.labels) == len(expected)
        for each in loaded.labels:
            record = expected[Path(each["im_file"]).name]
            height, width = each["shape"]
            assert (width, height) == record.size
            assert each["bboxes"].shape == (len(record.boxes), 4)
            for box, row in zip(record.boxes, each["bboxes"], strict=True):
                x, y, w, h = row * (width, height, width, height)
                corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
                assert corners == pytest.approx(box, abs=0.01)
