from __future__ import annotations

import threading

import pytest

from icf.stores.turn import Turn


def test_one_thread_at_a_time_has_it() -> None:
    turn, inside, most = Turn(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turn.taken():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (most, turn.waiting) == (1, 0)


def test_it_is_free_again_after_an_error() -> None:
    turn = Turn()
    with pytest.raises(ValueError, match="inside"), turn.taken():
        raise ValueError("inside")
    with turn.taken():
        assert turn.waiting == 0


def test_who_stands_by_lets_those_in_line_go_first() -> None:
    turn, done = Turn(), []

    def other() -> None:
        with turn.taken():
            done.append("other")

    thread = threading.Thread(target=other)
    with turn.taken():
        thread.start()
        while not turn.waiting:
            thread.join(0.001)
        done.append("first")
    turn.stand_by()
    with turn.taken():
        done.append("again")
    thread.join()
    assert done == ["first", "other", "again"]
