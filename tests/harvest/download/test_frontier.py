import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import url
from icf.errors import BrokenMachine
from icf.harvest.download.frontier import Frontier, worker_name
from icf.harvest.download.results import Postponed, write_results
from icf.harvest.listing.pictures import _refetch_changed
from tests.harvest.rows import all_of, put_urls


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def frontier(catalogue: Catalogue, worker: str, clock: Clock) -> Frontier:
    return Frontier(catalogue, 100.0, worker, clock)


def test_a_url_is_lent_to_one_worker_at_a_time(catalogue: Catalogue) -> None:
    put_urls(catalogue, *(f"http://a.org/{n}" for n in range(5)))
    clock = Clock()
    first = frontier(catalogue, "one", clock).lease(3)
    second = frontier(catalogue, "two", clock).lease(3)
    assert [row.url[-1] for row in first] == ["0", "1", "2"]
    assert [row.url[-1] for row in second] == ["3", "4"]
    assert frontier(catalogue, "three", clock).lease(3) == []


def test_workers_who_come_at_once_never_get_the_same_url(catalogue: Catalogue) -> None:
    put_urls(catalogue, *(f"http://a.org/{n}" for n in range(200)))
    got: list[int] = []

    def work(name: str) -> None:
        mine = Frontier(catalogue, 100.0, name)
        while leased := mine.lease(7):
            got.extend(row.id for row in leased)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 200


#: Leases URLs by a clock that is ahead, and prints how many it gets each time.
OTHER_CLOCK = """
import sys, time
true, ahead = time.time, float(sys.argv[2])
time.time = lambda: true() + ahead
from icf.catalogue.catalogue import Catalogue
from icf.harvest.download.frontier import Frontier
mine = Frontier(Catalogue(sys.argv[1]), 100.0, "two")
print(len(mine.lease(3)), len(mine.lease(3)))
"""


