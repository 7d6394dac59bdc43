"""`icf-evaluate identification`, `verification` and `open-set`, on a small release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from icf.dataset.cli.evaluate.main import cli
from icf.dataset.own_models import OWN_EMBEDDER
from icf.dataset.release.files import ATTRIBUTES
from icf.errors import BadInput, WrongUse
from icf.icartoonface.features import write_features
from icf.icartoonface.recognition import write_rectest_info
from icf.icartoonface.release_files import (
    FEATURES,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
)
from icf.models.embedding import Embedder
from tests.app.program import invoke
from tests.dataset.scores.recognition.made import features_of, info_of, labels_of

COMMANDS = ("identification", "verification", "open-set")
Score = Callable[..., dict[str, Any]]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Twelve identities with four pictures each, half of them in train."""
    root = tmp_path / "release"
    (root / RECTEST_FOLDER).mkdir(parents=True)
    info = info_of(labels_of(12, 4, 120))
    info.boxes[:] = [4, 4, 28, 28]
    info.boxes[:8, 2:] = 104
    write_rectest_info(root / RECTEST_INFO, info)
    write_features(root / FEATURES, features_of(info, 1, near=1.2))
    identities = "label,role,character,album,character_id\n" + "".join(
        f"{n},{'seen' if n < 6 else 'unseen'},C{n},Album {n % 2},{n}\n"
        for n in range(12)
    )
    (root / IDENTITIES).write_text(identities + "-1,distractor,D,Other,99\n")
    (root / ATTRIBUTES).write_text(
        "part,name,region,gender,gender_by,yaw,pitch,roll,occlusion,people\n"
        f"probe,{info.files[0]},japan,female,people,-30.5,0,0,none,2\n"
        f"probe,{info.files[5]},japan,male,source,,,,,0\n"
    )
    model = {"embedder": {"sha256": Embedder.bundled().model_hash, "name": "x"}}
    (root / "release.json").write_text(json.dumps({"models": model}))
    return root


@pytest.fixture
def score(release: Path) -> Score:
    def run(command: str, *words: object) -> dict[str, Any]:
        told = invoke(cli, command, "--release", release, *words, "--json")
        found: dict[str, Any] = json.loads(told.stdout)
        return {**found, "said": told.stderr}

    return run


def test_a_release_tells_the_groups_of_its_pictures(
    release: Path, score: Score
) -> None:
    found = score("identification", "--features", release / FEATURES)
    groups = found["groups"]
    assert {kind: list(names) for kind, names in groups.items()} == {
        "role": ["seen", "unseen"],
        "album": ["Album 0", "Album 1"],
        "region": ["japan"],
        "gender": ["female", "male"],
        "occlusion": ["none"],
        "pose": ["three-quarter"],
        "size": ["under 64 px", "64 to 127 px"],
    }
    assert [each["pairs"] for each in groups["role"].values()] == [72, 72]
    assert groups["region"]["japan"]["pairs"] == 6
    low, high = groups["role"]["seen"]["intervals"]["rank1"]
    assert low <= groups["role"]["seen"]["rank1"] <= high
    assert found["dim"] == 8


@pytest.mark.parametrize("command", COMMANDS)
def test_what_filtered_the_faces_is_not_called_a_fair_test(
    release: Path, score: Score, tmp_path: Path, command: str
) -> None:
    own = score(command, "--features", release / FEATURES)
    assert own["not_a_fair_test"] == OWN_EMBEDDER
    assert f"{release / FEATURES}: this scores {OWN_EMBEDDER}\n" in own["said"]
    shutil.copy(release / FEATURES, tmp_path / "copy.bin")
    copied = score(command, "--features", tmp_path / "copy.bin")
    assert copied["not_a_fair_test"] == OWN_EMBEDDER
    copy = tmp_path / "others.npy"
    np.save(copy, np.fromfile(release / FEATURES).reshape(168, 8))
    other = score(command, "--features", copy)
    assert other["not_a_fair_test"] is None
    changes = ("not_a_fair_test", "said")
    assert {**own, **dict.fromkeys(changes)} == {**other, **dict.fromkeys(changes)}


