"""A workspace is found, made, and made again without harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import run
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import CONFIG, FOLDERS, find, init


def test_it_is_found_from_any_folder_below(tmp_path: Path) -> None:
    init(tmp_path)
    deep = tmp_path / "pictures" / "album"
    deep.mkdir(parents=True)
    assert find(deep).root == find(tmp_path).root == tmp_path.resolve()


def test_outside_of_one_the_way_to_make_one_is_reported(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="icf init DIR"):
        find(tmp_path)


def test_making_it_again_changes_nothing_that_is_there(tmp_path: Path) -> None:
    made = init(tmp_path / "new" / "place")
    assert {each.name for each in made.root.iterdir() if each.is_dir()} == set(FOLDERS)
    run_id = made.begin_run("icf-harvest run")
    (made.root / CONFIG).write_text("[filter]\nmin_face = 80\n")
    again = init(made.root)
    assert again.settings.filter.min_face == 80
    with again.catalogue.read() as connection:
        assert connection.execute(sa.select(run.c.id)).scalars().all() == [run_id]


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_a_file_cannot_become_one(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUse, match="file is a file"):
        init(tmp_path / place)


@pytest.mark.parametrize("flag", ["filter.no_such=1", "catalogue.url=no url"])
def test_a_wrong_setting_makes_nothing(tmp_path: Path, flag: str) -> None:
    with pytest.raises(WrongUse):
        init(tmp_path / "new", (flag,))
    (tmp_path / CONFIG).write_text("")
    with pytest.raises(WrongUse):
        init(tmp_path, (flag,))
    assert [each.name for each in tmp_path.iterdir()] == [CONFIG]


@pytest.mark.parametrize("revision", ["9999", "a1b2c3", "0004b"])
def test_a_catalogue_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, revision: str
) -> None:
    made = init(tmp_path)
    with made.catalogue.write() as connection:
        change = "UPDATE alembic_version SET version_num = :revision"
        connection.execute(sa.text(change), {"revision": revision})
    message = rf"revision {revision}.*a newer version of icf wrote it. Use that version"
    for opened in (lambda: find(tmp_path).catalogue, lambda: init(tmp_path)):
        with pytest.raises(WrongUse, match=message) as refused:
            opened()
        assert "icf init" not in str(refused.value)


def test_an_empty_catalogue_sends_to_init_only_where_nothing_was_stored(
    tmp_path: Path,
) -> None:
    made = init(tmp_path)
    made.catalogue.close()
    (tmp_path / "catalogue.sqlite").write_bytes(b"")
    with pytest.raises(WrongUse, match="icf init"):
        _ = find(tmp_path).catalogue
    made.blobs.put(b"ink")
    for opened in (lambda: find(tmp_path).catalogue, lambda: init(tmp_path)):
        with pytest.raises(BrokenMachine, match=r"it was lost\. Put a backup") as lost:
            opened()
        assert "icf init" not in str(lost.value)


def test_another_catalogue_that_was_never_used_is_not_taken_for_ours(
    tmp_path: Path,
) -> None:
    made, other = init(tmp_path / "made"), init(tmp_path / "other")
    made.begin_run("icf-harvest run")
    made.blobs.put(b"ink")
    find(made.root).catalogue.close()
    wrong = (f"catalogue.url={other.catalogue_url}",)
    for opened in (find, init):
        with pytest.raises(BrokenMachine, match=r"was lost\. Put.*, or name the right"):
            _ = opened(made.root, wrong).catalogue
    other.begin_run("icf-harvest run")
    find(made.root, wrong).catalogue.close()


def test_a_database_without_tables_is_said_to_have_none(tmp_path: Path) -> None:
    made = init(tmp_path)
    with pytest.raises(WrongUse, match=r"new\.sqlite has no tables.* `icf init "):
        _ = find(made.root, ("catalogue.url=sqlite:///new.sqlite",)).catalogue


@pytest.mark.parametrize("name", ["why?one", "p%41 q", "100%", "a::b", "x@y:z#1", "ä"])
def test_a_folder_of_any_name_holds_all_of_it(tmp_path: Path, name: str) -> None:
    made = init(tmp_path / name)
    made.begin_run("icf-harvest run")
    made.catalogue.close()
    picture = made.blobs.put(b"ink")
    assert made.blobs.path(picture).is_relative_to(tmp_path / name / "blobs")
    assert (tmp_path / name / "catalogue.sqlite").is_file()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_run_keeps_the_settings_it_was_made_with(tmp_path: Path) -> None:
    init(tmp_path)
    made = find(tmp_path, ("filter.min_face=64",))
    run_id = made.begin_run("icf-filter run")
    with made.catalogue.read() as connection:
        row = connection.execute(sa.select(run)).one()
    assert (row.id, row.command, row.finished_at) == (run_id, "icf-filter run", None)
    assert json.loads(row.settings)["filter"]["min_face"] == 64
    made.end_run(run_id)
    with made.catalogue.read() as connection:
        row = connection.execute(sa.select(run)).one()
    assert row.finished_at >= row.started_at


def test_a_path_that_is_not_utf_8_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "w\udcff"
    with pytest.raises(WrongUse, match="is not UTF-8"):
        init(folder)
    assert not folder.exists()
    folder.mkdir()
    (folder / CONFIG).write_text("")
    with pytest.raises(WrongUse, match="is not UTF-8"):
        find(folder)


def test_stores_can_be_elsewhere(tmp_path: Path) -> None:
    init(tmp_path / "w")
    made = find(tmp_path / "w", (f"blobs.url={tmp_path / 'elsewhere'}",))
    name = made.blobs.put(b"ink")
    assert made.blobs.path(name).is_relative_to(tmp_path / "elsewhere")


def test_a_relative_place_starts_from_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ("blobs.url=kept", "catalogue.url=sqlite:///kept.sqlite")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    made = init(tmp_path / "w", flags)
    name = made.blobs.put(b"ink")
    assert made.blobs.path(name).is_relative_to(tmp_path / "w" / "kept")
    run_id = made.begin_run("icf-filter run")
    made.catalogue.close()
    assert (tmp_path / "w" / "kept.sqlite").is_file()
    monkeypatch.chdir(tmp_path / "w")
    again = find(tmp_path / "w", flags)
    assert again.blobs.get(name) == b"ink"
    assert again.begin_run("icf-filter run") == run_id + 1
    again.catalogue.close()
    assert not any((tmp_path / "elsewhere").iterdir())
