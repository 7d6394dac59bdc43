import asyncio
import re
import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import (
    AllowList,
    GuardedResolver,
    check_literal,
)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]:8080/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_url_that_names_a_private_address_is_forbidden(url: str) -> None:
    with pytest.raises(Fault) as caught:
        check_literal(url, AllowList([]))
    assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS
    assert "allow_hosts" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3/",
        "http://[::1]/",
        "http://[fd00::1]:8080/x",
        "https://[2002::]/",
    ],
)
def test_what_a_refusal_says_to_allow_allows_it_at_its_port_alone(url: str) -> None:
    with pytest.raises(Fault) as caught:
        check_literal(url, AllowList([]))
    allow = AllowList(re.findall(r'add "(.+)" to allow_hosts', str(caught.value)))
    check_literal(url, allow)
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert not allow.has(parts.hostname, 9)


def test_an_allowed_host_is_allowed_at_the_port_that_was_written() -> None:
    allow = AllowList(["127.0.0.1:8931", "Wiki.Home", "[::1]:80", "fd00::5"])
    check_literal("http://127.0.0.1:8931/x", allow)
    check_literal("http://[::1]/x", allow)
    check_literal("http://[fd00::5]:99/x", allow)
    assert allow.has("wiki.home", 1234)
    with pytest.raises(Fault):
        check_literal("http://127.0.0.1:8932/x", allow)
    with pytest.raises(Fault):
        check_literal("http://[::1]:81/x", allow)


def test_a_name_is_left_to_the_resolver() -> None:
    check_literal("http://localhost/", AllowList([]))


async def _addresses(name: str, allow: AllowList) -> list[str]:
    resolver = GuardedResolver(aiohttp.ThreadedResolver(), allow)
    try:
        found = await resolver.resolve(name, 80, socket.AF_INET)
    finally:
        await resolver.close()
    return [one["host"] for one in found]


def test_a_name_that_leads_to_this_machine_is_forbidden() -> None:
    with pytest.raises(Fault) as caught:
        asyncio.run(_addresses("localhost", AllowList([])))
    assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS


def test_an_allowed_name_may_lead_to_this_machine() -> None:
    found = asyncio.run(_addresses("localhost", AllowList(["localhost:80"])))
    assert found == ["127.0.0.1"]


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://wiki.lan/",
        "http://wiki.lan:80",
        "wiki.lan/w",
        "wiki.lan:99999",
        "wiki.lan:0",
        "wiki.lan:",
        "wiki.lan:8o",
        "user@wiki.lan",
        "10.0.0.0/8",
        "256.1.1.1",
        "*.lan",
        "a b",
        "[::1",
        "a:b:c",
        '["127.0.0.1:8971"]',
    ],
)
def test_an_entry_that_is_no_host_is_wrong_use(entry: str) -> None:
    with pytest.raises(WrongUse, match=re.escape(f"harvest.allow_hosts: {entry!r}")):
        AllowList(["127.0.0.1", entry])


def test_a_host_is_allowed_however_it_is_written() -> None:
    allow = AllowList(["München.lan", "wiki.lan.", "127.1:80", "fd00:0::5"])
    assert allow.has("xn--mnchen-3ya.lan", 80)
    assert allow.has("münchen.lan", 80)
    assert allow.has("wiki.lan", 80)
    assert allow.has("127.0.0.1", 80)
    assert allow.has("fd00::5", 80)
