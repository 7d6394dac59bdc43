"""People come in by their links, choose keys and colours, and are shut out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from icf.annotate.page.desk import TASKS
from icf.annotate.people.people import Role
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.app.program import within
from tests.integration.page.conftest import PHONE, join, log_in
from tests.integration.page.server import PageServer

_EDGE = "(link) => getComputedStyle(link).borderBottomColor"
_BACKGROUND = "(button) => getComputedStyle(button).backgroundColor"
_CANVAS = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def served(place: Place) -> Iterator[PageServer]:
    """The page of an empty workspace."""
    with PageServer(place) as server:
        yield server


@pytest.fixture
def tab(contexts: Callable[..., BrowserContext]) -> Page:
    """A window of a laptop's size."""
    return contexts().new_page()


def come_in(
    tab: Page, served: PageServer, name: str = "Ann", role: Role = Role.ANNOTATOR
) -> None:
    """Begin with the page that an invite link leads to."""
    log_in(tab.context, served, name, role)
    tab.goto(served.url)
    expect(tab.get_by_role("heading", name=f"Hello {name}")).to_be_visible()


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A page on a host of another site; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # To a browser localhost is another site than 127.0.0.1.
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_a_link_is_opened_by_keyboard_alone(tab: Page, served: PageServer) -> None:
    tab.goto(served.invite("Ann"))
    expect(tab.get_by_role("button", name="Begin")).to_be_focused()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/")
    expect(tab.get_by_role("heading", name="Hello Ann")).to_be_visible()


def test_a_link_to_a_page_works_from_another_site_for_who_is_logged_in(
    tab: Page, served: PageServer
) -> None:
    come_in(tab, served)
    with another_site(f'<a href="{served.url}/me">look</a>') as address:
        tab.goto(address)
        tab.get_by_role("link", name="look").click()
        expect(tab.get_by_role("heading", name="Ann")).to_be_visible()
        expect(tab).to_have_url(f"{served.url}/me")


def test_who_is_not_logged_in_is_told_what_to_do(tab: Page, served: PageServer) -> None:
    tab.goto(f"{served.url}/me")
    expect(tab.get_by_role("heading", name="Who are you?")).to_be_visible()
    expect(tab).to_have_url(f"{served.url}/me")


def test_another_site_can_neither_post_nor_read_nor_frame(
    tab: Page, served: PageServer
) -> None:
    come_in(tab, served)
    attack = f"""
    <iframe src="{served.url}/me" name="framed"></iframe>
    <form method="post" action="{served.url}/leave" target="other"></form>
    <iframe name="other"></iframe>
    """
    with another_site(attack) as address:
        tab.goto(address)
        with tab.expect_response("**/leave"):
            tab.evaluate("document.forms[0].submit()")
        read = tab.evaluate(
            """(url) => fetch(url, {credentials: "include"})
                .then((answer) => answer.text(), () => "refused")""",
            f"{served.url}/api/session",
        )
        assert read == "refused"
        shown = [frame.content() for frame in tab.frames[1:]]
        assert not [each for each in shown if "csrf-token" in each]
    tab.goto(f"{served.url}/me")
    expect(tab.get_by_role("heading", name="Ann")).to_be_visible()


def test_a_key_is_chosen_and_one_that_is_taken_is_refused(
    tab: Page, served: PageServer
) -> None:
    log_in(tab.context, served)
    tab.goto(f"{served.url}/me")
    same = tab.get_by_role("button", name="The same character")
    same.click()
    tab.keyboard.press("j")
    expect(tab.locator("#key-said")).to_contain_text("cannot be both")
    expect(same).to_contain_text("f")
    same.click()
    tab.keyboard.press("D")
    expect(tab.locator("#key-said")).to_have_text("Saved.")
    tab.reload()
    expect(same.locator("kbd")).to_have_text("d")
    tab.get_by_role("button", name="Keys as they were at first").click()
    expect(same.locator("kbd")).to_have_text("f")


