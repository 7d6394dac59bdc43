from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import datasets  # type: ignore[import-untyped,unused-ignore]
import mlcroissant
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from icf.dataset.cards.data_card import header
from icf.dataset.licences import Source
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.rights.licence_set import licence_set
from icf.workspace import Workspace
from tests.dataset.cards.conftest import Released

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


def picture(*licences: str) -> Sequence[Source]:
    return [Source("http://a.test/1", "", each, "", "list", "") for each in licences]


def test_the_card_is_read_by_the_hubs_own_parser(released: Released) -> None:
    card = DatasetCard.load(released.folder / "README.md")
    assert card.data.pretty_name == "Drawn faces"
    assert card.data.license == "other"
    assert card.data.license_link == "licences.csv"
    assert card.data.task_categories == ["image-classification", "object-detection"]
    assert card.data.size_categories == ["n<1K"]
    assert card.text.lstrip().startswith("# Drawn faces")


def test_configurations_differ_from_release_to_release_since_datasets_caches_by_them(
    released: Released,
) -> None:
    version = f"Release {released.prepared.inputs}"
    configs = DatasetCard.load(released.folder / "README.md").data.configs
    assert {each["description"] for each in configs} == {version}
    summary = {**released.prepared.about.summary, "cleaned": {"rows": 3}}
    made = header(replace(released.prepared.about, summary=summary), {"identities": 1})
    cleaned = f"{version}, cleaned of 3 pictures and faces"
    assert [each["description"] for each in made["configs"]] == [cleaned]


def test_each_configuration_names_tables_that_are_there(released: Released) -> None:
    card = DatasetCard.load(released.folder / "README.md")
    counts = released.prepared.plan.counts
    found = {
        (each["config_name"], file["split"]): pq.read_metadata(
            released.folder / file["path"]
        ).num_rows
        for each in card.data.configs
        for file in each["data_files"]
    }
    assert found == {
        ("recognition", "train"): counts["train_faces"],
        ("recognition", "test"): counts["probes"] + counts["distractors"],
        ("detection", "train"): counts["detection_train_boxes"],
        ("detection", "test"): counts["detection_test_boxes"],
        ("identities", "train"): len(released.prepared.plan.labels)
        + counts["distractors"],
    }


@pytest.mark.parametrize(
    ("licences", "shown"),
    [
        ([("CC BY-SA 4.0",), ("cc by-sa 4.0",)], {"license": "cc-by-sa-4.0"}),
        ([("unknown",)], {"license": "unknown"}),
        (
            [("Fair use",)],
            {
                "license": "other",
                "license_name": "each-picture-has-its-own",
                "license_link": "licences.csv",
            },
        ),
    ],
)
def test_one_licence_of_all_pictures_is_named_as_the_hub_does(
    released: Released, licences: list[tuple[str]], shown: dict[str, str]
) -> None:
    about = replace(
        released.prepared.about,
        licences=licence_set([picture(*each) for each in licences]),
    )
    made = header(about, {})
    assert {k: v for k, v in made.items() if k.startswith("license")} == shown


def test_the_card_says_what_the_only_format_says_below_its_own_title(
    released: Released,
) -> None:
    text = (released.folder / "README.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("# ")]
    assert headings == ["# Drawn faces"]
    assert "\n## The files of iCartoonFace\n" in text


def test_the_datasheet_tells_what_was_stated_from_what_was_not(
    released: Released,
) -> None:
    text = (released.folder / "datasheet.md").read_text()
    assert "**Who created it?** Ann Drawer; Bob Painter\n" in text
    assert "**Who funded it?** Not stated by those who made it.\n" in text
    assert "- Research on drawings.\n" in text
    assert "Labels and boxes: CC-BY-4.0." in text
    assert "toons.test: 135 pictures" in text


def test_a_format_that_the_hub_opens_gives_the_card_its_configurations(
    workspace: Workspace, tmp_path: Path
) -> None:
    formats = ("hf", "webdataset")
    prepared = prepare(workspace, 1, formats, crops=1.0)
    assert write(workspace, prepared, tmp_path / "out", 1)
    configs = DatasetCard.load(tmp_path / "out" / "README.md").data.configs
    assert [each["config_name"] for each in configs] == [
        "recognition",
        "detection",
        "identities",
    ]
    for each in configs:
        for file in each["data_files"]:
            assert list((tmp_path / "out").glob(file["path"])), file
    rows = pq.read_table(tmp_path / "out" / "records" / "recognition_test.parquet")
    found = {(row["file"], row["member"]) for row in rows.to_pylist()}
    assert len(found) == rows.num_rows
    table = pq.read_table(tmp_path / "out" / rows["file"][0].as_py())
    assert rows["member"][0].as_py() in {
        each["path"] for each in table["image"].to_pylist()
    }
    described = mlcroissant.Dataset(tmp_path / "out" / "croissant.json")
    issues = described.metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())
    assert not any(
        each.id == "picture_files" for each in described.metadata.record_sets
    )
    pictures = list(described.records("recognition_test_pictures"))
    table = pq.read_table(tmp_path / "out" / rows["file"][0].as_py())
    meant = [each["path"] for each in table["image"].to_pylist()]
    names = [each["recognition_test_pictures/member"] for each in pictures]
    assert [each.decode() for each in names] == meant
    assert min(pictures[0]["recognition_test_pictures/image"].size) > 100
    text = (tmp_path / "out" / "attribution.csv").read_text()
    assert "cut around the face" in text


def test_datasets_opens_the_release_by_its_card(
    released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(
        str(released.folder), "recognition", cache_dir=str(tmp_path)
    )
    counts = released.prepared.plan.counts
    assert {name: len(rows) for name, rows in loaded.items()} == {
        "train": counts["train_faces"],
        "test": counts["probes"] + counts["distractors"],
    }
    row = loaded["test"][0]
    assert (released.folder / row["file"]).is_file()
    assert row["role"] in ("seen", "unseen")