def test_a_model_is_run_on_the_pictures_of_the_release(
    release: Path, score: Score
) -> None:
    info = release / RECTEST_INFO
    kept = [line for line in info.read_text().splitlines() if line.count(" ") == 5]
    kept = [*kept[:2], kept[4], *kept[-2:]]
    info.write_text("\n".join(kept) + "\n")
    rng = np.random.default_rng(1)
    for line in kept:
        pixels = rng.integers(0, 256, (110, 110, 3)).astype(np.uint8)
        name = line.split()[0]
        Image.fromarray(pixels).save(release / RECTEST_FOLDER / name, "PNG")
    found = score("identification", "--model", "bundled")
    assert (found["pairs"], found["model"]) == (2, "bundled")
    assert found["dim"] == Embedder.bundled().dim
    assert found["not_a_fair_test"] == OWN_EMBEDDER
    (release / RECTEST_FOLDER / kept[0].split()[0]).unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        score("identification", "--model", "bundled")


def test_templates_take_the_place_of_pictures(release: Path, score: Score) -> None:
    words = ("--features", release / FEATURES, "--templates", 2)
    found = score("identification", *words)
    assert found["templates"] == {
        "pictures": 2,
        "templates": 24,
        "pictures_left_out": 0,
    }
    assert (found["pairs"], found["distractors"]) == (24, 120)
    assert list(found["groups"]["role"]) == ["seen", "unseen"]
    assert score("verification", *words)["genuine_pairs"] == 12
    assert score("open-set", *words)["mated_probes"] == 6


def test_verification_says_which_rates_it_refuses(release: Path, score: Score) -> None:
    found = score("verification", "--features", release / FEATURES)
    assert (found["genuine_pairs"], found["impostor_pairs"]) == (72, 6816)
    rates = {each["far"]: each for each in found["tar"]}
    assert rates[0.01]["tar"] is not None
    assert rates[0.001]["tar"] is None
    assert rates[0.001]["refused"] in found["said"]
    assert "30,000 impostor pairs" in rates[0.001]["refused"]
    assert set(rates[0.01]["groups"]["role"]) == {"seen", "unseen"}


def test_pairs_of_a_file_are_scored_alone(
    release: Path, score: Score, tmp_path: Path
) -> None:
    stem = "personai_icartoonface_rectest"
    lines = [f"{stem}_0000000.jpg {stem}_{n:07d}.jpg" for n in range(1, 160)]
    (tmp_path / "pairs.txt").write_text("\n".join(lines))
    words = ("--features", release / FEATURES, "--pairs", tmp_path / "pairs.txt")
    found = score("verification", *words)
    assert (found["genuine_pairs"], found["impostor_pairs"]) == (3, 156)
    with pytest.raises(WrongUse, match="leave out one"):
        score("verification", *words, "--templates", 2)


def test_a_list_of_a_part_of_the_pairs_is_scored_and_said_to_be_one(
    release: Path,
) -> None:
    info = release / RECTEST_INFO
    lines = info.read_text().splitlines(keepends=True)
    words = ("identification", "--info", info, "--features", release / FEATURES)
    assert "pairs" not in invoke(cli, *words).stderr
    info.write_text("".join(lines[:-44]))
    assert "lists 100 of 144 pairs" in invoke(cli, *words).stderr
    # The published copy beside the pictures lists none, and all are made.
    info.write_text("".join(each for each in lines if len(each.split()) == 6))
    assert "pairs" not in invoke(cli, *words).stderr


def test_who_is_in_train_is_known_in_the_open_set(release: Path, score: Score) -> None:
    found = score("open-set", "--features", release / FEATURES)
    assert found["known"] == "seen in train"
    assert (found["gallery"], found["mated_probes"]) == (6, 18)
    assert found["non_mated_probes"] == 24 + 120
    info = ("--info", release / RECTEST_INFO)
    (release / IDENTITIES).unlink()
    told = invoke(cli, "open-set", *info, "--features", release / FEATURES, "--json")
    found = json.loads(told.stdout)
    assert (found["known"], found["gallery"]) == ("all labelled", 12)


def test_features_of_a_parquet_file_are_put_in_order(
    release: Path, score: Score, tmp_path: Path
) -> None:
    matrix = np.fromfile(release / FEATURES).reshape(168, 8)
    expected = score("identification", "--features", release / FEATURES)["cmc"]
    names = info_of([0] * 168).files
    order = np.random.default_rng(1).permutation(168)
    table = {"file": [names[n] for n in order], "v": matrix[order].tolist()}
    pq.write_table(pa.table(table), tmp_path / "f.parquet")
    found = score("identification", "--features", tmp_path / "f.parquet")
    assert found["cmc"] == expected


