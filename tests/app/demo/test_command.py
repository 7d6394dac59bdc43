"""The demo from start to end, as a new user runs it; and killed in every stage."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from icf.app.demo.score import AuditedError, DemoScore
from icf.app.demo.shell import Shell
from icf.app.demo.site import Noise, load_truth
from icf.codes import BoxStatus, FetchStatus
from icf.errors import WrongUse
from icf.workspace import init
from tests.app.demo_runs import (
    Demo,
    Due,
    Killer,
    assert_nothing_is_half_written,
    run_within,
)
from tests.app.program import call, said

Finished = tuple[Demo, dict[str, Any]]

#: Which program to kill, and when, so that each stage is hit while it works.
MOMENTS: dict[str, tuple[str, Due]] = {
    "export": (
        "icf-annotate",
        lambda demo: any((demo.root / "batches").glob(".questions.partial-*")),
    ),
    "import": ("icf-annotate", lambda demo: demo.count("answer") > 0),
    "boxes": ("icf-annotate", lambda demo: demo.count("box_answer") > 0),
    "audit": ("icf-annotate", lambda demo: demo.count("label_audit_answer") > 0),
    "splits": (
        "icf-build-splits",
        lambda demo: any((demo.root / "releases").glob(".demo.partial-*")),
    ),
    "report": ("icf-report", lambda demo: True),
}


@pytest.fixture(scope="module")
def killed(filtered_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A demo that was killed once in each stage, and its numbers."""
    demo = Demo(tmp_path_factory.mktemp("killed") / "demo")
    shutil.copytree(filtered_demo, demo.root)
    killer = Killer(demo, dict(MOMENTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shell, "run", killer.method())
        found = said("demo", demo.root, "--quiet")
    assert killer.moments == {}
    return demo, found


def noisy(*kinds: Noise) -> int:
    """How many files of the site have something wrong with them."""
    return sum(file.noise in kinds for file in load_truth().files)


@pytest.mark.slow
def test_every_url_gets_the_status_that_the_site_makes_it_have(
    finished_demo: Finished,
) -> None:
    urls = finished_demo[1]["urls"]
    assert "pending" not in urls
    assert urls["disallowed"] == noisy(Noise.DISALLOWED)
    assert urls["opted_out"] == noisy(Noise.OPTED_OUT)
    assert urls["not_found"] == noisy(Noise.DEAD)
    assert urls["missing_file"] == noisy(Noise.MISSING)
    away = noisy(Noise.DISALLOWED, Noise.OPTED_OUT, Noise.DEAD, Noise.MISSING)
    refused = urls["empty"] + urls["not_image"]
    assert urls["stored"] == len(load_truth().files) - away - refused


def test_every_face_is_kept_or_dropped_for_a_reason(finished_demo: Finished) -> None:
    found = finished_demo[1]
    assert found["faces"] == found["kept"] + sum(found["dropped"].values())
    assert set(found["dropped"]) >= {"too_small", "blurred", "near_duplicate"}
    clean = sum(
        len(file.faces) for file in load_truth().files if file.noise is Noise.CLEAN
    )
    assert found["kept"] > 0.6 * clean


def test_labels_are_wrong_about_as_often_as_the_annotator(
    finished_demo: Finished,
) -> None:
    found = finished_demo[1]
    # What is no face has no label.
    assert found["questions"] >= found["labels"] > 0.99 * found["questions"] > 200
    assert 0 < found["label_error"] < 0.06


def test_the_audit_bounds_the_error_of_the_labels_in_releases(
    finished_demo: Finished,
) -> None:
    demo, found = finished_demo
    audit = found["audit"]
    assert audit["certified"]
    assert audit["wrong"] / audit["labels"] <= audit["bound"] <= 0.05
    assert audit["checked"] >= 124
    release = demo.root / "releases" / "demo"
    certificate = json.loads((release / "certificate.json").read_text())
    assert certificate["certificate"]["errors"] == audit["errors"]
    covers = certificate["release"]["covers"]["all"]
    assert covers["audited"] == covers["labels"] > 0


def test_the_bundled_models_do_well_on_styles_they_never_saw(
    finished_demo: Finished,
) -> None:
    found = finished_demo[1]
    assert found["identification"]["rank1"] > 85
    verified, every = found["detection"], found["detection_all_pictures"]
    assert verified["official"] > 0.85
    assert every["official"] > 0.85
    assert every["pictures"] > verified["pictures"] > 50


def test_the_detection_test_is_what_people_verified(finished_demo: Finished) -> None:
    demo, found = finished_demo
    summary = json.loads((demo.root / "releases/demo/release.json").read_text())
    assert summary["detection_boxes"] == "verified"
    # What it found and nobody drew is among its detections.
    assert found["detection"]["detections"] > found["detection"]["boxes"]
    boxes = said("-C", demo.root, "annotate", "status")["boxes"]
    assert boxes["verified"] > 0.95 * sum(boxes[str(each)] for each in BoxStatus)


def test_each_command_is_printed_before_it_runs(finished_demo: Finished) -> None:
    commands = [
        " ".join(line.split()[1:3])
        for line in finished_demo[0].messages.splitlines()
        if line.startswith("$ ")
    ]
    assert commands == [
        "icf init",
        "icf-harvest run",
        "icf-filter run",
        "icf-annotate export",
        "icf-annotate import",
        "icf-annotate export",
        "icf-annotate import",
        "icf-annotate export",
        "icf-annotate import",
        "icf-annotate import",
        "icf-annotate export",
        "icf-annotate import",
        *["icf-annotate audit"] * 6,
        "icf-build-splits releases/demo",
        "icf-evaluate identification",
        "icf-evaluate detection",
        "icf-evaluate detection",
        "icf-report reports/demo.html",
    ]
    assert (
        "a simulated annotator, who is wrong 3% of the time"
        in finished_demo[0].messages
    )


def test_what_it_leaves_is_whole_and_its_report_is_where_it_says(
    finished_demo: Finished,
) -> None:
    demo, found = finished_demo
    assert_nothing_is_half_written(demo)
    assert found["report"] == str(demo.root / "reports" / "demo.html")
    assert Path(found["report"]).stat().st_size < 10_000_000


def test_status_counts_what_the_demo_counted(finished_demo: Finished) -> None:
    demo, found = finished_demo
    counts = said("-C", demo.root, "status")
    assert counts["albums"] == len(load_truth().albums)
    assert counts["characters"] == len(load_truth().characters)
    for name in ("images", "faces", "questions", "labels"):
        assert counts[name] == found[name]


@pytest.mark.slow
def test_killed_in_every_stage_it_ends_where_an_undisturbed_demo_ends(
    finished_demo: Finished, killed: Finished
) -> None:
    assert_nothing_is_half_written(killed[0])
    scored = ("identification", "detection", "detection_all_pictures")
    found, expected = ({**numbers} for _, numbers in (killed, finished_demo))
    for name in scored:
        assert found.pop(name) == pytest.approx(expected.pop(name), rel=0.02)
    for numbers in (found, expected):
        del numbers["report"]
    assert found == expected


@pytest.mark.slow
def test_started_again_it_changes_nothing_and_ends_with_the_table(
    killed: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, found = killed
    before = {name: demo.count(name) for name in ("decision", "answer", "image_source")}
    monkeypatch.setattr(Shell, "run", run_within)
    table = call("demo", demo.root).stdout.partition("the demo")[2]
    assert before == {name: demo.count(name) for name in before}
    shown = dict(
        line.strip().rsplit(None, 1) for line in table.splitlines() if line.strip()
    )
    assert shown["pictures harvested"] == f"{found['images']:,}"
    assert shown["kept"] == f"{found['kept']:,}"
    assert shown["questions asked"] == f"{found['questions']:,}"
    assert shown["rank-1"] == f"{found['identification']['rank1']:.2f}%"
    assert Path(shown["report"]).samefile(demo.root / "reports" / "demo.html")


@pytest.mark.slow
def test_where_nothing_is_left_to_answer_the_page_is_not_promised_to_have_questions(
    finished_demo: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "demo"
    shutil.copytree(finished_demo[0].root, root)
    served = []
    monkeypatch.setattr(Shell, "run", run_within)
    monkeypatch.setattr(Shell, "serve", lambda self, *words: served.append(words))
    said_to_people = call("demo", root, "--serve", "--port", 0).output
    assert served == [("icf-annotate", "serve", "--port", "0")]
    assert "left to you" not in said_to_people
    assert "are answered; for new ones name a new folder" in said_to_people


@pytest.mark.slow
def test_a_port_that_another_program_took_is_named(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo.root.mkdir()
        (demo.root / "demo.json").write_text(f'{{"port": {taken.getsockname()[1]}}}')
        process = demo.start()
        process.communicate()
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in demo.messages


def test_a_file_in_its_place_is_wrong_use(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    demo.root.write_text("")
    process = demo.start()
    process.communicate()
    assert process.returncode == 2
    assert "is a file" in demo.messages


def test_a_workspace_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    init(demo.root).catalogue.close()
    settings = (demo.root / "icf.toml").read_text()
    process = demo.start()
    process.communicate()
    assert process.returncode == 2
    assert "contains something other than a demo" in demo.messages
    assert (demo.root / "icf.toml").read_text() == settings


def test_a_demo_of_an_earlier_version_with_other_pictures_is_left_alone(
    tmp_path: Path,
) -> None:
    root = tmp_path / "demo"
    init(root).catalogue.close()
    # As versions before the site had a name wrote it.
    (root / "demo.json").write_text('{"port": 8931}')
    with pytest.raises(WrongUse, match="other pictures; name a new folder"):
        call("demo", root)
    assert said("-C", root, "status")["images"] == 0
    assert (root / "demo.json").read_text() == '{"port": 8931}'


def test_the_table_says_what_share_of_labels_is_wrong() -> None:
    score = DemoScore(
        urls={FetchStatus.STORED.value: 1_000, FetchStatus.NOT_FOUND.value: 2},
        images=1_000,
        faces=900,
        kept=600,
        dropped={"blurred": 300},
        questions=500,
        wrong_labels=10,
        labels=400,
        identification={"rank1": 91.234},
        detection={"official": 0.8764, "pictures": 90},
        all_pictures={"official": 0.9512, "pictures": 1_234},
    )
    lines = dict(score.lines())
    assert lines["URLs found"] == "1,002"
    assert lines["labels wrong"] == "2.5% (10 of 400)"
    assert lines["rank-1"] == "91.23%"
    verified = lines["AP at IoU 0.5, boxes people verified"]
    assert verified == "0.876 (90 pictures)"
    assert lines["AP at IoU 0.5, true boxes, all pictures"].startswith("0.951 (1,234")
    audited = AuditedError(124, 1, 0.0377, 0.95, True, 500, 4)
    lines = dict(replace(score, audited=audited).lines())
    assert lines["  of faces in releases"] == "0.8% (4 of 500)"
    found = "0.8% (1 of 124); at most 3.8%, 95% sure"
    assert lines["  as the audit found them"] == found
    none = {"official": 0.0, "pictures": 0}
    empty = DemoScore({}, 0, 0, 0, {}, 0, 0, 0, {"rank1": 0.0}, none, none)
    assert empty.label_error == 0.0
