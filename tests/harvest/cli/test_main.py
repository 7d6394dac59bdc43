import json
import logging
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from icf.codes import FetchStatus
from icf.errors import SomeFailed, WrongUse
from icf.harvest.cli.main import cli
from icf.harvest.fates import REMEDIES, RETRYABLE
from icf.settings import HarvestSettings
from icf.workspace import init
from tests.harvest.wire import Site, answer


@pytest.fixture
def root(tmp_path: Path, site: Site) -> Path:
    """A workspace with a list of three URLs: a picture, a dead link, a bad scheme."""
    init(tmp_path)
    (tmp_path / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        '[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    good = site.route("/good.gif", answer(b"GIF89a" + bytes(20)))
    dead = site.route("/dead.gif", answer(b"", "404 Not Found"), answer(b"GIF89a"))
    (tmp_path / "urls.csv").write_text(
        "album,character,url\n"
        f"Moon,Luna,{good}\nMoon,Luna,{dead}\nMoon,Luna,ftp://a.org/1\n"
    )
    return tmp_path


def call(root: Path, *words: str) -> Result:
    """Run a command; its result, or what it raised."""
    logging.getLogger().handlers.clear()
    done = CliRunner().invoke(cli, ["-C", str(root), *words])
    if done.exception is not None:
        raise done.exception
    return done


def said(root: Path, *words: str) -> dict[str, object]:
    found = json.loads(call(root, *words, "--json").stdout)
    assert isinstance(found, dict)
    return found


def test_dead_links_are_no_failure_of_the_run(root: Path) -> None:
    found = said(root, "run")
    assert found["fates"] == {"stored": 1, "bad_scheme": 1, "not_found": 1}
    assert found["faults"] == []


def test_the_summary_says_how_many_failed_and_where_to_see_them(root: Path) -> None:
    text = call(root, "run").stdout
    assert "URLs without a picture: 2 (1 bad_scheme, 1 not_found)" in text
    assert "icf-harvest status --fate" in text


def test_status_counts_urls_by_fate(root: Path) -> None:
    empty = said(root, "status")
    assert (empty["urls"], empty["images"], empty["bytes"]) == ({"total": 0}, 0, 0)
    call(root, "run")
    found = said(root, "status")
    assert found["urls"] == {
        "total": 3,
        "stored": 1,
        "bad_scheme": 1,
        "not_found": 1,
    }
    assert (found["images"], found["bytes"]) == (1, 26)
    assert "the server answered 404" in call(root, "status").stdout


def test_status_lists_the_urls_of_a_fate_and_why(root: Path, site: Site) -> None:
    call(root, "run")
    found = said(root, "status", "--fate", "not_found")["urls"]
    assert isinstance(found, list)
    (row,) = found
    assert row["url"] == site.url("/dead.gif")
    assert (row["http_status"], row["attempts"]) == (404, 1)
    assert "HTTP 404" in row["message"]
    assert "dead.gif" in call(root, "status", "--fate", "not_found").stdout


def test_a_dry_run_counts_and_asks_nothing(root: Path, site: Site) -> None:
    assert said(root, "run", "--dry-run")["urls"] == 0
    assert site.asked == []


def test_retry_makes_the_chosen_fates_pending(root: Path) -> None:
    call(root, "run")
    assert said(root, "retry") == {"urls": 0, "listings": 0, "fates": {}}
    chosen = ("retry", "--fate", "not_found")
    assert said(root, *chosen, "--dry-run")["urls"] == 1
    assert said(root, *chosen)["urls"] == 1
    assert said(root, "run", "--dry-run")["urls"] == 1
    assert said(root, "run")["fates"] == {"stored": 1}


def test_retry_names_the_failures_that_it_leaves_alone(root: Path) -> None:
    call(root, "run")
    left = "not tried again: 1 bad_scheme, 1 not_found."
    assert left in call(root, "retry", "--dry-run").stderr
    assert left not in call(root, "retry", "--fate", "not_found").stderr


def test_advice_to_try_a_fate_again_names_that_fate() -> None:
    advised = {fate: text for fate, text in REMEDIES.items() if "--fate" in text}
    assert FetchStatus.FORBIDDEN_ADDRESS in advised
    for fate, text in advised.items():
        assert f"`icf-harvest retry --fate {fate.value}`" in text
        assert fate in RETRYABLE


def test_rows_that_cannot_be_read_end_in_exit_code_three(root: Path) -> None:
    path = root / "urls.csv"
    path.write_text(path.read_text() + "Moon,Luna\n")
    with pytest.raises(SomeFailed, match="line 5: bad_row") as caught:
        call(root, "run")
    assert caught.value.exit_code == 3
    # The others were taken, and the status still knows of it.
    counts = said(root, "status")["urls"]
    assert counts == {"total": 3, "stored": 1, "bad_scheme": 1, "not_found": 1}
    assert "line 5: bad_row" in call(root, "status").stderr


@pytest.mark.slow
def test_a_listing_that_fails_ends_in_exit_code_three_and_can_be_retried(
    tmp_path: Path, site: Site
) -> None:
    init(tmp_path)
    api = site.route("/api.php", answer(b"", "404 Not Found"))
    (tmp_path / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\n'
        f'[[source]]\nname = "wiki"\nkind = "mediawiki"\napi = "{api}"\n'
        'albums = { category = "Series" }\ncharacters = { category = "{album}" }\n'
    )
    with pytest.raises(SomeFailed, match="1 listings failed"):
        call(tmp_path, "run")
    assert "where an api.php should be" in call(tmp_path, "status").stderr
    assert said(tmp_path, "run")["failed_listings"] == 0
    assert said(tmp_path, "retry")["listings"] == 1
    with pytest.raises(SomeFailed):
        call(tmp_path, "run")


def test_outside_of_a_workspace_it_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="icf init"):
        call(tmp_path, "status")


@pytest.mark.parametrize("name", ["run", "status", "retry"])
def test_every_command_has_help_that_ends_with_an_example(
    root: Path, name: str
) -> None:
    text = " ".join(call(root, name, "--help").stdout.split())
    assert f"Example: icf-harvest {name}" in text


def test_what_is_too_large_names_the_setting_of_each_cap() -> None:
    advice = REMEDIES[FetchStatus.TOO_LARGE]
    caps = {name for name in HarvestSettings.model_fields if name.startswith("max_")}
    assert caps == set(re.findall(r"harvest\.(max_\w+)", advice))
