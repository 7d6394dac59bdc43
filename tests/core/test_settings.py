import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import run
from icf.errors import WrongUse
from icf.settings import Settings, load
from icf.workspace import find, init


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "icf.toml"
    path.write_text(text)
    return path


def test_without_anything_set_the_defaults_apply() -> None:
    loaded = load(None, {})
    assert loaded.settings == Settings()
    assert {each.origin for each in loaded.explain()} == {"default"}


def test_flags_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "[filter]\nmin_face = 1\nmin_sharpness = 1\nbatch = 1\n")
    variables = {"ICF_FILTER_MIN_FACE": "2", "ICF_FILTER_MIN_SHARPNESS": "2"}
    loaded = load(path, variables, ["filter.min_face=3"])
    chosen = loaded.settings.filter
    assert (chosen.min_face, chosen.min_sharpness, chosen.batch) == (3, 2.0, 1)
    origins = {each.key: each.origin for each in loaded.explain()}
    assert origins["filter.min_face"] == "--set filter.min_face=3"
    assert origins["filter.min_sharpness"] == "ICF_FILTER_MIN_SHARPNESS"
    assert origins["filter.batch"] == str(path)
    assert origins["filter.workers"] == "default"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["filter.min_side=15"], "filter.min_side = '15'.*16"),
        (["dataset.max_probes=4"], "dataset.max_probes = '4'.*min_faces, 5"),
        (["dataset.unseen_probe_share=0.9"], "1.34509 together.*at most 1"),
        (["dataset.distractor_share=0.9"], "1.14059 together.*at most 1"),
    ],
)
def test_a_value_that_could_have_no_effect_is_refused(
    flags: list[str], said: str
) -> None:
    with pytest.raises(WrongUse, match=said) as caught:
        load(None, {}, flags)
    assert "Value error" not in str(caught.value)


def test_more_faces_than_the_default_limit_of_probes_are_a_wish_that_is_met() -> None:
    assert load(None, {}, ["dataset.min_faces=20"]).settings.dataset.min_faces == 20


