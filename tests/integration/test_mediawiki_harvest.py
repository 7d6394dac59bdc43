"""The harvest against a real MediaWiki and its real ``api.php``."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import album, candidate, character, image, image_source, url
from icf.codes import FetchStatus
from icf.workspace import Workspace, find, init
from tests.app.forked import Forked
from tests.app.program import within
from tests.integration.mediawiki import MediaWiki

CONFIG = """
[harvest]
contact = "me@example.org"
allow_hosts = ["{host}"]

[[source]]
name = "toon-wiki"
kind = "mediawiki"
api = "{api}"
albums = {{ category = "Animated series" }}
characters = {{ category = "{{album}} characters" }}
"""


@pytest.fixture(scope="module")
def harvested(
    wiki: MediaWiki, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    workspace = make_workspace(wiki, tmp_path_factory.mktemp("workspace"))
    process = start(workspace.root, "run")
    _, said = process.communicate()
    assert process.returncode == 0, said
    yield workspace
    workspace.catalogue.close()


def make_workspace(wiki: MediaWiki, root: Path) -> Workspace:
    """A workspace whose one source is the wiki."""
    init(root)
    (root / "icf.toml").write_text(CONFIG.format(host=wiki.host, api=wiki.api))
    return find(root)


def start(root: Path, *words: str) -> Forked:
    """Start `icf-harvest` in a workspace."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ICF_")}
    return Forked("icf-harvest", *words, folder=root, environment=environment)


def harvest(root: Path, *words: str) -> str:
    """Run the same command within this process; return what it prints."""
    return within("icf-harvest", *words, folder=root).stdout


def test_every_album_and_character_is_found(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = sa.select(album.c.name, character.c.name).join(
        character, character.c.album_id == album.c.id
    )
    with harvested.catalogue.read() as connection:
        found = {(row[0], row[1]) for row in connection.execute(query)}
    assert found == {
        (name, hero)
        for name, heroes in wiki.pages.characters.items()
        for hero in heroes
    }


def test_every_file_is_stored_with_the_hash_the_wiki_promised(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = sa.select(url.c.url, url.c.expected_sha1, image.c.sha256).join(
        image, image.c.id == url.c.image_id
    )
    with harvested.catalogue.read() as connection:
        rows = connection.execute(query).all()
    assert len(rows) == len(wiki.pages.licences)
    for _, promised, sha256 in rows:
        data = harvested.blobs.get(sha256)
        assert hashlib.sha1(data).hexdigest() == promised


def test_every_picture_is_filed_under_its_character(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = (
        sa.select(character.c.name, sa.func.count())
        .join(candidate, candidate.c.character_id == character.c.id)
        .group_by(character.c.name)
    )
    with harvested.catalogue.read() as connection:
        counts = {name: count for name, count in connection.execute(query)}
    assert counts == {name: len(files) for name, files in wiki.pages.files.items()}


def test_every_licence_is_recorded_with_where_it_was_read(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = sa.select(
        image_source.c.url,
        image_source.c.licence,
        image_source.c.licence_from,
        image_source.c.author,
    )
    with harvested.catalogue.read() as connection:
        by_name = {
            unquote(Path(row.url).name): row for row in connection.execute(query)
        }
    stated = {name: text for name, text in wiki.pages.licences.items() if text}
    assert stated
    for name, licence in stated.items():
        row = by_name[name]
        assert (row.licence, row.licence_from) == (licence, "extmetadata")
        assert row.author == "Jane Doe"
    unstated = set(wiki.pages.licences) - set(stated)
    assert {by_name[name].licence for name in unstated} == {"unknown"}


def test_files_that_were_never_uploaded_are_reported(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = sa.select(url.c.fate, sa.func.count()).group_by(url.c.fate)
    with harvested.catalogue.read() as connection:
        fates = {fate: count for fate, count in connection.execute(query)}
    assert fates == {
        FetchStatus.STORED.value: len(wiki.pages.licences),
        FetchStatus.MISSING_FILE.value: len(wiki.pages.missing),
    }


def test_a_second_run_asks_and_fetches_nothing(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    before = _counts(harvested)
    requests = len(wiki.requests)
    harvest(harvested.root, "run")
    assert len(wiki.requests) == requests
    assert _counts(harvested) == before
    assert before["images"] == len(wiki.pages.licences)


@pytest.mark.parametrize(
    "killed_at",
    [
        sa.select(sa.func.count()).select_from(album),
        sa.select(sa.func.count()).select_from(url),
        sa.select(sa.func.count()).select_from(image),
    ],
    ids=["albums are known", "files are known", "pictures are stored"],
)
def test_killed_on_its_way_it_ends_like_a_run_that_nothing_disturbed(
    wiki: MediaWiki,
    harvested: Workspace,
    tmp_path: Path,
    killed_at: sa.Select[Any],
) -> None:
    made = make_workspace(wiki, tmp_path)
    child = start(made.root, "run")
    while not _count(made, killed_at):
        assert child.poll() is None, child.communicate()[1]
        time.sleep(0.01)
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    harvest(made.root, "run")
    assert _counts(made) == _counts(harvested)
    assert _filed(made) == _filed(harvested)
    made.catalogue.close()


def _counts(made: Workspace) -> dict[str, Any]:
    """What `status` counts; the rates and times next to it change by themselves."""
    found = json.loads(harvest(made.root, "status", "--json"))
    return {name: found[name] for name in ("urls", "images", "bytes", "listings")}


def _count(made: Workspace, query: sa.Select[Any]) -> int:
    with made.catalogue.read() as connection:
        return int(connection.execute(query).scalar_one())


def _filed(made: Workspace) -> list[tuple[object, ...]]:
    """Every picture under every character, with its provenance."""
    query = (
        sa.select(
            character.c.name,
            image.c.sha256,
            candidate.c.is_lead,
            image_source.c.url,
            image_source.c.page_url,
            image_source.c.licence,
            image_source.c.author,
        )
        .join(candidate, candidate.c.character_id == character.c.id)
        .join(image, image.c.id == candidate.c.image_id)
        .join(image_source, image_source.c.image_id == image.c.id)
        .order_by(character.c.name, image_source.c.url)
    )
    with made.catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]
