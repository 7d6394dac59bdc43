"""A release of the demo opens in what other people use, and is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import mlcroissant
import pytest
import webdataset
from pycocotools.coco import COCO

from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.verify.verify import verify
from icf.models.data.base import LabelledPicture
from icf.models.data.spec import open_reader, parse
from icf.workspace import find
from tests.app.demo_runs import Demo

FORMATS = ("icartoonface", "coco", "yolo", "webdataset", "hf")


@dataclass(frozen=True)
class Released:
    folder: Path

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = json.loads((self.folder / "release.json").read_text())[
            "counts"
        ]
        return counts


@pytest.fixture(scope="module")
def released(
    finished_demo: tuple[Demo, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Released]:
    root = tmp_path_factory.mktemp("opens")
    shutil.copytree(finished_demo[0].root, root / "demo")
    workspace = find(root / "demo")
    # Linked: nothing here changes a file.
    write(workspace, prepare(workspace, 1, FORMATS), root / "out", 1, link=True)
    yield Released(root / "out")
    workspace.catalogue.close()


def test_it_is_whole(released: Released) -> None:
    assert verify(released.folder, quick=True).faults == ()


@pytest.mark.parametrize("split", ["train", "test"])
def test_pycocotools_opens_it(
    released: Released, split: str, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = COCO(released.folder / "coco/annotations" / f"instances_{split}.json")
    capsys.readouterr()
    images = coco.loadImgs(coco.getImgIds())
    assert len(images) == released.counts[f"detection_{split}_pictures"] > 0
    assert len(coco.getAnnIds()) == released.counts[f"detection_{split}_boxes"]
    for image in images[:5]:
        assert (released.folder / "coco" / split / image["file_name"]).is_file()


def test_a_yolo_loader_opens_it(released: Released) -> None:
    reader = open_reader(parse(f"yolo:{released.folder / 'yolo'}"))
    found = list(reader.pictures())
    assert len(found) == released.counts["detection_train_pictures"]
    pictures = [each for each in found if isinstance(each, LabelledPicture)]
    boxes = sum(len(each.faces) for each in pictures)
    assert boxes == released.counts["detection_train_boxes"]


# It leaves its shards open until they are collected.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_opens_it(released: Released) -> None:
    shards = sorted(map(str, (released.folder / "webdataset").glob("rec*train*.tar")))
    opened = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)
    samples = list(opened.decode("pil"))
    assert len(samples) == released.counts["train_faces"] > 0
    labels = {each["json"]["label"] for each in samples}
    assert len(labels) == released.counts["train_identities"]
    assert all(
        min(each[kind].size) > 1
        for each in samples[:5]
        for kind in ("jpg", "png", "webp")
        if kind in each
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_datasets_opens_it(
    released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    opened = datasets.load_dataset(
        str(released.folder / "hf"), "recognition", cache_dir=str(tmp_path)
    )
    counts = released.counts
    assert len(opened["train"]) == counts["train_faces"]
    assert len(opened["test"]) == counts["probes"] + counts["distractors"]
    assert min(opened["test"][0]["image"].size) > 1


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_mlcroissant_opens_it(released: Released) -> None:
    opened = mlcroissant.Dataset(released.folder / "croissant.json")
    assert opened.metadata.ctx.issues.errors == set()
    rows = list(opened.records("recognition_train"))
    assert len(rows) == released.counts["train_faces"]
    assert (released.folder / rows[0]["recognition_train/file"].decode()).is_file()
