"""`icf-evaluate detection`: on files, on releases, with a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

import icf
from icf.catalogue.labels.given_boxes import GIVEN_ALL
from icf.catalogue.schema import face
from icf.dataset.cli.evaluate.main import cli
from icf.dataset.own_models import NO_DETECTOR, OWN_DETECTOR
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.page import write_report
from icf.errors import BadInput, WrongUse
from icf.icartoonface.detection import read_dettest_csv
from icf.icartoonface.release_files import DETTEST_BOXES, DETTEST_FOLDER, DETTEST_FOUND
from icf.workspace import Workspace, find
from tests.app.program import invoke

TRUTH = "a.jpg,0,0,9,9,face\r\nb.jpg,0,0,9,9,face\r\n"
FOUND = "a.jpg,0,0,9,9,face,0.9\nb.jpg,50,50,59,59,face,0.8\n"


@pytest.fixture(scope="module")
def space(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with a release of verified boxes and one of proposed boxes."""
    root = tmp_path_factory.mktemp("scored") / "space"
    shutil.copytree(drawn, root)
    made = find(root)
    write(made, prepare(made, 1, boxes="verified"), root / "releases" / "verified", 1)
    write(made, prepare(made, 1, boxes="proposed"), root / "releases" / "proposed", 1)
    yield made
    made.catalogue.close()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    truth, found = tmp_path / "t.csv", tmp_path / "d.csv"
    truth.write_text(TRUTH)
    found.write_text(FOUND)
    return truth, found


def values(*words: object) -> dict[str, Any]:
    done = invoke(cli, "detection", *words, "--json", "--draws", 20)
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert isinstance(made, dict)
    return made


def test_everything_is_given_by_name(files: tuple[Path, Path]) -> None:
    truth, found = files
    made = values("--truth", truth, "--detections", found, "--threshold", 0.85)
    assert (made["official"], made["voc_all_point"]) == (0.5, 0.5)
    assert made["coco_summary"]["ap_small"] == pytest.approx(51 / 101)
    assert made["coco_summary"]["ap_large"] is None
    assert made["intervals"]["official"] == {"low": 0, "high": 1}
    assert made["errors"]["background"] == {"count": 1, "ap": 0}
    assert made["operating_points"]["detector"]["precision"] == 1
    assert made["operating_points"]["all"]["detections"] == 2
    assert made["suspects"] == {"no_box": 0, "untouched": 1, "twice": 0}
    assert made["shares_of_picture"] is None
    assert made["detector"] == f"of {found}"