def test_two_recognisers_are_compared_on_the_same_pairs(
    release: Path, score: Score, tmp_path: Path
) -> None:
    worse = tmp_path / "worse.npy"
    info = info_of(labels_of(12, 4, 120))
    np.save(worse, features_of(info, 2, near=0.6).astype(np.float32))
    words = ("--features", release / FEATURES, "--against-features", worse)
    found = score("identification", *words)
    other = score("identification", "--features", worse)
    against = found["against"]
    assert (against["rank1"], against["dtype"]) == (other["rank1"], "float32")
    difference = against["differences"]["rank1"]
    assert difference["points"] == pytest.approx(found["rank1"] - other["rank1"])
    low, high = difference["interval"]
    assert low < difference["points"] < high
    words_back = ("--features", worse, "--against-features", release / FEATURES)
    turned = score("identification", *words_back)
    back = turned["against"]["differences"]["rank1"]
    assert back["interval"] == pytest.approx([-high, -low])
    templates = score("identification", *words, "--templates", 2)["against"]
    assert templates["templates"]["templates"] == 24

    told = invoke(cli, "identification", "--release", release, *words)
    assert "rank-1 of the other" in told.stdout
    assert f"{difference['points']:+.2f}" in told.stdout


@pytest.mark.parametrize(
    ("command", "stem"),
    [("identification", "cmc"), ("verification", "det"), ("open-set", "open-set")],
)
def test_curves_are_written_as_drawings_and_numbers(
    release: Path, score: Score, tmp_path: Path, command: str, stem: str
) -> None:
    plots = tmp_path / "new" / "plots"
    words = ("--features", release / FEATURES, "--plots", plots)
    found = score(command, *words)
    assert sorted(path.name for path in plots.iterdir()) == [
        f"{stem}.csv",
        f"{stem}.svg",
    ]
    drawing = ElementTree.fromstring((plots / f"{stem}.svg").read_text())
    assert drawing.findall("{*}polyline")
    assert drawing.findall("{*}polygon")
    rows = (plots / f"{stem}.csv").read_text().splitlines()
    assert rows[0] == "curve,x,y,low,high"
    if command == "identification":
        first = found["cmc"][0]
        low, high = first["low"], first["high"]
        assert rows[1] == f"all,1.0,{first['percent']!r},{low!r},{high!r}"


def test_an_open_set_without_a_rate_says_that_no_curve_is_drawn(
    release: Path, tmp_path: Path
) -> None:
    (release / IDENTITIES).unlink()
    info = info_of([0, 0, 1, 1, -1])
    write_rectest_info(release / RECTEST_INFO, info)
    write_features(release / FEATURES, features_of(info, 1))
    words = ("--release", release, "--features", release / FEATURES)
    told = invoke(cli, "open-set", *words, "--plots", tmp_path / "plots")
    assert f"nothing is written to {tmp_path / 'plots'}: no rate has" in told.stderr
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_people_get_a_table_that_has_the_dimension(release: Path, command: str) -> None:
    words = ("--release", release, "--features", release / FEATURES, "--dim", 8)
    told = invoke(cli, command, *words)
    assert "numbers a picture" in told.stdout
    assert "%" in told.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the test"),
        (("--release", "{}"), "either --features FILE or --model NAME"),
        (
            ("--release", "{}", "--features", "f", "--model", "bundled"),
            "either --features FILE or --model NAME",
        ),
        (("--release", "{}", "--model", "bundled", "--dim", 3), "--dim 3: bundled"),
    ],
)
def test_what_is_not_named_is_wrong_use(
    release: Path, words: tuple[object, ...], said: str
) -> None:
    named = [str(word).format(release) for word in words]
    with pytest.raises(WrongUse, match=said):
        invoke(cli, "identification", *named)


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"rectest_info\.txt: name the folder"):
        invoke(cli, "identification", "--release", tmp_path, "--features", "f")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (IDENTITIES, "label,role\n", "expected one column each of label, role, album"),
        (
            ATTRIBUTES,
            "part,name,region,gender,yaw,occlusion\nprobe,a.jpg,,,east,\n",
            "line 2: expected degrees from -180 to 180 as yaw, found 'east'",
        ),
    ],
)
def test_a_damaged_table_of_the_release_is_named(
    release: Path, score: Score, file: str | Path, text: str, said: str
) -> None:
    (release / file).write_text(text)
    with pytest.raises(BadInput, match=said):
        score("identification", "--features", release / FEATURES)
