import math

from icf.harvest.download.frontier import Leased
from icf.harvest.download.hosts import Hosts


def leased(host: str, number: int = 0) -> Leased:
    return Leased(number, f"http://{host}/{number}", host, "test", None, 0)


def hosts(per_host: int, delay: float | None = 0.0) -> Hosts:
    return Hosts(per_host, lambda one: delay)


def taken(held: Hosts, now: float = 0.0) -> list[str]:
    """Everything that may be asked now."""
    return [one.host for one in iter(lambda: held.take(now), None)]


def test_hosts_take_turns() -> None:
    held = hosts(2)
    held.add([leased("a"), leased("a"), leased("a"), leased("b"), leased("b")])
    assert taken(held) == ["a", "b", "a", "b"]
    assert held.queued == 1


def test_a_host_is_asked_so_many_at_a_time() -> None:
    held = hosts(1)
    one, two = leased("a", 1), leased("a", 2)
    held.add([one, two])
    assert held.take(0.0) == one
    assert held.take(0.0) is None
    held.finished(one, 0.0)
    assert held.take(0.0) == two


def test_a_host_that_was_never_asked_is_asked_one_at_a_time() -> None:
    held = hosts(8, delay=None)
    held.add([leased("a"), leased("a")])
    assert taken(held) == ["a"]


def test_requests_to_a_host_with_a_delay_are_so_far_apart() -> None:
    held = hosts(8, delay=5.0)
    one = leased("a")
    held.add([one, leased("a")])
    assert held.take(100.0) == one
    held.finished(one, 101.0)
    assert held.take(104.0) is None
    assert held.next_at() == 105.0
    assert held.take(105.0) is not None
    assert held.next_at() == math.inf


def test_a_host_that_is_left_alone_does_not_hold_up_the_others() -> None:
    held = hosts(8)
    held.add([leased("a"), leased("b")])
    held.pause("a", 50.0)
    assert taken(held) == ["b"]
    assert taken(held, 50.0) == ["a"]


def test_a_drained_host_is_empty() -> None:
    held = hosts(8)
    held.add([leased("a", 1), leased("b"), leased("a", 2)])
    assert [one.id for one in held.drain("a")] == [1, 2]
    assert held.drain("a") == []
    assert (held.queued, taken(held)) == (1, ["b"])


def test_refusals_count_in_a_row() -> None:
    held = hosts(8)
    assert [held.refused("a"), held.refused("a"), held.refused("b")] == [1, 2, 1]
    held.accepted("a")
    assert held.refused("a") == 1


def test_the_fullest_hosts_are_known() -> None:
    held = hosts(8)
    held.add([leased("a"), leased("a"), leased("b")])
    assert held.fuller_than(1) == {"a"}


def test_a_host_is_asked_so_often_a_second_and_ones_own_files_at_once() -> None:
    held = Hosts(8, lambda one: 0.0, gap=0.5)
    held.add([leased("a", 1), leased("a", 2), leased("", 3), leased("", 4)])
    assert taken(held, 10.0) == ["a", "", ""]
    assert held.next_at() == 10.5
    assert taken(held, 10.4) == []
    assert taken(held, 10.5) == ["a"]
