from __future__ import annotations

from icf.annotate.page.limits import Limit


def test_failures_of_one_address_count_against_it_alone() -> None:
    limit = Limit(each=2, total=100, seconds=10, now=lambda: 0.0)
    for _ in range(2):
        assert limit.allows("a")
        limit.count("a")
    assert not limit.allows("a")
    assert limit.allows("b")


def test_failures_of_all_count_against_everybody() -> None:
    limit = Limit(each=2, total=3, seconds=10, now=lambda: 0.0)
    for address in "abc":
        limit.count(address)
    assert not limit.allows("d")


def test_a_failure_is_forgotten_after_its_time() -> None:
    now = [0.0]
    limit = Limit(each=1, total=1, seconds=10, now=lambda: now[0])
    limit.count("a")
    now[0] = 10.5
    assert limit.allows("a")


def test_many_addresses_take_a_bounded_room() -> None:
    limit = Limit(each=2, total=5, seconds=10, now=lambda: 0.0)
    for number in range(20_000):
        limit.count(str(number))
    assert len(limit._failed) <= 10_000
    assert len(limit._all) <= 5