def test_colours_are_the_devices_until_somebody_chooses(
    contexts: Callable[..., BrowserContext], served: PageServer
) -> None:
    def paper(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = contexts(color_scheme="dark").new_page()
    log_in(dark.context, served)
    dark.goto(f"{served.url}/me")
    before = paper(dark)
    with dark.expect_response("**/api/preferences"):
        dark.get_by_label("Light").check()
    assert paper(dark) != before
    dark.reload()
    assert paper(dark) != before


def test_forced_colours_leave_in_sight_what_is_chosen_and_how_far_it_is(
    contexts: Callable[..., BrowserContext], served: PageServer, place: Place
) -> None:
    ask_about(place, 3)
    page = contexts(forced_colors="active").new_page()
    log_in(page.context, served, role=Role.ADMIN)
    page.goto(f"{served.url}/admin")
    here, elsewhere = (
        page.get_by_role("link", name=name).evaluate(_EDGE)
        for name in ("Admin", "Grid")
    )
    assert here != elsewhere == page.evaluate(_CANVAS)
    progress = page.get_by_role("progressbar").first
    assert progress.evaluate("(bar) => getComputedStyle(bar).borderWidth") == "1px"
    page.goto(f"{served.url}/review")
    chosen, other = (
        page.locator(f'[data-part="{part}"]').evaluate(_BACKGROUND)
        for part in ("all", "audit")
    )
    assert chosen != other


def test_a_name_of_hundreds_of_letters_does_not_widen_a_phones_page(
    contexts: Callable[..., BrowserContext], served: PageServer
) -> None:
    phone = contexts(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    come_in(phone, served, "x" * 200)
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_without_an_answer_of_the_server_nothing_seems_to_be_saved(
    tab: Page, served: PageServer
) -> None:
    log_in(tab.context, served)
    tab.goto(f"{served.url}/me")
    tab.route("**/api/preferences", lambda route: route.abort())
    tab.get_by_role("button", name="The same character").click()
    tab.keyboard.press("q")
    expect(tab.get_by_text("Not saved: the server does not answer.")).to_be_visible()
    tab.get_by_label("Dark").click()
    expect(tab.get_by_label("As the device")).to_be_checked()


def test_a_pause_holds_until_the_person_goes_on(tab: Page, served: PageServer) -> None:
    log_in(tab.context, served)
    tab.goto(f"{served.url}/me")
    tab.get_by_role("button", name="Pause", exact=True).click()
    expect(tab.get_by_text("You paused.")).to_be_visible()
    tab.get_by_role("button", name="Go on").click()
    expect(tab.get_by_text("You paused.")).to_be_hidden()


def test_an_admin_invites_and_revokes_on_the_page(
    contexts: Callable[..., BrowserContext], tab: Page, served: PageServer
) -> None:
    log_in(tab.context, served, role=Role.ADMIN)
    tab.goto(f"{served.url}/admin")
    tab.get_by_label("Name").fill("Bob <b>bold</b>")
    tab.get_by_role("button", name="Make a link").click()
    made = tab.get_by_label("Invite link")
    expect(made).to_be_visible()
    link = made.input_value()
    other = contexts().new_page()
    other.goto(link)
    expect(other.get_by_role("heading", name="Hello Bob <b>bold</b>")).to_be_visible()
    other.get_by_role("button", name="Begin").click()
    other.wait_for_url("**/")
    expect(other.get_by_role("heading", name="Hello Bob")).to_be_visible()
    tab.reload()
    row = tab.get_by_role("row").filter(has_text="Bob <b>bold</b>")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Really?").click()
    expect(row).to_contain_text("revoked")
    other.reload()
    expect(other.get_by_role("heading", name="Who are you?")).to_be_visible()


#: All pages: each task's, and those of people.
PAGES = ("/", "/me", "/admin", *(f"/{task}" for task in TASKS))

#: Controls that are seen: too small for a finger, and those without a name; and fields
#: whose letters are so small that a phone of Apple enlarges the page around them.
_FAULTS = """() => {
  const seen = [...document.querySelectorAll("button, select, input, a[href]")]
    .filter((each) => each.checkVisibility() && !each.closest(".skip, p"));
  const small = seen.filter((each) => {
    const whole = each.matches("input") ? each.closest("label") ?? each : each;
    return whole.getBoundingClientRect().height < 43.5;
  });
  const unnamed = seen.filter((each) => !(
    each.textContent.trim() || each.ariaLabel || each.title || each.labels?.length
    || each.getAttribute("aria-labelledby")));
  const enlarged = seen.filter((each) =>
    each.matches("select, input:not([type=radio], [type=checkbox], [type=range])")
    && parseFloat(getComputedStyle(each).fontSize) < 16);
  const said = (each) => each.outerHTML.slice(0, 120);
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    small: [...small, ...enlarged].map(said),
    unnamed: unnamed.map(said),
  };
}"""


def test_the_page_breaks_none_of_its_own_rules(
    tab: Page, served: PageServer, place: Place
) -> None:
    ask_about(place, 3)
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    join(tab, served.invite(role=Role.ADMIN))
    for page in PAGES:
        tab.goto(served.url + page, wait_until="networkidle")
    tab.get_by_role("link", name="Ann").click()
    tab.get_by_role("button", name="Log out").click()
    expect(tab.get_by_role("heading", name="You are logged out")).to_be_visible()
    assert said == []


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_shows_everything_without_scrolling_sideways(
    contexts: Callable[..., BrowserContext],
    served: PageServer,
    place: Place,
    page: str,
) -> None:
    ask_about(place, 3)
    phone = contexts(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    log_in(phone.context, served, role=Role.ADMIN)
    phone.goto(served.url + page, wait_until="networkidle")
    assert phone.evaluate(_FAULTS) == {"wide": 0, "small": [], "unnamed": []}


def test_whoever_a_command_revokes_is_out(tab: Page, served: PageServer) -> None:
    come_in(tab, served)
    within("icf-annotate", "revoke", "Ann", folder=served.place.workspace.root)
    tab.reload()
    expect(tab.get_by_role("heading", name="Who are you?")).to_be_visible()
