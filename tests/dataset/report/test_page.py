from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger, schema
from icf.codes import FaceReason, FetchStatus
from icf.dataset.certificate import percent
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.page import write_report
from icf.dataset.report.process.audit import read_audit
from icf.workspace import Workspace, find, init
from tests.dataset.drawn import DETECTOR, EMBEDDER
from tests.dataset.page import Page
from tests.dataset.test_certificate import audited


def report(workspace: Workspace, path: Path) -> Page:
    assert write_report(workspace, path) == path.stat().st_size
    return Page.read(path)


def change(workspace: Workspace, table: sa.Table, **values: Any) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(table).values(**values))


@pytest.fixture
def released(workspace: Workspace) -> Workspace:
    write(workspace, prepare(workspace, 1), workspace.root / "releases" / "one", 1)
    return workspace


def test_it_refers_to_nothing_outside_itself(
    released: Workspace, tmp_path: Path
) -> None:
    page = report(released, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert not page.of("script")
    assert not page.of("link")
    assert not re.search(r"@import|url\(|https?://", text)
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name, "#")
            inside = ("data:image/jpeg;base64,", "data:text/csv;base64,", "#")
            assert value.startswith(inside), tag
        assert not any(name.startswith("on") for name in attributes)
    policy = next(m["content"] for m in page.of("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")


def test_the_funnel_is_shown_from_urls_to_the_release(
    released: Workspace, tmp_path: Path
) -> None:
    words = report(released, tmp_path / "r.html").words
    with released.catalogue.read() as connection:
        pictures = connection.execute(
            sa.select(sa.func.count()).select_from(schema.image)
        ).scalar_one()
    counts = prepare(released, 1).plan.counts
    faces = counts["train_faces"] + counts["probes"] + counts["distractors"]
    for part in (
        f"{pictures + 4} URLs 4 lost",
        f"{pictures} pictures",
        f"{faces} faces released",
    ):
        assert part in words


def test_every_reason_is_shown_with_its_meaning_and_count(
    workspace: Workspace, tmp_path: Path
) -> None:
    words = report(workspace, tmp_path / "r.html").words
    for reason in FaceReason:
        if reason is not FaceReason.OK:
            assert f"{reason.value.replace('_', ' ')} {reason.meaning} 1" in words
    assert f"not found {FetchStatus.NOT_FOUND.meaning} 2" in words


def test_the_filter_is_shown_step_by_step_measure_by_measure_and_pair_by_pair(
    workspace: Workspace, tmp_path: Path
) -> None:
    with workspace.catalogue.write() as connection:
        run = ledger.begin_run(connection, "test", "{}", "0")
        blurred = sa.select(schema.face.c.id).where(schema.face.c.reason == "blurred")
        face = connection.execute(blurred).scalar_one()
        line = ledger.Decision("face", face, "sharpness", "dropped", "blurred")
        ledger.append(connection, run, [line])
        pair = {"character_id": 1, "face_id": 1, "other_character_id": 2}
        known = {"similarity": 0.873, "phash_bits": 3, "dhash_bits": 4}
        when = {"found_at": 0.0, "changed_at": 0.0}
        connection.execute(
            sa.insert(schema.review).values(
                kind="twin",
                other_face_id=11,
                score=0.9,
                status="open",
                **pair,
                **known,
                **when,
            )
        )
    page = report(workspace, tmp_path / "r.html")
    assert "sharpness" in page.words
    assert "1 blurred" in page.words
    for words in ("filter.min_sharpness", "filter.min_face", "0.87 · 3 and 4 bits"):
        assert words in page.words
    drawings = [each.get("aria-label", "") for each in page.of("svg")]
    assert any("beyond the threshold of 100" in each for each in drawings)
    twins = [each["alt"] for each in page.of("img") if each["alt"].endswith("of 2")]
    assert len(twins) == 2
    assert "No question is answered yet" in page.words


def test_release_leaks_scores_and_licences_are_shown(
    released: Workspace, tmp_path: Path
) -> None:
    words = report(released, tmp_path / "r.html").words
    assert "releases/one, seed 1" in words
    assert EMBEDDER[:12] in words
    assert DETECTOR[:12] in words
    for name in ("rank-1", "rank-5", "rank-10", "official", "coco", "voc_all_point"):
        assert name in words
    assert "16 checks, no leak" in words
    assert "do not compare these figures with published ones" in words
    assert "the embedder that filtered these faces: not a fair test" in words
    assert "the detector that proposed these boxes: not a fair test" in words
    assert "Cumulative match curve" in words
    assert "role: unseen" in words
    assert "CC BY-SA 4.0 CC-BY-SA-4.0 extmetadata" in words


def test_boxes_that_nobody_verified_give_no_average_precision(
    workspace: Workspace, tmp_path: Path
) -> None:
    target = workspace.root / "releases" / "one"
    write(workspace, prepare(workspace, 1, boxes="proposed"), target, 1)
    words = report(workspace, tmp_path / "r.html").words
    assert "No average precision" in words
    assert "voc_all_point" not in words


def test_a_model_shows_its_figures_limits_and_data(
    workspace: Workspace, tmp_path: Path
) -> None:
    card = {
        "bytes": 123456,
        "figures": {"unseen styles": {"AP50": 0.71239, "recall": 0.8}},
        "limits": ["Misses small faces."],
        "data": [{"name": "drawn scenes", "licence": "CC0"}],
    }
    change(workspace, schema.model, card=json.dumps(card))
    words = report(workspace, tmp_path / "r.html").words
    assert "measured on AP50 recall unseen styles 0.7124 0.8" in words
    assert "Misses small faces." in words
    assert "drawn scenes CC0" in words
    assert "123,456" not in words


@pytest.mark.parametrize(
    "card", ["", "[]", "{", '{"figures": [1], "data": 3}', '{"figures": 7}']
)
def test_a_card_that_cannot_be_read_is_no_crash(
    workspace: Workspace, tmp_path: Path, card: str
) -> None:
    change(workspace, schema.model, card=card)
    assert "Its card has no figures." in report(workspace, tmp_path / "r.html").words


def test_hostile_names_stay_text(released: Workspace, tmp_path: Path) -> None:
    root = tmp_path / "<b onclick=x()>&'\""
    released.catalogue.close()
    shutil.copytree(released.root, root)
    workspace = find(root)
    bad = "</td></table><script>alert(1)</script><img src=x onerror='a()'>\"{{ 7*7 }}"
    change(workspace, schema.character, name=schema.character.c.name + bad)
    change(workspace, schema.album, name=schema.album.c.name + bad, region=bad)
    change(workspace, schema.image_source, licence=bad, licence_from=bad)
    card = {
        "figures": {bad: {bad: 1}},
        "limits": [bad],
        "data": [{"name": bad, "licence": bad}],
    }
    change(workspace, schema.model, name=bad, task=bad, card=json.dumps(card))
    change(workspace, schema.run, command=bad)
    change(workspace, schema.release, path=f"/nowhere/{bad}")
    page = report(workspace, tmp_path / "r.html")
    workspace.catalogue.close()
    assert not page.of("script")
    assert not page.of("b") or "onclick" not in str(page.of("b"))
    assert all("onerror" not in each for each in page.of("img"))
    assert all(each["src"].startswith("data:image/jpeg") for each in page.of("img"))
    for text in ("{{ 7*7 }}", "<script>alert(1)</script>", "<b onclick=x()>&'\""):
        assert text in page.text


def test_pictures_have_alternative_texts_and_tables_have_headers(
    released: Workspace, tmp_path: Path
) -> None:
    page = report(released, tmp_path / "r.html")
    alternatives = [each["alt"] for each in page.of("img")]
    assert len(alternatives) > 20
    assert all(alternatives)
    assert len(set(alternatives)) == len(alternatives)
    assert all(each.get("scope") in {"col", "row"} for each in page.of("th"))
    assert len(page.of("thead")) == len(page.of("table"))
    for drawing in page.of("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing["aria-label"]
    assert page.of("html") == [{"lang": "en"}]
    targets = {each["id"] for _, each in page.tags if "id" in each}
    links = {each["href"] for each in page.of("a") if "download" not in each}
    assert {each[1:] for each in links} <= targets
    assert len(links) == len(page.of("section"))


def test_an_empty_workspace_says_what_to_do_next(tmp_path: Path) -> None:
    workspace = init(tmp_path / "new")
    words = report(workspace, tmp_path / "r.html").words
    workspace.catalogue.close()
    for part in (
        "No face was kept yet: icf-filter run",
        "No example: it takes",
        "A mean takes five faces of one album",
        "No face is confirmed yet: icf-annotate export",
        "icf-build-splits",
        "icf bench tables releases/first --out tables",
        "No model was used yet.",
    ):
        assert part in words


def test_a_release_that_was_moved_away_is_shown_from_the_catalogue(
    released: Workspace, tmp_path: Path
) -> None:
    shutil.rmtree(released.root / "releases" / "one")
    words = report(released, tmp_path / "r.html").words
    assert "There are no iCartoonFace files in releases/one" in words
    assert "rank-1" not in words
    assert "voc_all_point" not in words
    assert "16 checks, no leak" in words


def test_the_same_catalogue_gives_the_same_bytes(
    released: Workspace, tmp_path: Path
) -> None:
    report(released, tmp_path / "a.html")
    report(released, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_nobody_audited_the_labels_until_somebody_does(
    released: Workspace, tmp_path: Path
) -> None:
    words = report(released, tmp_path / "r.html").words
    assert "Nobody audited the labels" in words


@pytest.mark.parametrize("wrong", [0, 4])
def test_the_label_error_is_that_of_the_audit_beside_the_estimate(
    released: Workspace, tmp_path: Path, wrong: int
) -> None:
    audited(released, wrong=wrong)
    with released.catalogue.read() as connection:
        found = read_audit(connection)
    assert found is not None
    part = found.parts[0]
    assert found.certified == (not part.errors)
    words = report(released, tmp_path / "r.html").words
    proved = "It proved" if found.certified else "It did not prove"
    assert f"{proved} that at most 10.00% are wrong" in words
    row = f"{part.labels:,} {part.checked:,} {part.errors:,} {100 * part.error:.1f}%"
    assert f"{row} {percent(part.bound)}" in words
    assert "Estimated without an audit" in words


def test_every_face_is_shown_in_its_picture_by_its_box_on_demand(
    released: Workspace, tmp_path: Path
) -> None:
    page = report(released, tmp_path / "r.html")
    whole = [each for each in page.of("img") if each["alt"].endswith("in the picture")]
    assert len(whole) == len([e for e in page.of("details") if e["class"] == "boxed"])
    assert len(whole) > 40


def test_each_plot_is_a_drawing_and_a_table_on_the_page_and_as_files(
    released: Workspace, tmp_path: Path
) -> None:
    write_report(released, tmp_path / "r.html", tmp_path / "plots")
    page = Page.read(tmp_path / "r.html")
    links = {
        each["download"]: each["href"] for each in page.of("a") if "download" in each
    }
    files = {each.name for each in (tmp_path / "plots").iterdir()}
    assert {"samples.csv", "resolution.csv", "measure-size.csv"} <= links.keys()
    assert links.keys() <= files
    assert files == {f"{name[:-4]}{end}" for name in files for end in (".svg", ".csv")}
    for name, link in links.items():
        data = base64.b64decode(link.partition(",")[2])
        assert data == (tmp_path / "plots" / name).read_bytes()
    for name in files:
        if name.endswith(".svg"):
            root = ElementTree.parse(tmp_path / "plots" / name).getroot()
            assert root is not None
            assert root[0].tag.endswith("title")
