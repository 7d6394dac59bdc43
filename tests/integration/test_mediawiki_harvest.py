"""The harvest against a real MediaWiki and its real ``api.php``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import album, candidate, character, image, image_source, url
from icf.codes import Fate
from icf.workspace import Workspace, find, init
from tests.integration.mediawiki import MediaWiki, mediawiki

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
def wiki() -> Iterator[MediaWiki]:
    with mediawiki() as served:
        yield served


@pytest.fixture(scope="module")
def harvested(
    wiki: MediaWiki, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("workspace")
    init(root)
    (root / "icf.toml").write_text(CONFIG.format(host=wiki.host, api=wiki.api))
    harvest(root, "run")
    workspace = find(root)
    yield workspace
    workspace.catalogue.close()


def harvest(root: Path, *words: str) -> str:
    program = Path(sys.executable).with_name("icf-harvest")
    done = subprocess.run(
        [program, *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("ICF_")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_files_that_were_never_uploaded_are_told(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    query = sa.select(url.c.fate, sa.func.count()).group_by(url.c.fate)
    with harvested.catalogue.read() as connection:
        fates = {fate: count for fate, count in connection.execute(query)}
    assert fates == {
        Fate.STORED.value: len(wiki.pages.licences),
        Fate.MISSING_FILE.value: len(wiki.pages.missing),
    }


def test_a_second_run_asks_and_fetches_nothing(
    wiki: MediaWiki, harvested: Workspace
) -> None:
    before = harvest(harvested.root, "status", "--json")
    requests = len(wiki.requests)
    harvest(harvested.root, "run")
    assert len(wiki.requests) == requests
    assert harvest(harvested.root, "status", "--json") == before
    assert json.loads(before)["images"] == len(wiki.pages.licences)
