"""The levels of the hierarchy, one command each, on a source with all three."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.catalogue.schema import album, discovery, url
from icf.errors import WrongUse
from icf.harvest.cli.main import cli
from icf.workspace import find, init
from tests.harvest.rows import all_of, fates, file_under, put_urls
from tests.harvest.wire import Site, answer


@pytest.fixture
def root(tmp_path: Path, site: Site) -> Path:
    """A workspace whose list has a picture of Luna and one of Sol."""
    init(tmp_path)
    (tmp_path / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        '[[source]]\nname = "mine"\nkind = "list"\npath = "mine.csv"\n'
        '[[source]]\nname = "other"\nkind = "list"\npath = "other.csv"\n'
    )
    luna = site.route("/luna.gif", answer(b"GIF89a" + bytes(20)))
    sol = site.route("/sol.gif", answer(b"GIF89a" + bytes(21)))
    head = "album,character,url\n"
    (tmp_path / "mine.csv").write_text(f"{head}Moon,Luna,{luna}\n")
    (tmp_path / "other.csv").write_text(f"{head}Sun,Sol,{sol}\n")
    return tmp_path


def said(root: Path, *words: str) -> dict[str, object]:
    done = CliRunner().invoke(cli, ["-C", str(root), *words, "--json"])
    if done.exception is not None:
        raise done.exception
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def listings(root: Path) -> dict[str, str]:
    return {
        row["subject"].partition(" ")[0]: row["status"]
        for row in all_of(find(root).catalogue, discovery)
    }


def add_listing(root: Path, level: str, **columns: object) -> None:
    with find(root).catalogue.write() as connection:
        connection.execute(
            sa.insert(discovery).values(
                source="mine",
                task=level,
                subject=f"{level}.csv x",
                level=level,
                status="pending",
                attempts=0,
                changed_at=0.0,
                **columns,
            )
        )


def test_a_level_asks_for_the_listings_of_its_own_only(root: Path) -> None:
    assert said(root, "albums")["albums"] == 0
    assert said(root, "characters")["answers"] == 0
    assert listings(root) == {"mine.csv": "pending", "other.csv": "pending"}
    assert said(root, "images")["fates"] == {"stored": 2}
    assert listings(root) == {"mine.csv": "done", "other.csv": "done"}


def test_a_level_can_be_for_one_source(root: Path) -> None:
    assert said(root, "images", "--source", "other")["fates"] == {"stored": 1}
    assert listings(root) == {"other.csv": "done"}
    assert said(root, "run", "--source", "mine", "--dry-run") == {
        "sources": 1,
        "listings": 1,
        "urls": 0,
    }


def test_urls_of_another_source_wait(root: Path) -> None:
    catalogue = find(root).catalogue
    put_urls(catalogue, "http://127.0.0.1:1/x.gif", source="elsewhere")
    said(root, "run", "--source", "mine")
    assert fates(catalogue) == {"x.gif": "pending", "luna.gif": "stored"}


def test_images_of_one_album_are_fetched_and_the_others_wait(
    root: Path, site: Site
) -> None:
    catalogue = find(root).catalogue
    put_urls(catalogue, site.url("/luna.gif"), site.url("/sol.gif"), source="mine")
    file_under(catalogue, site.url("/luna.gif"), "Luna")
    assert said(root, "images", "--album", "Moon")["fates"] == {"stored": 1}
    assert fates(catalogue) == {"luna.gif": "stored", "sol.gif": "pending"}
    # The lists belong to no album, so they were not asked for.
    assert set(listings(root).values()) == {"pending"}


def test_an_album_that_nobody_knows_is_wrong_use(root: Path) -> None:
    said(root, "run")
    with pytest.raises(WrongUse, match="did you mean 'Moon'"):
        said(root, "images", "--album", "Mon")


def test_a_source_that_nobody_declared_is_wrong_use(root: Path) -> None:
    with pytest.raises(WrongUse, match="did you mean 'mine'"):
        said(root, "albums", "--source", "mime")


def test_a_dry_run_counts_what_its_level_would_ask_for(root: Path) -> None:
    add_listing(root, "albums")
    assert said(root, "albums", "--dry-run")["listings"] == 1
    assert said(root, "characters", "--dry-run")["listings"] == 0
    assert said(root, "images", "--dry-run")["listings"] == 2
    assert said(root, "run", "--dry-run")["listings"] == 3


def test_albums_are_shown_with_what_is_known_below_them(root: Path) -> None:
    said(root, "run")
    with find(root).catalogue.write() as connection:
        connection.execute(
            sa.update(album)
            .where(album.c.name == "Sun")
            .values(rank=3, region="japan", style="flat", page_url="http://w/Sun")
        )
    shown = said(root, "albums", "--show", "--limit", "1")
    assert shown == {
        "total": 2,
        "albums": [
            {
                "name": "Sun",
                "region": "japan",
                "style": "flat",
                "rank": 3,
                "source": "other",
                "page_url": "http://w/Sun",
                "characters": 1,
                "pictures": {"stored": 1, "pending": 0, "failed": 0},
            }
        ],
    }


@pytest.mark.slow
def test_characters_are_shown_with_the_fates_of_their_pictures(root: Path) -> None:
    said(root, "run")
    shown = said(root, "characters", "--show", "--album", "Moon")
    assert shown["characters"] == [
        {
            "album": "Moon",
            "name": "Luna",
            "gender": None,
            "source": "mine",
            "page_url": None,
            "fates": {"stored": 1},
            "reference": None,
        }
    ]


def test_images_are_counted_by_character_and_those_of_nobody_apart(
    root: Path,
) -> None:
    said(root, "run", "--source", "mine")
    said(root, "run")
    catalogue = find(root).catalogue
    put_urls(catalogue, "http://a.org/nobody.gif")
    with catalogue.write() as connection:
        luna = url.c.url.endswith("luna.gif")
        connection.execute(sa.update(url).where(luna).values(fate="gone"))
    shown = said(root, "images", "--show")
    assert shown["of_nobody"] == 1
    assert shown["images"] == [
        {
            "album": "Moon",
            "character": "Luna",
            "pictures": {"stored": 0, "pending": 0, "failed": 1},
            "images": 1,
        },
        {
            "album": "Sun",
            "character": "Sol",
            "pictures": {"stored": 1, "pending": 0, "failed": 0},
            "images": 1,
        },
    ]


@pytest.mark.parametrize("level", ["albums", "characters", "images"])
def test_what_is_known_is_a_table_for_people(root: Path, level: str) -> None:
    said(root, "run", "--source", "mine")
    said(root, "run")
    done = CliRunner().invoke(cli, ["-C", str(root), level, "--show", "--limit", "1"])
    assert "Moon" in done.stdout
    assert "and 1 more" in done.stderr
