"""Fates, rates and what is left, by source and by host, on both databases."""

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import discovery, url
from icf.codes import FetchStatus
from icf.harvest.fates import REMEDIES
from icf.harvest.report.progress import (
    Part,
    by_host,
    by_source,
    leases,
    listings,
    overall,
    parts,
)
from icf.harvest.report.retry import (
    Selection,
    count_again,
    count_failed_listings,
    make_pending,
)
from tests.harvest.rows import put_urls

NOW = 1_000_000.0


def read(catalogue: Catalogue) -> list[Part]:
    with catalogue.read() as connection:
        return parts(connection, NOW)


def put_done(catalogue: Catalogue, host: str, count: int, **columns: object) -> None:
    """Enter URLs that were stored in the last hundred seconds."""
    put_urls(
        catalogue,
        *(f"http://{host}/done/{n}" for n in range(count)),
        fate="stored",
        finished_at=NOW - 100,
        **columns,
    )


def test_every_url_is_counted_under_its_source_and_its_host(
    catalogue: Catalogue,
) -> None:
    put_urls(catalogue, "http://a.org/1", "http://b.org/1", source="one")
    put_urls(catalogue, "http://a.org/2", source="two", fate="gone", finished_at=1.0)
    found = read(catalogue)
    assert {one.name: one.fates for one in by_source(found, NOW)} == {
        "one": {"pending": 2},
        "two": {"gone": 1},
    }
    hosts = {
        one.name: (one.counts.pending, one.counts.failed) for one in by_host(found, NOW)
    }
    assert hosts == {"a.org": (1, 1), "b.org": (1, 0)}


def test_time_left_is_what_waits_at_the_rate_of_the_last_minutes(
    catalogue: Catalogue,
) -> None:
    put_done(catalogue, "a.org", 50)
    put_urls(catalogue, *(f"http://a.org/{n}" for n in range(10)))
    (host,) = by_host(read(catalogue), NOW)
    assert (host.urls_per_second, host.seconds_left) == (0.5, 20.0)


def test_a_host_of_which_nothing_came_lately_leaves_the_time_unknown(
    catalogue: Catalogue,
) -> None:
    put_done(catalogue, "a.org", 50)
    put_urls(catalogue, "http://a.org/1", "http://b.org/1")
    found = read(catalogue)
    left = {one.name: one.seconds_left for one in by_host(found, NOW)}
    assert left == {"a.org": 2.0, "b.org": None}
    assert overall(found, NOW).seconds_left is None


def test_the_slowest_host_decides_when_all_is_done(catalogue: Catalogue) -> None:
    put_done(catalogue, "a.org", 50)
    put_done(catalogue, "b.org", 2)
    put_urls(catalogue, "http://a.org/1", "http://b.org/1")
    assert overall(read(catalogue), NOW).seconds_left == 50.0


def test_what_ended_long_ago_or_at_its_listing_is_no_part_of_a_rate(
    catalogue: Catalogue,
) -> None:
    old = [f"http://a.org/{n}" for n in range(9)]
    put_urls(catalogue, *old, fate="stored", finished_at=NOW - 1000)
    bad = [f"http://a.org/bad/{n}" for n in range(9)]
    put_urls(catalogue, *bad, fate="missing_file", finished_at=NOW - 1)
    (host,) = by_host(read(catalogue), NOW)
    assert host.urls_per_second is None


def test_a_host_is_postponed_when_none_of_its_urls_may_be_asked_for(
    catalogue: Catalogue,
) -> None:
    put_urls(catalogue, "http://a.org/1", "http://b.org/1", not_before=NOW + 60)
    put_urls(catalogue, "http://b.org/2")
    until = {one.name: one.postponed_until for one in by_host(read(catalogue), NOW)}
    assert until == {"a.org": NOW + 60, "b.org": None}


def test_leases_are_told_by_worker(catalogue: Catalogue) -> None:
    held = {"leased_by": "me", "leased_until": NOW + 5}
    put_urls(catalogue, "http://a.org/1", "http://a.org/2", **held)
    put_urls(catalogue, "http://a.org/3")
    with catalogue.read() as connection:
        (lease,) = leases(connection)
    assert (lease.worker, lease.urls, lease.until) == ("me", 2, NOW + 5)


def put_listing(catalogue: Catalogue, source: str, status: str, left_out: int) -> None:
    with catalogue.write() as connection:
        connection.execute(
            sa.insert(discovery).values(
                source=source,
                task="albums",
                subject=status,
                level="albums",
                status=status,
                passed_over=left_out,
                changed_at=0.0,
            )
        )


def test_listings_are_counted_by_level_with_what_they_passed_over(
    catalogue: Catalogue,
) -> None:
    for status, left_out in (("done", 1), ("limited", 2), ("failed", 4)):
        put_listing(catalogue, "one", status, left_out)
    with catalogue.read() as connection:
        (found,) = listings(connection)
    assert (found.pending, found.done, found.limited, found.failed) == (0, 1, 1, 1)
    assert found.passed_over == 7


@pytest.mark.parametrize(
    ("selection", "urls", "failed_listings"),
    [
        (Selection(), 2, 2),
        (Selection(sources=("one",)), 1, 1),
        (Selection(hosts=("a.org",)), 1, 0),
        (Selection((FetchStatus.GONE,)), 1, 2),
    ],
)
def test_a_retry_can_be_for_some_fates_sources_and_hosts(
    catalogue: Catalogue, selection: Selection, urls: int, failed_listings: int
) -> None:
    put_urls(catalogue, "http://a.org/1", source="one", fate="timeout")
    put_urls(catalogue, "http://b.org/1", source="two", fate="refused")
    put_urls(catalogue, "http://b.org/2", source="two", fate="gone")
    put_listing(catalogue, "one", "failed", 0)
    put_listing(catalogue, "two", "failed", 0)
    with catalogue.write() as connection:
        assert sum(count_again(connection, selection).values()) == urls
        assert count_failed_listings(connection, selection) == failed_listings
        make_pending(connection, selection)
        pending = sa.select(sa.func.count()).where(url.c.fate == "pending")
        assert connection.execute(pending).scalar_one() == urls


def test_every_fate_of_failure_says_what_can_be_done() -> None:
    assert set(FetchStatus) - set(REMEDIES) == {
        FetchStatus.PENDING,
        FetchStatus.STORED,
        FetchStatus.UNCHANGED,
    }