@pytest.mark.parametrize("ahead", [-3600.0, 3600.0])
def test_machines_whose_clocks_differ_never_get_the_same_url(
    postgres_catalogue: Catalogue, ahead: float
) -> None:
    put_urls(postgres_catalogue, *(f"http://a.org/{n}" for n in range(3)))
    assert len(Frontier(postgres_catalogue, 100.0, "one").lease(2)) == 2
    words = [sys.executable, "-c", OTHER_CLOCK, postgres_catalogue.url, str(ahead)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "1 0\n"


def test_a_lease_that_ended_is_lent_again(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1")
    clock = Clock()
    assert frontier(catalogue, "dies", clock).lease(1)
    clock.now += 99
    assert frontier(catalogue, "other", clock).lease(1) == []
    clock.now += 2
    assert frontier(catalogue, "other", clock).lease(1)


def test_a_renewed_lease_lasts_longer(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1")
    clock = Clock()
    slow = frontier(catalogue, "slow", clock)
    (row,) = slow.lease(1)
    clock.now += 90
    slow.renew([row.id])
    clock.now += 90
    assert frontier(catalogue, "other", clock).lease(1) == []


def test_what_is_given_back_can_be_had_at_once(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1", "http://a.org/2")
    clock = Clock()
    mine = frontier(catalogue, "mine", clock)
    leased = mine.lease(2)
    frontier(catalogue, "thief", clock).release([leased[0].id])
    assert frontier(catalogue, "other", clock).lease(2) == []
    mine.release([leased[0].id])
    assert len(frontier(catalogue, "other", clock).lease(2)) == 1


def test_a_lease_taken_before_the_clock_went_back_does_not_last_for_years(
    catalogue: Catalogue,
) -> None:
    put_urls(catalogue, "http://a.org/1")
    clock = Clock()
    assert frontier(catalogue, "mine", clock).lease(1)
    clock.now -= 500_000
    assert frontier(catalogue, "other", clock).lease(1)


def test_a_url_is_not_lent_before_its_time(catalogue: Catalogue) -> None:
    clock = Clock()
    put_urls(catalogue, "http://a.org/1", not_before=clock.now + 10)
    mine = frontier(catalogue, "mine", clock)
    assert mine.lease(1) == []
    assert mine.next_due() == clock.now + 10
    clock.now += 10
    assert len(mine.lease(1)) == 1


def test_a_postponed_host_does_not_hold_up_the_others(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1", "http://b.org/2")
    clock = Clock()
    mine = frontier(catalogue, "mine", clock)
    mine.postpone("a.org", clock.now + 60)
    assert [row.host for row in mine.lease(2)] == ["b.org"]


def test_hosts_that_are_full_are_passed_over(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1", "http://b.org/2")
    mine = frontier(catalogue, "mine", Clock())
    assert [row.host for row in mine.lease(2, {"a.org"})] == ["b.org"]


def test_next_due_is_none_only_when_nothing_is_pending(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1")
    clock = Clock()
    mine = frontier(catalogue, "mine", clock)
    assert mine.next_due() == 0.0
    mine.lease(1)
    assert frontier(catalogue, "other", clock).next_due() == clock.now + 100
    assert mine.next_due({"a.org"}) is None
    with catalogue.write() as connection:
        connection.execute(sa.update(url).values(fate="stored"))
    assert mine.next_due() is None


def test_what_a_dead_process_held_is_free_at_once(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1", "http://a.org/2", "http://a.org/3")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    clock = Clock()
    frontier(catalogue, worker_name(child.pid), clock).lease(1)
    frontier(catalogue, worker_name(os.getppid()), clock).lease(1)
    frontier(catalogue, "far.away:7:1", clock).lease(1)
    mine = frontier(catalogue, worker_name(os.getpid()), clock)
    assert mine.release_dead_workers() == 0
    child.communicate()
    assert mine.release_dead_workers() == 1
    assert len(mine.lease(3)) == 1


def test_what_a_process_held_is_free_before_anybody_has_waited_for_its_end(
    catalogue: Catalogue,
) -> None:
    put_urls(catalogue, "http://a.org/1")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    clock = Clock()
    frontier(catalogue, worker_name(child.pid), clock).lease(1)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    mine = frontier(catalogue, worker_name(os.getpid()), clock)
    assert mine.release_dead_workers() == 1
    child.communicate()


def test_a_lease_knows_what_was_stored_for_the_url(catalogue: Catalogue) -> None:
    put_urls(catalogue, "http://a.org/1", expected_sha1="ab", attempts=2)
    (row,) = frontier(catalogue, "mine", Clock()).lease(1)
    assert (row.sha1, row.attempts, row.image_id, row.headers) == ("ab", 2, None, None)
    assert all_of(catalogue, url)[0]["leased_by"] == "mine"


def test_workers_that_change_the_same_rows_never_block_each_other(
    postgres_catalogue: Catalogue,
) -> None:
    """As while a host asks for a pause and the results of its URLs are written."""
    addresses = [f"http://a.org/{n}" for n in range(300)]
    put_urls(postgres_catalogue, *addresses)
    ones = Frontier(postgres_catalogue, 100.0, "one")
    errors: list[BaseException] = []

    def until_done(work: Callable[[int], object]) -> None:
        try:
            for turn in range(25):
                work(turn)
        except BrokenMachine as error:
            errors.append(error)

    def write(turn: int) -> None:
        while not (leased := ones.lease(300)):
            pass  # the others hold all rows
        order = random.Random(turn).sample(leased, len(leased))
        write_results(
            postgres_catalogue, "one", [Postponed(one, 0.0, 1, None) for one in order]
        )

    def list_again(turn: int) -> None:
        order = random.Random(-turn).sample(addresses, len(addresses))
        rows = [
            {
                "url": one,
                "fate": "pending",
                "version": f"v{turn}",
                "expected_sha1": None,
                "shot": None,
                "tracks": None,
            }
            for one in order
        ]
        with postgres_catalogue.write() as connection:
            _refetch_changed(connection, rows)

    def postpone(turn: int) -> None:
        ones.postpone("a.org", float(turn))

    threads = [
        threading.Thread(target=until_done, args=[work])
        for work in (write, list_again, postpone)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
