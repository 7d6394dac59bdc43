from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import datasets
import pytest

from icf.dataset.formats.base import Task
from icf.dataset.formats.records import Split
from icf.models.data.base import LabelledPicture
from icf.models.data.spec import open_reader, parse
from tests.dataset.formats.conftest import PARTS, Exported


@pytest.mark.parametrize("task", ["recognition", "detection"])
def test_datasets_loads_pictures_with_their_metadata(
    whole: Exported, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    folder = str(whole.of("imagefolder") / task)
    loaded = datasets.load_dataset(folder, cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "test"}
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        expected = whole.records[task, split]
        found = Counter(
            (
                row["sha256"],
                row["image"].size,
                *(_recognition(row) if task == "recognition" else _detection(row)),
            )
            for row in loaded[split]
        )
        assert found == Counter(
            (
                each.sha256,
                each.size,
                *((each.who.label, each.who.role) if each.who else ()),
                each.boxes,
            )
            for each in expected
        )


def _recognition(row: dict[str, object]) -> tuple[object, ...]:
    return row["label"], row["role"], (_corners(row["bbox"]),)


def _detection(row: dict[str, object]) -> tuple[object, ...]:
    objects = row["objects"]
    assert isinstance(objects, dict)
    assert set(objects["category"]) == {0}
    return (tuple(_corners(box) for box in objects["bbox"]),)


def _corners(box: object) -> tuple[int, ...]:
    assert isinstance(box, list)
    x, y, width, height = box
    return x, y, x + width, y + height


def test_torchvision_finds_the_identities_as_classes(whole: Exported) -> None:
    from torchvision.datasets import ImageFolder

    loaded = ImageFolder(whole.of("imagefolder") / "recognition" / "train")
    expected = Counter(
        (each.name, each.who.label)
        for each in whole.records["recognition", "train"]
        if each.who is not None
    )
    found = Counter((Path(path).name, label) for path, label in loaded.samples)
    assert found == expected
    assert loaded.classes == sorted(loaded.classes)


@pytest.mark.parametrize(("task", "split"), PARTS)
def test_the_files_are_the_bytes_that_were_fetched(
    whole: Exported, task: Task, split: Split
) -> None:
    folder = whole.of("imagefolder") / task / split
    lines = (folder / "metadata.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    expected = {each.name: each for each in whole.records[task, split]}
    assert len(rows) == len(expected)
    for row in rows:
        path = folder / row["file_name"]
        record = expected[path.name]
        assert path.read_bytes() == whole.bytes[record.placed.picture]
        assert row["licences"] == record.licences


def test_training_reads_the_identities_of_crops(cropped: Exported) -> None:
    folder = cropped.of("imagefolder") / "recognition" / "train"
    pictures = list(open_reader(parse(f"folders:{folder}")).pictures())
    found = Counter(
        each.faces[0].identity for each in pictures if isinstance(each, LabelledPicture)
    )
    assert found == Counter(
        f"{each.who.label:05d}"
        for each in cropped.records["recognition", "train"]
        if each.who is not None
    )
