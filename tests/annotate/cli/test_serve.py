from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from icf import workspace
from icf.annotate.cli.main import cli
from icf.annotate.page.join import TRIES
from icf.errors import WrongUse
from tests.app.program import BIN, invoke, program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty workspace."""
    workspace.init(tmp_path / "space")
    return tmp_path / "space"


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[dict[str, str]]:
    """A server as a program; yield what it says of itself; interrupt it."""
    line = [str(BIN / "icf-annotate"), "serve", "--port", "0", "--json", *words]
    with subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        try:
            yield json.loads(running.stdout.readline())
        finally:
            running.send_signal(signal.SIGINT)
        assert running.wait() == 0


@dataclass(frozen=True)
class Served:
    """A workspace, and what the first start of its server said of itself."""

    folder: Path
    told: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server as a program, for several tests."""
    folder = tmp_path_factory.mktemp("served") / "space"
    workspace.init(folder)
    with serving(folder) as told:
        yield Served(folder, told)


def test_a_person_invited_by_a_command_comes_in_until_another_one_revokes(
    served: Served,
) -> None:
    told, folder = served.told, served.folder
    invited = program("icf-annotate", "invite", "Ann", "--json", folder=folder)
    link = json.loads(invited.stdout)
    assert link["url"].startswith(told["url"] + "/join/")
    assert (link["name"], link["role"]) == ("Ann", "annotator")
    with httpx.Client(headers={"Origin": told["url"]}) as browser:
        assert "Ann" in browser.get(link["url"]).text
        assert browser.post(link["url"]).status_code == 303
        assert "Hello Ann" in browser.get(told["url"]).text
        program("icf-annotate", "revoke", "Ann", folder=folder)
        assert browser.get(told["url"]).status_code == 401
        assert browser.post(link["url"]).status_code == 404


def test_the_first_start_prints_a_link_for_whoever_started_it(served: Served) -> None:
    told, folder = served.told, served.folder
    with httpx.Client(headers={"Origin": told["url"]}) as browser:
        assert browser.post(told["invite"]).status_code == 303
    people = json.loads(invoke(cli, "-C", folder, "people", "--json").stdout)
    [admin] = [each for each in people if each["role"] == "admin"]
    assert admin["state"] == "active"


def test_a_forged_address_of_a_proxy_hides_nobody_who_guesses(folder: Path) -> None:
    with serving(folder) as told, httpx.Client() as guesser:
        codes = [
            guesser.get(
                f"{told['url']}/join/{number}",
                headers={"X-Forwarded-For": f"10.0.0.{number}"},
            ).status_code
            for number in range(TRIES + 1)
        ]
    assert codes == [404] * TRIES + [429]


def test_behind_a_proxy_people_are_told_apart_by_what_it_says(folder: Path) -> None:
    words = ("--public-url", "https://faces.example")
    line = [str(BIN / "icf-annotate"), "serve", "--port", "0", *words]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        line[3] = str(free.getsockname()[1])
    with subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        proxied = {"Host": "faces.example", "X-Forwarded-For": "10.0.0.1"}
        with httpx.Client(base_url=f"http://127.0.0.1:{line[3]}") as proxy:
            for _ in range(TRIES):
                assert proxy.get("/join/x", headers=proxied).status_code == 404
            assert proxy.get("/join/x", headers=proxied).status_code == 429
            proxied["X-Forwarded-For"] = "10.0.0.2"
            assert proxy.get("/join/x", headers=proxied).status_code == 404
        running.send_signal(signal.SIGINT)
        assert running.wait() == 0


def test_the_key_is_for_its_owner_alone(served: Served) -> None:
    assert stat.S_IMODE((served.folder / "page.key").stat().st_mode) == 0o600


def test_a_link_leads_to_the_public_address_or_to_the_one_that_is_given(
    folder: Path,
) -> None:
    def link(*words: str) -> str:
        invite = "invite", "Ann", "--role", "admin", "--json"
        return str(json.loads(invoke(cli, "-C", folder, *invite, *words).stdout)["url"])

    assert link().startswith("http://127.0.0.1:8765/join/")
    with serving(folder, "--public-url", "https://Faces.example/") as told:
        assert told["url"] == "https://faces.example"
        assert told["invite"] is None  # an admin is there
    assert link().startswith("https://faces.example/join/")
    assert link("--url", "http://10.0.0.7:80").startswith("http://10.0.0.7:80/join/")


def test_a_link_that_only_this_machine_can_open_says_so(folder: Path) -> None:
    def said(*words: str) -> str:
        return invoke(cli, "-C", folder, "invite", "Ann", *words).stderr

    assert "only this machine can open it" in said()
    assert "only this machine" not in said("--url", "http://10.0.0.7:80")


@pytest.mark.parametrize("url", ["faces.example", "ftp://faces.example", "http://a/b"])
def test_an_address_that_no_link_can_lead_to_is_refused(folder: Path, url: str) -> None:
    with pytest.raises(WrongUse, match="cannot be the address"):
        invoke(cli, "-C", folder, "invite", "Ann", "--url", url)


def test_beyond_loopback_a_warning_says_what_to_do(folder: Path) -> None:
    words = [str(BIN / "icf-annotate"), "serve", "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        said = running.stderr.read()
        assert running.wait() == 0
    assert "without TLS" in said
    assert "--public-url" in said


def test_a_page_that_is_none_is_refused_with_those_that_are(folder: Path) -> None:
    with pytest.raises(WrongUse, match="'pears' is no page; there are pairs, grid"):
        invoke(cli, "-C", folder, "serve", "--tasks", "pairs,pears")


def test_a_port_that_is_taken_is_refused_in_words(served: Served) -> None:
    port = served.told["url"].rpartition(":")[2]
    with pytest.raises(WrongUse, match="choose another --port"):
        invoke(cli, "-C", served.folder, "serve", "--port", port)


def test_nobody_is_revoked_who_was_never_invited(folder: Path) -> None:
    with pytest.raises(WrongUse, match="nobody named 'Eve'"):
        invoke(cli, "-C", folder, "revoke", "Eve")
