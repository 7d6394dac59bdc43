from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import model
from icf.errors import WrongUse
from icf.harvest.sources.base import open_sources
from icf.models.cards import bundled_path, load_card
from icf.workspace import FOLDERS, find
from tests.app.program import call, program, said


def test_a_workspace_has_its_settings_its_catalogue_and_its_folders(
    tmp_path: Path,
) -> None:
    root = tmp_path / "cartoons"
    found = said("init", root)
    assert found == {
        "workspace": str(root),
        "catalogue": f"sqlite:///{root / 'catalogue.sqlite'}",
    }
    assert {each.name for each in root.iterdir()} >= {*FOLDERS, "icf.toml"}
    assert said("-C", root, "status")["models"] == 3


def test_the_cards_of_the_bundled_models_are_entered_once(tmp_path: Path) -> None:
    call("init", tmp_path)
    call("init", tmp_path)
    catalogue = find(tmp_path).catalogue
    with catalogue.read() as connection:
        names = connection.execute(sa.select(model.c.sha256, model.c.task)).all()
    catalogue.close()
    cards = [
        load_card(bundled_path(name).with_suffix(".json"))
        for name in ("detector", "embedder", "photo")
    ]
    assert {tuple(row) for row in names} == {(c.sha256, c.task) for c in cards}


def test_again_it_changes_nothing_that_is_there(tmp_path: Path) -> None:
    call("init", tmp_path)
    (tmp_path / "icf.toml").write_text("[filter]\nmin_face = 80\n")
    (tmp_path / "reports" / "mine.html").write_text("mine")
    call("init", tmp_path)
    assert (tmp_path / "icf.toml").read_text() == "[filter]\nmin_face = 80\n"
    assert (tmp_path / "reports" / "mine.html").read_text() == "mine"


def test_the_first_settings_file_can_be_read(tmp_path: Path) -> None:
    made = workspace.init(tmp_path)
    assert made.settings == find(tmp_path).settings
    assert made.settings.source == ()


def test_it_works_below_another_workspace_and_with_another_named(
    tmp_path: Path,
) -> None:
    call("init", tmp_path / "a")
    found = said("-C", tmp_path / "a", "init", tmp_path / "a" / "b")
    assert found["workspace"] == str(tmp_path / "a" / "b")


def test_the_output_says_what_to_do_next(tmp_path: Path) -> None:
    shown = call("init", tmp_path).stdout
    assert "declare your sources in" in shown
    assert str(tmp_path / "icf.toml") in shown


def test_a_file_in_its_place_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "cartoons").write_text("")
    with pytest.raises(WrongUse, match="is a file; `icf init` needs a folder"):
        call("init", tmp_path / "cartoons")


def test_broken_settings_are_reported_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "icf.toml").write_text("[fliter]\nmin_face = 80\n")
    done = program("icf", "init", ".", folder=tmp_path, code=2)
    assert "unknown setting 'fliter.min_face'" in done.stderr
    assert "'filter.min_face'" in done.stderr
    assert not (tmp_path / "catalogue.sqlite").exists()


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    done = program("icf", "init", "/proc/nowhere/below", folder=tmp_path, code=1)
    assert "/proc/nowhere/below" in done.stderr
    (tmp_path / "file").write_text("")
    done = program("icf", "init", "file/below", folder=tmp_path, code=2)
    assert "file is a file and no folder" in done.stderr


def test_the_contact_that_is_named_goes_into_the_settings(tmp_path: Path) -> None:
    call("init", tmp_path, "--contact", 'me "at" example.org')
    assert find(tmp_path).settings.harvest.contact == 'me "at" example.org'


def test_a_contact_that_cannot_be_sent_is_reported_before_anything_is_made(
    tmp_path: Path,
) -> None:
    with pytest.raises(WrongUse, match="goes into a header"):
        call("init", tmp_path / "a", "--contact", "me\nX-Evil: 1")
    assert not (tmp_path / "a").exists()


def test_every_source_that_the_first_settings_show_can_be_opened(
    tmp_path: Path,
) -> None:
    workspace.init(tmp_path)
    config = tmp_path / "icf.toml"
    shown, *examples = config.read_text().split("# [[source]]")
    lines = "\n".join("[[source]]" + each for each in examples).splitlines()
    config.write_text(shown + "\n".join(line.removeprefix("# ") for line in lines))
    kinds = {table["kind"] for table in find(tmp_path).settings.source}
    opened = open_sources(find(tmp_path).settings, tmp_path)
    assert len(opened) == len(kinds) == 7
