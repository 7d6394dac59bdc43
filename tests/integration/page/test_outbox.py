"""No answer is lost: without a network, without a server, without a login."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from icf.catalogue.annotation.schema import page_session
from icf.catalogue.schema import question
from icf.codes import Label
from tests.annotate.pairs.asked import ask_about, count_answers
from tests.annotate.place import Place
from tests.integration.page.conftest import join
from tests.integration.page.server import MortalServer, PageServer, answers_of
from tests.integration.page.waits import everything_is_sent, kept, loaded, sent, shown

#: Resolves when so many pairs were seen; quicker than to look now and then.
SEEN = """(number) => new Promise((done, fail) => {
  setTimeout(() => fail(`pair ${number} was not seen`), 60000);
  const work = document.getElementById("work");
  const look = () => Number(work.dataset.shown) >= number && done(true);
  new MutationObserver(look).observe(work, { attributes: true });
  look();
})"""

#: Keeps answers to the same thing, as keys do.
PUT = """([handle, number]) => import("/static/outbox.js").then(({ outbox }) =>
  outbox.put(Array.from({ length: number }, (_, each) =>
    ({ id: handle, answer: { choice: each % 2 ? "true" : "false" }, seconds: 1 }))))"""

#: Ends when the browser's disk is empty; connections to it are closed by that.
TAKE_AWAY = """() => new Promise((done, fail) => {
  const request = indexedDB.deleteDatabase("icf-annotate");
  request.onsuccess = () => done();
  request.onblocked = () => fail("a connection is still open");
})"""

#: The handle of what is shown, from the address of its picture.
HANDLE = """() => document.querySelector("#candidate img").src.split("/").at(-2)"""


def press(page: Page, first: int, keys: str) -> None:
    """Answer one pair a key, the first of which is that of a number."""
    for number, key in enumerate(keys, first):
        page.evaluate(SEEN, number)
        page.keyboard.press(key)


def end_sessions(place: Place) -> None:
    """Everybody has to log in again."""
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(page_session).values(ended_at=time.time()))


def test_without_a_network_answers_are_kept_and_sent_when_it_is_back(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 8)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 4)
        page.context.set_offline(True)
        press(page, 1, "fjfj")
        kept(page, 4)
        expect(page.locator("#banner")).to_contain_text("4 answers are kept here")
        assert answers_of(place) == []
        page.context.set_offline(False)
        sent(page, 4)
        expect(page.locator("#banner")).to_be_hidden()
        assert answers_of(place) == [
            (key, "Ann", "true" if place % 2 == 0 else "false")
            for place, key in enumerate(ids[:4])
        ]


def test_what_the_browser_took_away_is_opened_again(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 5)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        press(page, 1, "f")
        sent(page, 1)
        page.evaluate(TAKE_AWAY)
        press(page, 2, "ff")
        sent(page, 3)
        assert len(answers_of(place)) == 3


def test_a_browser_that_ends_sends_its_answers_when_it_is_opened_again(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 5)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 4)
        page.context.set_offline(True)
        press(page, 1, "fff")
        kept(page, 3)
        context = page.context
        page.close()
        context.set_offline(False)
        again = context.new_page()
        # Any page of a task sends what waits.
        again.goto(f"{server.url}/pairs")
        everything_is_sent(again)
        assert len(answers_of(place)) == 3


def test_an_expired_login_with_a_full_outbox_loses_nothing(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 8)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 4)
        end_sessions(place)
        press(page, 1, "fff")
        shown(page, 4)
        page.evaluate(PUT, [page.evaluate(HANDLE), 500])
        kept(page, 503)
        expect(page.locator("#banner")).to_contain_text("open your invite link again")
        assert count_answers(place) == 0
        other = page.context.new_page()
        join(other, server.invite())
        other.close()
        page.bring_to_front()
        sent(page, 3)
        assert count_answers(place) == 503
        assert len(answers_of(place)) == 4


def test_a_server_killed_three_times_in_120_keystrokes_has_120_answers(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    # A few more: what was leased as the server died is held for nobody for a while.
    ask_about(place, 160)
    with MortalServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        press(page, 1, "fj" * 15)
        for start in (31, 61, 91):
            server.end()
            # It comes back while pairs are answered that were here already.
            again = threading.Timer(0.5, server.start)
            again.start()
            press(page, start, "fj" * 15)
            again.join()
        sent(page, 120)
        given = answers_of(place)
        assert (count_answers(place), len(given)) == (120, 120)
        choices = Counter(choice for _, _, choice in given)
        assert choices == {"true": 60, "false": 60}


def test_a_refused_answer_is_said_in_words_and_not_sent_for_ever(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    one, two = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        with place.workspace.catalogue.write() as connection:
            update = sa.update(question).where(question.c.id == one)
            connection.execute(update.values(label=Label.WITHDRAWN.value))
        press(page, 1, "ff")
        sent(page, 2)
        banner = page.locator("#banner")
        expect(banner).to_contain_text("1 answer was not taken")
        expect(banner).to_contain_text("withdrawn")
        assert answers_of(place) == [(two, "Ann", "true")]
        page.get_by_role("button", name="I have seen it").click()
        expect(banner).to_be_hidden()


def test_two_tabs_send_what_waits_once(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 20)
    with PageServer(place, "pairs") as server:
        first = sign_in(server, "/pairs")
        shown(first, 1)
        second = first.context.new_page()
        second.goto(f"{server.url}/pairs")
        shown(second, 1)
        for page in (first, second):
            loaded(page, 4)
        first.context.set_offline(True)
        for page in (first, second):
            page.bring_to_front()
            press(page, 1, "fff")
        kept(second, 6)
        first.context.set_offline(False)
        sent(first, 3)
        sent(second, 3)
        assert count_answers(place) == 6
        assert len(answers_of(place)) == 6


def test_answers_of_somebody_else_wait_for_that_person(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 6)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 4)
        # Not without a network: a page that ends has one again, and sends.
        end_sessions(place)
        press(page, 1, "ff")
        kept(page, 2)
        expect(page.locator("#banner")).to_contain_text("open your invite link again")
        page.close()
        other = page.context.new_page()
        join(other, server.invite("Bob"))
        other.goto(f"{server.url}/pairs")
        everything_is_sent(other)
        expect(other.locator("#banner")).to_contain_text("2 answers are still here of")
        assert answers_of(place) == []
        join(other, server.invite("Ann"))
        other.goto(f"{server.url}/pairs")
        everything_is_sent(other)
        expect(other.locator("#banner")).to_be_hidden()
        assert [name for _, name, _ in answers_of(place)] == ["Ann", "Ann"]
