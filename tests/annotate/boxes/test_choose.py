from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.boxes import choose
from icf.annotate.boxes.choose import Asking, Picked, ask_more, insert, is_left, pick
from icf.catalogue.schema import decision, face
from icf.codes import FaceReason
from tests.annotate.boxes.pictures import A, B, Pictures
from tests.catalogues import wait_until_waited_for


def ask(pictures: Pictures, page: int, at_random: int, hidden: float = 0.0) -> int:
    """Ask about more pictures; return how many."""
    with pictures.catalogue.write() as connection:
        run_id = pictures.run.id(connection)
        return ask_more(connection, run_id, Asking(hidden, page, at_random))


def test_pictures_with_a_confirmed_face_come_first(pictures: Pictures) -> None:
    others = [pictures.add(A) for _ in range(10)]
    confirmed = [pictures.add(A, B, confirmed=True) for _ in range(3)]
    assert ask(pictures, page=5, at_random=2) == 5
    asked = set(pictures.tasks())
    assert asked >= set(confirmed)
    assert len(asked & set(others)) == 2


def test_where_few_faces_are_confirmed_the_others_are_drawn_at_random(
    pictures: Pictures,
) -> None:
    confirmed = pictures.add(A, confirmed=True)
    others = [pictures.add(A) for _ in range(10)]
    ask(pictures, page=6, at_random=1)
    asked = set(pictures.tasks())
    assert confirmed in asked
    assert len(asked & set(others)) == 5


def test_a_confirmed_face_that_is_gone_brings_no_picture_first(
    plain_pictures: Pictures,
) -> None:
    key = plain_pictures.add(A, confirmed=True)
    gone = sa.update(face).where(face.c.image_id == key)
    with plain_pictures.catalogue.write() as connection:
        connection.execute(gone.values(reason=FaceReason.NOT_A_FACE.value))
    assert ask(plain_pictures, page=1, at_random=0) == 1
    with plain_pictures.catalogue.read() as connection:
        message = connection.execute(
            sa.select(decision.c.message).where(decision.c.subject_id == key)
        ).scalar_one()
    assert message == "drawn at random"


def test_pictures_in_which_nothing_was_found_are_among_them(
    plain_pictures: Pictures,
) -> None:
    empty = [plain_pictures.add() for _ in range(3)]
    assert ask(plain_pictures, page=10, at_random=5) == 3
    assert set(plain_pictures.tasks()) == set(empty)


@pytest.mark.parametrize(
    "columns",
    [
        {"reason": "photograph"},
        {"reason": "exact_duplicate"},
        {"reason": "taken_down"},
        {"awaits": "detect"},
        {"width": None},
    ],
)
def test_what_is_no_drawing_or_not_ready_is_not_asked_about(
    plain_pictures: Pictures, columns: dict[str, Any]
) -> None:
    plain_pictures.add(A, **columns)
    with plain_pictures.catalogue.read() as connection:
        assert not is_left(connection)
    assert ask(plain_pictures, page=10, at_random=5) == 0


def test_each_picture_is_asked_about_once(pictures: Pictures) -> None:
    made = {pictures.add(A) for _ in range(7)}
    asked: set[int] = set()
    while ask(pictures, page=3, at_random=1):
        new = set(pictures.tasks()) - asked
        assert new
        asked |= new
    assert asked == made
    with pictures.catalogue.read() as connection:
        assert not is_left(connection)


@pytest.mark.parametrize("looks_at_all", [False, True])
def test_every_picture_is_as_likely_to_be_drawn(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch, looks_at_all: bool
) -> None:
    monkeypatch.setattr(choose, "_DRAWS", 0 if looks_at_all else 1000)
    # Gaps between the ids, which must not make the next one likelier.
    made = [plain_pictures.add(reason="ok" if n % 3 else "empty") for n in range(60)]
    good = {key for n, key in enumerate(made) if n % 3}
    times = dict.fromkeys(good, 0)
    with plain_pictures.catalogue.read() as connection:
        for seed in range(1000):
            rng = np.random.default_rng(seed)
            (key,) = choose._at_random(connection, 1, rng, set())
            times[key] += 1
    # 25 expected, with a standard deviation of 5.
    assert min(times.values()) >= 5
    assert max(times.values()) <= 50


def test_the_same_seed_draws_the_same(plain_pictures: Pictures) -> None:
    for _ in range(30):
        plain_pictures.add(A)
    with plain_pictures.catalogue.read() as connection:
        drawn = [
            pick(connection, Asking(0.5, page=10, seed=seed)) for seed in (3, 3, 4)
        ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_about_half_of_the_pictures_hide_their_proposals() -> None:
    asking = Asking(hidden=0.5)
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(2000)]
    hidden = [asking.hides(each) for each in hashes]
    assert 900 < sum(hidden) < 1100
    assert hidden == [asking.hides(each) for each in hashes]
    other = Asking(hidden=0.5, seed=1)
    assert hidden != [other.hides(each) for each in hashes]


def test_a_picture_hides_its_proposals_as_its_coin_says(
    plain_pictures: Pictures,
) -> None:
    for _ in range(20):
        plain_pictures.add(A)
    ask(plain_pictures, page=20, at_random=5, hidden=0.5)
    hidden = [each[1] for each in plain_pictures.tasks().values()]
    assert any(hidden)
    assert not all(hidden)


def test_the_ledger_says_why_a_picture_is_asked_about(pictures: Pictures) -> None:
    key = pictures.add(A, confirmed=True)
    ask(pictures, page=10, at_random=5)
    assert pictures.decisions(key) == ["open"]


def test_confirmed_faces_of_many_are_found_by_drawing(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "_DRAWS", 1000)
    keys = [plain_pictures.add(A, confirmed=n % 30 == 0) for n in range(240)]
    confirmed = set(keys[::30])
    with plain_pictures.catalogue.read() as connection:
        picked = pick(connection, Asking(0.5, page=2, at_random=1))
    (key,) = picked.confirmed
    assert key in confirmed
    assert len(picked.at_random) == 1


def test_what_somebody_else_asked_about_meanwhile_is_not_asked_about_twice(
    plain_pictures: Pictures,
) -> None:
    one, other = plain_pictures.add(A), plain_pictures.add(A)
    ask(plain_pictures, page=1, at_random=1)
    with plain_pictures.catalogue.write() as connection:
        run_id = plain_pictures.run.id(connection)
        picked = Picked((one,), (other,))
        assert insert(connection, run_id, picked, Asking(0.5)) == 1
    assert set(plain_pictures.tasks()) == {one, other}


@pytest.mark.slow
def test_servers_on_two_machines_ask_about_a_picture_once(
    postgres_pictures: Pictures,
) -> None:
    """The same seed and catalogue: each of them picks the same pictures."""
    pictures = postgres_pictures
    keys = [pictures.add(A, confirmed=True) for _ in range(4)]
    with pictures.catalogue.write() as connection:
        run_id = pictures.run.id(connection)
    with ThreadPoolExecutor(1) as threads:
        with pictures.catalogue.write() as connection:
            assert ask_more(connection, run_id, Asking(0.0, 4, 1)) == len(keys)
            other = threads.submit(ask, pictures, page=4, at_random=1)
            wait_until_waited_for(connection, other)
        assert other.result() == 0
    assert sorted(pictures.tasks()) == keys
