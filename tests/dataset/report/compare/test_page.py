from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.cli.report import cli
from icf.dataset.report.compare.page import compare
from icf.errors import BadInput, IcfError, WrongUse
from icf.workspace import find
from tests.app.program import invoke
from tests.dataset.drawn import cut_rows
from tests.dataset.page import Page


def page(first: Path, second: Path, target: Path) -> Page:
    found = compare(first, second, target)
    assert found["bytes"] == target.stat().st_size
    return Page.read(target)


def test_two_releases_are_shown_by_counts_moves_scores_and_settings(
    two_releases: Path, tmp_path: Path
) -> None:
    releases = two_releases / "releases"
    made = page(releases / "seed-1", releases / "seed-2", tmp_path / "c.html")
    assert "Moved between parts" in made.words
    assert "must not be scored on the other" in made.words
    assert "seed 1 2" in made.words
    assert "not a fair test" in made.words
    assert not made.of("script")
    targets = {each["id"] for _, each in made.tags if "id" in each}
    links = {each["href"] for each in made.of("a") if "download" not in each}
    assert {each[1:] for each in links} <= targets
    again = compare(releases / "seed-1", releases / "seed-2", tmp_path / "d.html")
    assert (tmp_path / "c.html").read_bytes() == (tmp_path / "d.html").read_bytes()
    assert again["moved"]["faces"]["moved"] > 0


def test_a_release_and_itself_differ_in_nothing(
    two_releases: Path, tmp_path: Path
) -> None:
    one = two_releases / "releases" / "seed-1"
    found = compare(one, one, tmp_path / "c.html")
    assert found["changed_counts"] == found["changed_settings"] == 0
    words = Page.read(tmp_path / "c.html").words
    assert "All counts are the same." in words
    assert "All settings are the same." in words


def test_two_workspaces_are_compared_with_their_newest_releases(
    two_releases: Path, tmp_path: Path
) -> None:
    other = tmp_path / "<script>other"
    shutil.copytree(two_releases, other)
    (other / "icf.toml").write_text("[filter]\nmin_face = 33\n")
    workspace = find(other)
    with workspace.catalogue.write() as connection:
        face = schema.face
        connection.execute(
            sa.update(face)
            .where(face.c.reason == "blurred")
            .values(verdict="kept", reason="ok")
        )
    workspace.catalogue.close()
    made = page(two_releases, other, tmp_path / "c.html")
    assert "faces dropped: blurred 1 0 -1" in made.words
    assert "filter.min_face" in made.words
    assert "Their newest releases" in made.words
    assert "Distributions of their releases" in made.words
    assert "Settings and models of their releases" in made.words
    assert "<script>other" in made.text
    assert not made.of("script")


def test_a_release_of_an_earlier_version_is_compared_by_its_lists(
    two_releases: Path, tmp_path: Path
) -> None:
    new = two_releases / "releases" / "seed-1"
    old = tmp_path / "old"
    shutil.copytree(new, old)
    cut_rows(old / "contents.csv", 1)
    with pytest.raises(BadInput, match=r"old has changed its contents\.csv: restore"):
        compare(old, new, tmp_path / "c.html")
    (old / "contents.csv").unlink()
    with pytest.raises(BadInput, match=r"old has lost its contents\.csv: restore it"):
        compare(old, new, tmp_path / "c.html")
    (old / "SHA256SUMS").unlink()
    found = compare(old, new, tmp_path / "c.html")
    assert found["without_contents"] == ["old"]
    other = two_releases / "releases" / "seed-2"
    known = compare(new, other, tmp_path / "d.html")
    again = compare(old, other, tmp_path / "e.html")
    assert known["without_contents"] == []
    for what in ("faces", "pictures"):
        assert found["moved"][what]["moved"] == 0
        shared = known["moved"][what]["shared"]
        assert again["moved"][what]["shared"] >= 0.95 * shared > 0
        assert again["moved"][what]["moved"] > 0
    words = Page.read(tmp_path / "e.html").words
    assert "An earlier version wrote old, without a list of contents" in words
    assert "Percent of pairs within a rank" in words


def without_lists(release: Path) -> None:
    """As an earlier version wrote another format."""
    (release / "contents.csv").unlink()
    (release / "SHA256SUMS").unlink()
    summary = json.loads((release / "release.json").read_text())
    summary["formats"] = {"coco": "."}
    (release / "release.json").write_text(json.dumps(summary))


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda one: (one / "release.json").unlink(), WrongUse, "neither a release"),
        (without_lists, WrongUse, "earlier version"),
        (lambda one: (one / "release.json").write_text("{"), BadInput, "whole release"),
        (
            lambda one: (one / "release.json").write_text("{}"),
            BadInput,
            "whole release",
        ),
    ],
)
def test_what_is_no_release_is_refused_by_name(
    two_releases: Path,
    tmp_path: Path,
    spoil: object,
    error: type[IcfError],
    words: str,
) -> None:
    shutil.copytree(two_releases / "releases" / "seed-1", tmp_path / "one")
    assert callable(spoil)
    spoil(tmp_path / "one")
    with pytest.raises(error, match=words):
        compare(tmp_path / "one", two_releases / "releases" / "seed-2", tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_release_and_a_workspace_are_not_of_one_kind(
    two_releases: Path, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match="of one kind"):
        compare(two_releases / "releases" / "seed-1", two_releases, tmp_path / "c")


def test_the_summary_may_name_models_and_settings_that_the_other_has_not(
    two_releases: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one"
    shutil.copytree(two_releases / "releases" / "seed-1", one)
    summary = json.loads((one / "release.json").read_text())
    summary["models"]["detectors"].append({"name": "<b>new", "sha256": "f" * 64})
    summary["settings"]["dataset"]["novel"] = [1, 2]
    (one / "release.json").write_text(json.dumps(summary))
    made = page(two_releases / "releases" / "seed-1", one, tmp_path / "c.html")
    assert "detector 2 · <b>new ffffffffffff" in made.words
    assert "dataset.novel · 1, 2" in made.words


def test_the_usage_names_no_file_before_the_command() -> None:
    shown = invoke(cli, "compare", "--help").stdout
    assert shown.startswith("Usage: icf-report compare [OPTIONS] A B OUT.html\n")
    assert "OUT.html | compare A B OUT.html" in invoke(cli, "--help").stdout
