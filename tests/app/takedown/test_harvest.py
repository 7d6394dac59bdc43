"""From harvest to takedown and back: nothing that was withdrawn is harvested again."""

from __future__ import annotations

from pathlib import Path

import pytest

from icf.catalogue.schema import character, image, url
from icf.codes import FetchStatus
from icf.harvest.fates import RETRYABLE
from icf.harvest.report.retry import Selection, make_pending
from icf.harvest.run import Work, harvest
from icf.workspace import Workspace, find
from tests.app.program import said
from tests.harvest.listing.test_exclusions import listing, workspace
from tests.harvest.rows import all_of, fates
from tests.harvest.test_run import png
from tests.harvest.wire import Site, answer, serving


def withdraw(space: Workspace, subject: str) -> None:
    said("-C", space.root, "takedown", subject, "--reason", "asked", "--yes")


def everything_again(space: Workspace) -> None:
    """List all of it again, and ask again for whatever may be asked again."""
    with space.catalogue.write() as connection:
        make_pending(connection, Selection(RETRYABLE))
    harvest(space, Work(refresh=True))


def two(site: Site) -> tuple[str, str]:
    return (
        site.route("/1.png", answer(png(1))),
        site.route("/2.png", answer(png(2))),
    )


@pytest.mark.parametrize("by", ["url", "sha256"])
def test_neither_its_url_nor_its_bytes_elsewhere_come_back(
    tmp_path: Path, by: str
) -> None:
    with serving() as site:
        one, other = two(site)
        copy = site.route("/copy.png", answer(png(1)))
        rows = [("Ann", each, "CC0") for each in (one, other)]
        space = workspace(tmp_path / "ws", site, *rows)
        harvest(space)
        [first] = [r for r in all_of(space.catalogue, url) if r["url"] == one]
        known = {row["id"]: row for row in all_of(space.catalogue, image)}
        sha256 = known[first["image_id"]]["sha256"]
        assert space.blobs.get(sha256) == png(1)
        withdraw(space, one if by == "url" else sha256)
        listing(space.root, *rows, ("Ann", copy, "CC0"))
        everything_again(find(space.root))
        assert fates(space.catalogue) == {
            "1.png": FetchStatus.TAKEN_DOWN.value,
            "2.png": FetchStatus.STORED.value,
            "copy.png": FetchStatus.TAKEN_DOWN.value,
        }
        assert site.asked.count("/1.png") == 1
        assert site.asked.count("/copy.png") == 1
        assert not space.blobs.has(sha256)
        reasons = {row["sha256"]: row for row in all_of(space.catalogue, image)}
        assert len(reasons) == 2
        assert reasons[sha256]["reason"] == "taken_down"


def test_a_withdrawn_character_and_its_pictures_do_not_come_back(
    tmp_path: Path,
) -> None:
    with serving() as site:
        one, both = two(site)
        rows = [("Ann", one, "CC0"), ("Ann", both, "CC0"), ("Bob", both, "CC0")]
        space = workspace(tmp_path / "ws", site, *rows)
        harvest(space)
        withdraw(space, "Moon/Ann")
        everything_again(find(space.root))
        assert fates(space.catalogue) == {
            "1.png": FetchStatus.TAKEN_DOWN.value,
            "2.png": FetchStatus.STORED.value,
        }
        filed = said("-C", space.root, "why", both)["image"]["filed_under"]
        assert filed == [{"album": "Moon", "character": "Bob"}]
        names = [row["name"] for row in all_of(space.catalogue, character)]
        assert sorted(names) == ["Ann", "Bob"]


def test_a_picture_that_waits_to_be_fetched_is_withdrawn_unseen(tmp_path: Path) -> None:
    with serving() as site:
        rows = [("Ann", each, "CC0") for each in two(site)]
        space = workspace(tmp_path / "ws", site, *rows)
        harvest(space, Work(fetch=False))
        withdraw(space, rows[0][1])
        harvest(space)
        assert fates(space.catalogue) == {"1.png": "taken_down", "2.png": "stored"}
        assert "/1.png" not in site.asked