@pytest.mark.parametrize("threshold", ["nan", "inf", "-inf"])
def test_a_threshold_is_finite(files: tuple[Path, Path], threshold: str) -> None:
    words = ("--truth", files[0], "--detections", files[1], "--threshold", threshold)
    done = invoke(cli, "detection", *words, "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{threshold} is not a finite number" in done.stderr


def test_for_people_there_are_tables(files: tuple[Path, Path]) -> None:
    truth, found = files
    shown = invoke(cli, "detection", "--truth", truth, "--detections", found).stdout
    for words in ("official AP50", "voc_all_point AP50", "95% interval", "background"):
        assert words in shown
    assert "mAP" not in shown


def test_kinds_of_pictures_are_scored_apart(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    kinds = tmp_path / "k.csv"
    kinds.write_text("Picture;Style\na.jpg;flat\nb.jpg;sketch\n")
    words = ("--truth", files[0], "--detections", files[1], "--kinds", kinds)
    styles = values(*words)["kinds"]["style"]
    assert {name: each["official"] for name, each in styles.items()} == {
        "flat": 1,
        "sketch": 0,
    }
    kinds.write_text("picture,style\na.jpg,flat\nc.jpg,flat\n")
    with pytest.raises(BadInput, match=r"k\.csv, line 3: expected a picture"):
        invoke(cli, "detection", *words)
    kinds.write_text("picture,style\na.jpg,flat\na.jpg,sketch\n")
    with pytest.raises(BadInput, match=r"k\.csv, line 3: 'a.jpg' again, as in line 2"):
        invoke(cli, "detection", *words)
    kinds.write_text("picture,style,Style\na.jpg,flat,sketch\n")
    with pytest.raises(BadInput, match=r"k\.csv: two columns are called 'style'"):
        invoke(cli, "detection", *words)


def test_a_release_is_scored_with_its_own_detector(
    space: Workspace, tmp_path: Path
) -> None:
    release = space.root / "releases" / "verified"
    made = values("--release", release, "--plots", tmp_path / "plots")
    assert made["official"] > 0.9
    assert made["detector"] == f"drawn-detector: {OWN_DETECTOR}"
    assert made["boxes_are"] == "as given"
    shares = made["shares_of_picture"]
    assert shares["10% or more"]["boxes"] == made["boxes"]
    page = (tmp_path / "plots" / "worst.html").read_text()
    assert "The worst errors of a detector" in page
    assert str(tmp_path / "plots" / "suspects.csv") in made["plots"]


def test_boxes_that_nobody_verified_give_no_average_precision(
    space: Workspace, tmp_path: Path
) -> None:
    release = space.root / "releases" / "proposed"
    truth, found = release / DETTEST_BOXES, release / DETTEST_FOUND
    words = ("--truth", truth, "--detections", found)
    for named in (("--release", release), words):
        with pytest.raises(WrongUse, match="which nobody verified"):
            invoke(cli, "detection", *named)
    made = values(*words, "--unverified")
    assert made["boxes_are"] == "proposed"
    assert made["detector"].endswith(OWN_DETECTOR)
    assert made["official"] == pytest.approx(1)
    readme = (release / "README.md").read_text()
    assert "they give no average precision" in readme
    assert icf.evaluate(release).detection is None
    scored = icf.evaluate(release, unverified=True).detection
    assert scored is not None
    write_report(space, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "No average precision: the true boxes are the detector's own" in page
    assert "voc_all_point" not in page


def test_where_no_detector_looked_nothing_is_scored_as_its_own(
    space: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(space.root, tmp_path / "space")
    made = find(tmp_path / "space")
    release = made.root / "releases" / "given"
    with made.catalogue.write() as connection:
        connection.execute(sa.update(face).values(detector=GIVEN_ALL))
    write(made, prepare(made, 1, boxes="verified"), release, 1)
    with pytest.raises(WrongUse, match=r"no detector looked .* --detections"):
        invoke(cli, "detection", "--release", release)
    found = release / DETTEST_FOUND
    handed_in = values("--release", release, "--detections", found)
    assert handed_in["detector"] == f"of {found}"
    readme = (release / "README.md").read_text()
    assert NO_DETECTOR in readme
    assert OWN_DETECTOR not in readme
    assert icf.evaluate(release).detection is None
    assert icf.evaluate(release, detections=found).detection is not None
    write_report(made, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert f"No average precision: {NO_DETECTOR}" in page
    assert OWN_DETECTOR not in page
    made.catalogue.close()


@pytest.mark.parametrize("boxes", ["verified", "proposed"])
def test_lists_of_another_format_are_known_to_be_of_the_release(
    space: Workspace, tmp_path: Path, boxes: str
) -> None:
    box = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [0, 0, 9, 9]}
    content = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [box],
    }
    truth = tmp_path / "release" / "coco" / "annotations" / "instances_test.json"
    truth.parent.mkdir(parents=True)
    truth.write_text(json.dumps(content))
    summary = space.root / "releases" / boxes / "release.json"
    shutil.copy(summary, tmp_path / "release")
    (tmp_path / "d.json").write_text(json.dumps([{**box, "score": 0.5}]))
    words = ("--truth", truth, "--detections", tmp_path / "d.json")
    if boxes == "verified":
        assert values(*words)["boxes_are"] == "as given"
    else:
        with pytest.raises(WrongUse, match="which nobody verified"):
            invoke(cli, "detection", *words)
        assert values(*words, "--unverified")["boxes_are"] == "proposed"


def test_a_file_beside_anothers_release_json_is_scored(
    files: tuple[Path, Path],
) -> None:
    truth, found = files
    for text in ("{}", "[1]", "{"):
        (truth.parent / "release.json").write_text(text)
        assert values("--truth", truth, "--detections", found)["official"] == 0.5


def test_a_release_that_does_not_say_it_has_proposed_boxes(
    space: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(space.root / "releases" / "verified", tmp_path / "old")
    path = tmp_path / "old" / "release.json"
    summary = json.loads(path.read_text())
    del summary["detection_boxes"]
    path.write_text(json.dumps(summary))
    with pytest.raises(WrongUse, match="which nobody verified"):
        invoke(cli, "detection", "--release", tmp_path / "old")


def test_a_model_is_run_on_the_pictures_of_the_truth(
    space: Workspace, tmp_path: Path
) -> None:
    release = space.root / "releases" / "verified"
    first = read_dettest_csv(release / DETTEST_BOXES)
    row = ",".join(f"{value:g}" for value in first.corners[0])
    truth = tmp_path / "t.csv"
    truth.write_text(f"{first.pictures[0]},{row},face\n")
    words = ("--truth", truth, "--model", "bundled")
    made = values(*words, "--pictures", release / DETTEST_FOLDER)
    assert made["detections"] > 0
    assert made["detector"].startswith("bundled (SHA-256 ")
    assert 0 < made["operating_points"]["detector"]["threshold"] < 1
    with pytest.raises(WrongUse, match="name their folder with --pictures"):
        invoke(cli, "detection", *words)
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        invoke(cli, "detection", *words, "--pictures", tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either --truth or --release"),
        (("--truth", "t.csv"), "with --detections or --model"),
        (("--truth", "t.csv", "--release", "r"), "either --truth or --release"),
        (
            ("--truth", "t.csv", "--detections", "d.csv", "--model", "bundled"),
            "either --detections or --model",
        ),
        (("--release", "nowhere"), "is no release"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(
    words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(WrongUse, match=said):
        invoke(cli, "detection", *words)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "d.csv",
            f"\n{FOUND}a.jpg,0,0,9,1e9,face,.5\n",
            r"d\.csv, line 4: expected corners within 10,000,000 pixels, found \[0",
        ),
        ("d.csv", f"{FOUND}c.jpg,0,0,9,9,face,.5\n", r"d\.csv, line 3: .*: c\.jpg;"),
        (
            "d.csv",
            '{"path": "b.jpg", "faces": []}\n{"path": "a.jpg", "faces": '
            '[{"box": [0, 0, 9, 1e9], "score": 0.1}, '
            '{"box": [0, 0, 9, 9], "score": 0.5}]}\n',
            r"d\.csv, line 2: expected corners within",
        ),
        ("t.csv", f"{TRUTH}c.jpg,-1e9,0,9,9,face", r"t\.csv, line 3: expected corn"),
        ("t.csv", "", r"t\.csv: no true box"),
    ],
)
def test_what_cannot_be_scored_is_named_by_file_and_line(
    files: tuple[Path, Path], name: str, content: str, said: str
) -> None:
    truth, found = files
    (truth.parent / name).write_text(content)
    with pytest.raises(BadInput, match=said):
        invoke(cli, "detection", "--truth", truth, "--detections", found)


def test_results_of_coco_need_the_truth_of_coco(files: tuple[Path, Path]) -> None:
    truth, found = files
    found.write_text('[{"image_id": 1}]')
    with pytest.raises(WrongUse, match="--truth must be COCO's JSON too"):
        invoke(cli, "detection", "--truth", truth, "--detections", found)


def test_pictures_of_another_size_than_the_truth_says_are_said(tmp_path: Path) -> None:
    Image.new("RGB", (32, 24)).save(tmp_path / "a.png")
    image = {"id": 7, "file_name": "a.png", "width": 64, "height": 48}
    box = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9]}
    categories = [{"id": 3, "name": "face"}]
    content = {"images": [image], "categories": categories, "annotations": [box]}
    truth, found = tmp_path / "t.json", tmp_path / "d.json"
    truth.write_text(json.dumps(content))
    found.write_text(json.dumps([{**box, "score": 0.7}]))
    words = ("--truth", truth, "--detections", found, "--pictures", tmp_path)
    assert values(*words)["resized_pictures"] == 1
    done = invoke(cli, "detection", *words)
    assert f"1 pictures have another size than {truth} says" in done.stderr


def test_files_of_coco_are_scored(tmp_path: Path) -> None:
    box = {"image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9]}
    images = [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}]
    truth, found = tmp_path / "t.json", tmp_path / "d.json"
    categories = [{"id": 3, "name": "face"}]
    content = {"images": images, "categories": categories}
    truth.write_text(json.dumps({**content, "annotations": [{**box, "id": 1}]}))
    again = {**box, "image_id": 8, "score": 0.5}
    found.write_text(json.dumps([{**box, "score": 0.7}, again]))
    made = values("--truth", truth, "--detections", found)
    assert (made["official"], made["official_unseen"]) == (1, 1)
    assert made["operating_points"]["all"]["false_per_empty_picture"] == 1
