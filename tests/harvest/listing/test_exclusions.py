"""Other licences and withdrawn things stay out, whatever lists them again."""

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.filing import NOBODY
from icf.catalogue.schema import (
    candidate,
    character,
    image,
    image_source,
    mention,
    url,
)
from icf.codes import FetchStatus
from icf.harvest.cli.main import cli
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.results import Stored, write_results
from icf.harvest.fates import RETRYABLE
from icf.harvest.filing import unmentioned_cast, write_candidates
from icf.harvest.report.retry import Selection, make_pending
from icf.harvest.run import Work, harvest
from icf.workspace import Workspace, find, init
from tests.harvest.rows import all_of, fates, file_under, put_urls
from tests.harvest.test_run import png
from tests.harvest.wire import Site, answer


def listing(root: Path, *rows: tuple[str, str, str]) -> None:
    with (root / "urls.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("album", "character", "url", "licence"))
        writer.writerows(("Moon", name, address, what) for name, address, what in rows)


def workspace(root: Path, site: Site, *rows: tuple[str, str, str]) -> Workspace:
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        '[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    listing(root, *rows)
    return find(root)


@pytest.fixture
def rows(site: Site) -> list[tuple[str, str, str]]:
    addresses = [site.route(f"/{n}.png", answer(png(n))) for n in range(3)]
    licences = ["CC0", "CC BY-SA 4.0", "Fair use"]
    return [("Ann", *pair) for pair in zip(addresses, licences, strict=True)]


def test_another_licence_is_not_asked_for_and_another_setting_brings_it_back(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    made = workspace(tmp_path / "ws", site, *rows)
    harvest(find(made.root, ("harvest.only_licence=CC0",)))
    assert fates(made.catalogue) == {
        "0.png": "stored",
        "1.png": "other_licence",
        "2.png": "other_licence",
    }
    assert [path for path in site.asked if path.endswith(".png")] == ["/0.png"]
    told = all_of(made.catalogue, url)[1]["message"]
    assert "'CC BY-SA 4.0'" in told
    assert "harvest.only_licence is CC0" in told
    with made.catalogue.write() as connection:
        assert make_pending(connection, Selection((FetchStatus.OTHER_LICENCE,))) == 2
    harvest(find(made.root, ("harvest.only_licence=CC BY*,CC0",)))
    assert fates(made.catalogue) == {
        "0.png": "stored",
        "1.png": "stored",
        "2.png": "other_licence",
    }


def test_what_waits_already_is_set_aside_when_the_setting_comes(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    made = workspace(tmp_path / "ws", site, *rows)
    harvest(made, Work(fetch=False))
    assert set(fates(made.catalogue).values()) == {"pending"}
    harvest(find(made.root, ("harvest.only_licence=public domain,CC0",)))
    assert sorted(fates(made.catalogue).values()) == [
        "other_licence",
        "other_licence",
        "stored",
    ]


def test_the_option_may_be_repeated(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    made = workspace(tmp_path / "ws", site, *rows)
    options = ["--only-licence", "CC0", "--only-licence", "fair use"]
    done = CliRunner().invoke(cli, ["-C", str(made.root), "run", *options])
    assert done.exit_code == 0, done.output
    assert fates(made.catalogue)["1.png"] == "other_licence"
    assert fates(made.catalogue)["0.png"] == "stored"
    assert fates(made.catalogue)["2.png"] == "stored"


def bury(made: Workspace, kind: str, subject: str) -> None:
    with made.catalogue.write() as connection:
        tombstones.bury(connection, kind, [subject], "asked by mail")


def test_a_withdrawn_url_is_listed_and_never_asked(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    made = workspace(tmp_path / "ws", site, *rows)
    bury(made, "url", rows[0][1])
    harvest(made)
    assert fates(made.catalogue)["0.png"] == "taken_down"
    assert "/0.png" not in site.asked
    assert FetchStatus.TAKEN_DOWN not in RETRYABLE


def test_withdrawn_bytes_under_another_url_are_not_kept(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    made = workspace(tmp_path / "ws", site, *rows)
    sha256 = made.blobs.put(png(1))
    made.blobs.remove(sha256)
    bury(made, "sha256", sha256)
    harvest(made)
    assert fates(made.catalogue)["1.png"] == "taken_down"
    assert not made.blobs.has(sha256)
    assert sha256 not in {row["sha256"] for row in all_of(made.catalogue, image)}
    assert list((made.root / "blobs" / "tmp").iterdir()) == []


def test_a_withdrawn_character_is_not_entered_again(
    site: Site, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    others = [("Bob", *rows[1][1:]), *rows]
    made = workspace(tmp_path / "ws", site, *others)
    bury(made, "character", "Moon/Ann")
    outcome = harvest(made)
    assert [row["name"] for row in all_of(made.catalogue, character)] == ["Bob"]
    assert fates(made.catalogue) == {"1.png": "stored"}
    assert len(all_of(made.catalogue, mention)) == 1
    assert outcome.listed.passed_over == 4


def test_a_picture_of_a_whole_album_is_not_filed_under_a_withdrawn_character(
    catalogue: Catalogue,
) -> None:
    put_urls(catalogue, "http://a.org/1")
    file_under(catalogue, "http://a.org/1", "Ann", "Bob")
    with catalogue.write() as connection:
        connection.execute(sa.delete(mention))
        connection.execute(sa.update(url).values(album_id=1))
        tombstones.bury(connection, "character", ["Moon/Ann"], "asked by mail")
        assert unmentioned_cast(connection, [1], [1, 2]) == {(1, 2)}


def test_a_picture_of_nobody_is_of_the_cast_once_that_is_known(
    catalogue: Catalogue,
) -> None:
    picture = {"sha256": "1" * 64, "bytes": 1, "verdict": "pending", "reason": "ok"}
    with catalogue.write() as connection:
        connection.execute(sa.insert(image).values(id=1, stored_at=0.0, **picture))
    put_urls(catalogue, "http://a.org/1", image_id=1)
    file_under(catalogue, "http://a.org/1", NOBODY, "Bob")
    with catalogue.write() as connection:
        connection.execute(sa.delete(mention))
        connection.execute(sa.update(url).values(album_id=1))
        old = {"image_id": 1, "character_id": 1, "is_lead": False}
        connection.execute(sa.insert(candidate).values(old))
        cast = unmentioned_cast(connection, [1], [1, 2])
        assert cast == {(1, 2)}
        new = {"url_id": 1, "character_id": 2, "is_lead": False, "found_at": 0.0}
        connection.execute(sa.insert(mention).values(new))
        write_candidates(connection, [1])
        kept = connection.execute(sa.select(candidate.c.character_id)).scalars()
        assert list(kept) == [2]


def test_what_is_withdrawn_while_it_is_fetched_leaves_no_row_and_no_bytes(
    tmp_path: Path,
) -> None:
    made = init(tmp_path / "ws")
    put_urls(made.catalogue, *(f"http://a.org/{n}" for n in range(4)))
    leased = Frontier(made.catalogue, 100.0, "me").lease(10)
    bury(made, "sha256", "1" * 64)
    bury(made, "url", leased[1].url)
    bury(made, "url", leased[2].url)
    hashes = ["1" * 64, "2" * 64, "3" * 64, "3" * 64]
    results = [
        Stored(one, sha256, 7, {}) for one, sha256 in zip(leased, hashes, strict=True)
    ]
    # The third URL's bytes are those of the fourth too, which nobody withdrew.
    gone = write_results(made.catalogue, "me", results)
    assert gone == {"1" * 64, "2" * 64}
    assert list(fates(made.catalogue).values()) == ["taken_down"] * 3 + ["stored"]
    assert [row["sha256"] for row in all_of(made.catalogue, image)] == ["3" * 64]
    assert len(all_of(made.catalogue, image_source)) == 1
