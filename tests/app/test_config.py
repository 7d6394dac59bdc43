from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import WrongUse
from icf.settings import Settings
from icf.workspace import init
from tests.app.program import call, program, said


@pytest.fixture
def space(tmp_path: Path) -> Path:
    root = tmp_path / "space"
    init(root)
    return root


def test_each_value_says_where_it_came_from(
    space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = space / "icf.toml"
    toml.write_text("[filter]\nmin_face = 90\nmin_score = 0.4\nbatch = 8\n")
    monkeypatch.setenv("ICF_FILTER_MIN_SCORE", "0.3")
    monkeypatch.setenv("ICF_FILTER_BATCH", "7")
    found = said("-C", space, "config", "show", "--set", "filter.batch=6")
    shown = {name: (each["value"], each["from"]) for name, each in found.items()}
    assert shown["filter.min_face"] == (90, str(toml))
    assert shown["filter.min_score"] == (0.3, "ICF_FILTER_MIN_SCORE")
    assert shown["filter.batch"] == (6, "--set filter.batch=6")
    assert shown["filter.min_sharpness"] == (100.0, "default")


def test_every_setting_is_shown_with_what_it_is(space: Path) -> None:
    found = said("-C", space, "config", "show")
    sections = Settings().model_dump()
    del sections["source"]
    names = [f"{section}.{key}" for section in sections for key in sections[section]]
    assert list(found) == names
    assert all(each["help"] for each in found.values())


def test_the_table_for_people_names_value_and_origin(space: Path) -> None:
    lines = call("-C", space, "config", "show", "--set", "filter.min_face=80").stdout
    [line] = [each for each in lines.splitlines() if "filter.min_face " in each]
    assert "80" in line
    assert "--set" in line


def test_outside_a_workspace_it_shows_what_a_new_one_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = said("config", "show", "--set", "filter.min_face=80")
    assert found["filter.min_face"]["value"] == 80
    assert found["filter.batch"]["from"] == "default"


def test_a_broken_file_is_reported_and_never_passed_over(space: Path) -> None:
    (space / "icf.toml").write_text("[filter\n")
    with pytest.raises(WrongUse, match=r"cannot read the settings in .*icf\.toml"):
        call("-C", space, "config", "show")


def test_an_unknown_setting_names_the_nearest_known_one(space: Path) -> None:
    done = program(
        "icf", "config", "show", "--set", "filter.min_fase=80", folder=space, code=2
    )
    assert done.stdout == ""
    assert done.stderr == (
        "error: unknown setting 'filter.min_fase' in --set; "
        "the nearest known one is 'filter.min_face'\n"
    )


def test_an_unknown_variable_names_the_nearest_known_one(space: Path) -> None:
    done = program(
        "icf", "config", "show", folder=space, code=2, ICF_FILTER_MINFACE="80"
    )
    assert done.stderr == (
        "error: unknown variable ICF_FILTER_MINFACE; "
        "the nearest setting is ICF_FILTER_MIN_FACE\n"
    )


def test_a_value_out_of_range_says_what_was_given_and_where(space: Path) -> None:
    with pytest.raises(WrongUse, match=r"filter\.min_score = '2' \(--set .*less than"):
        call("-C", space, "config", "show", "--set", "filter.min_score=2")