@pytest.mark.parametrize(
    ("toml", "variables", "flags", "nearest"),
    [
        ("[filter]\nmin_fase = 1", {}, [], "filter.min_face"),
        ("[fliter]\nmin_face = 1", {}, [], "filter.min_face"),
        ("sauce = 3", {}, [], "source"),
        ("", {"ICF_FILTER_MINFACE": "1"}, [], "ICF_FILTER_MIN_FACE"),
        ("", {}, ["filter.min_shapness=1"], "filter.min_sharpness"),
        ("", {}, ["FILTER.MIN_FACE=1"], "filter.min_face"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(
    tmp_path: Path,
    toml: str,
    variables: dict[str, str],
    flags: list[str],
    nearest: str,
) -> None:
    with pytest.raises(WrongUse, match=rf"unknown .*{nearest}"):
        load(write(tmp_path, toml), variables, flags)


@pytest.mark.parametrize(
    "text", ["[filter]\nmin_face = 'big'", "[filter]\nmin_face = 0"]
)
def test_a_value_that_cannot_be_is_refused_with_its_origin(
    tmp_path: Path, text: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(WrongUse, match=r"filter\.min_face = .*icf\.toml"):
        load(path, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[filter]\nmin_face = true", "filter.min_face = True .*a number"),
        ("[filter]\nmax_photo = false", "filter.max_photo = False .*a number"),
        ("[harvest]\nconcurrency = '8'", "harvest.concurrency = '8' .*a number"),
        ("[harvest]\nrespect_robots = 'off'", "respect_robots = 'off' .*true or false"),
        ("[harvest]\nwarc = 1", "harvest.warc = 1 .*true or false"),
        ("[harvest]\ndeadline = inf", "harvest.deadline = inf .*finite"),
        ("source = [1]", r"icf\.toml: write each source"),
        ("[[source]]\nfilter.min_face = 8", r"filter\.min_face is below .* \[filter\]"),
        ("x = " + "[" * 3000, "cannot read the settings in .*icf.toml"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_origin(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(WrongUse, match=said) as refused:
        load(write(tmp_path, text), {})
    assert "icf.toml" in str(refused.value)


def test_whole_numbers_of_either_type_and_a_byte_order_mark_are_taken(
    tmp_path: Path,
) -> None:
    text = "\ufeff[filter]\nmin_sharpness = 3\nbatch = 64.0\n[harvest]\nwarc = true\n"
    path = tmp_path / "icf.toml"
    path.write_text(text, encoding="utf-8")
    found = load(path, {}).settings
    assert (found.filter.min_sharpness, found.filter.batch) == (3.0, 64)
    assert found.harvest.warc


@pytest.mark.parametrize("flag", ["harvest.deadline=inf", "filter.max_photo=nan"])
def test_numbers_without_an_end_are_refused(flag: str) -> None:
    with pytest.raises(WrongUse, match="finite"):
        load(None, {}, [flag])


def test_toml_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"icf\.toml.*line 1"):
        load(write(tmp_path, "[filter\n"), {})


def test_variables_that_are_no_settings_are_somebody_elses() -> None:
    others = {"ICF_VENV": "/v", "ICF_SRC": "/s", "ICF_SHARED_DRIVE": "x"}
    assert load(None, environment=others).settings == Settings()
    for name in ("ICF_FILTER_X", "ICF_FILTR_MIN_FACE", "ICF_FILTER_MINFACE"):
        with pytest.raises(WrongUse, match=f"unknown variable {name}"):
            load(None, environment={name: "1"})


def test_lists_are_written_with_commas_outside_of_toml() -> None:
    variables = {"ICF_HARVEST_ALLOW_HOSTS": "a.example, 127.0.0.1:8931"}
    settings = load(None, variables).settings
    assert settings.harvest.allow_hosts == ("a.example", "127.0.0.1:8931")
    settings = load(None, {}, flags=["harvest.allow_hosts=[::1]:80"]).settings
    assert settings.harvest.allow_hosts == ("[::1]:80",)
    with pytest.raises(WrongUse, match=r"write a list outside of icf\.toml as a,b"):
        load(None, {}, flags=['harvest.allow_hosts=["a", "b"]'])


def test_sources_are_kept_as_they_are_written(tmp_path: Path) -> None:
    path = write(tmp_path, '[[source]]\nname = "a"\nkind = "folder"\npath = "x"\n')
    source = load(path, {}).settings.source
    assert source == ({"name": "a", "kind": "folder", "path": "x"},)


SECRET = "postgresql://icf:m%40on@127.0.0.1/icf?sslpassword=m%40on2"


def test_passwords_are_not_shown() -> None:
    flag = f"catalogue.url={SECRET}"
    loaded = load(None, environment={}, flags=[flag])
    assert loaded.settings.catalogue.url == SECRET
    (shown,) = [each for each in loaded.explain() if each.key == "catalogue.url"]
    assert shown.value == "postgresql://icf:***@127.0.0.1/icf?sslpassword=***"
    assert "m%40on" not in f"{shown}"


def test_passwords_are_not_stored(tmp_path: Path) -> None:
    init(tmp_path)
    with (tmp_path / "icf.toml").open("a") as file:
        file.write(
            '[[source]]\nname = "g"\nkind = "gallery-dl"\n'
            'proxy = "http://me:moon@127.0.0.1:1"\n'
            'options = {username = "me", password = "moon", api-key = "moon"}\n'
        )
    made = find(tmp_path)
    made.begin_run("test")
    with made.catalogue.read() as connection:
        (stored,) = connection.execute(sa.select(run.c.settings)).scalars()
    assert "moon" not in stored
    assert json.loads(stored)["source"][0]["options"] == {
        "username": "me",
        "password": "***",
        "api-key": "***",
    }


@pytest.mark.parametrize("url", [SECRET.replace("postgresql", "mysql"), f" {SECRET}"])
def test_passwords_are_not_in_errors(url: str) -> None:
    with pytest.raises(WrongUse) as caught:
        Catalogue(url)
    assert "m%40on" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("harvest.concurrency", "1000000000"),
        ("harvest.per_host", "1000000000"),
        ("harvest.deadline", "1e9"),
        ("harvest.backoff", "1e308"),
        ("harvest.retry_after_cap", "1e308"),
        ("harvest.lease", "1e308"),
        ("harvest.max_bytes", "9223372036854775808"),
        ("filter.deadline", "1e9"),
        ("filter.workers", "1000000000"),
        ("filter.crop_rate", "1e308"),
        ("filter.batch", "9223372036854775808"),
        ("annotate.lease_minutes", "1e308"),
        ("annotate.votes", "9223372036854775808"),
        ("dataset.probes", "9223372036854775808"),
        ("round.seed", "9223372036854775808"),
    ],
)
def test_numbers_that_no_machine_can_use_are_refused(
    tmp_path: Path, key: str, value: str
) -> None:
    section, _, name = key.partition(".")
    path = tmp_path / "icf.toml"
    path.write_text(f"[{section}]\n{name} = {value}\n")
    with pytest.raises(WrongUse, match=rf"^{key} = .*icf\.toml\): .*(less|greater|64)"):
        load(path, {})


def test_a_text_in_place_of_a_list_is_refused_in_words_of_toml(tmp_path: Path) -> None:
    path = tmp_path / "icf.toml"
    path.write_text('[harvest]\nallow_hosts = "nas.lan"\n')
    with pytest.raises(WrongUse, match=r"'nas.lan' \(.*\): .* a list, in brackets"):
        load(path, {})


@pytest.mark.parametrize("key", ["harvest.allow_hosts", "harvest.only_licence"])
def test_a_list_has_no_empty_text(tmp_path: Path, key: str) -> None:
    section, _, name = key.partition(".")
    path = tmp_path / "icf.toml"
    path.write_text(f'[{section}]\n{name} = ["a", " "]\n')
    with pytest.raises(WrongUse, match=rf"^{key}.* is empty"):
        load(path, {})
