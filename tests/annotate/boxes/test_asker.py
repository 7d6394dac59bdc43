from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from icf.annotate.boxes import asker as asker_module
from icf.annotate.boxes import choose
from icf.annotate.boxes.asker import AGAIN, Asker
from icf.annotate.boxes.choose import Asking, Picked
from tests.annotate.boxes.pictures import A, Pictures


def asker(pictures: Pictures, page: int = 2) -> Asker:
    return Asker(pictures.catalogue, Asking(0.0, page, 1), pictures.run)


def test_a_page_is_asked_about_at_a_time(pictures: Pictures) -> None:
    for _ in range(3):
        pictures.add(A)
    made = asker(pictures)
    assert made.ask()
    assert len(pictures.tasks()) == 2
    assert made.ask()
    assert len(pictures.tasks()) == 3
    assert not made.ask()


def test_people_who_come_at_once_do_not_ask_about_a_page_each(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(9):
        plain_pictures.add(A)
    made = asker(plain_pictures)
    waits = threading.Event()
    found: list[bool] = []

    def look(*given: Any, **named: Any) -> Picked:
        # The second one comes while the first one chooses.
        second.start()
        waits.wait(10)
        return choose.pick(*given, **named)

    class Lock:
        """Says when somebody waits for it."""

        def __init__(self) -> None:
            self._lock = threading.Lock()

        def __enter__(self) -> None:
            if self._lock.locked():
                waits.set()
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    made._lock = Lock()  # type: ignore[assignment]
    second = threading.Thread(target=lambda: found.append(made.ask()))
    monkeypatch.setattr(asker_module, "pick", look)
    assert made.ask()
    second.join()
    assert found == [True]
    assert len(plain_pictures.tasks()) == 2


def test_where_nothing_is_left_it_is_looked_again_after_a_while(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asker(plain_pictures)
    assert not made.is_left()
    plain_pictures.add(A)
    assert not made.is_left()
    assert not made.ask()
    later = time.monotonic() + AGAIN
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert made.is_left()
    assert made.ask()


def test_confirmed_faces_are_looked_for_again_after_a_while(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asker(plain_pictures, page=2)
    for _ in range(4):
        plain_pictures.add(A)
    assert made.ask()
    confirmed = plain_pictures.add(A, confirmed=True)
    later = time.monotonic() + AGAIN
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert made.ask()
    assert confirmed in plain_pictures.tasks()
