"""Everything a hostile site can do, in one run: each URL ends with exactly its fate."""

import asyncio
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from icf.catalogue.schema import url
from tests.harvest.rows import all_of
from tests.harvest.test_run import png, workspace
from tests.harvest.wire import Handler, Site, answer, redirect, reset

pytestmark = pytest.mark.slow

CAP, MOST_MEMORY_MIB = 2_000_000, 300


async def _short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + png(1))
    await writer.drain()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _short(reader, writer)
    transport = writer.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(png(1) * 500)
        await writer.drain()


async def _endless_head(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    pack = zlib.compressobj(wbits=31)
    for _ in range(500):
        writer.write(pack.compress(bytes(1_000_000)))
        await writer.drain()
    writer.write(pack.flush())
    await writer.drain()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for byte in png(1):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.2)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def _promise(size: int) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    return head + png(1) * 3


#: What a path answers, and the fate of its URL.
ANSWERS: dict[str, tuple[bytes | Handler, str]] = {
    "/short": (_short, "truncated"),
    "/reset": (_reset, "truncated"),
    "/reset-at-once": (reset, "truncated"),
    "/hang-up": (_hang_up, "unreachable"),
    "/endless": (_endless, "too_large"),
    "/endless-head": (_endless_head, "http_error"),
    "/promises-much": (_promise(CAP + 1), "too_large"),
    "/promises-little": (_promise(5), "http_error"),
    "/bomb": (_bomb, "too_large"),
    "/drip": (_drip, "timeout"),
    "/silent": (_silent, "timeout"),
    "/empty": (answer(b""), "empty"),
    "/page.jpg": (answer(b"<html>no picture</html>"), "not_image"),
    "/loop": (redirect("/loop"), "too_many_redirects"),
    "/not-found": (answer(b"", "404 Not Found"), "not_found"),
    "/gone": (answer(b"", "410 Gone"), "gone"),
    "/unauthorised": (answer(b"", "401 Unauthorized"), "refused"),
    "/forbidden": (answer(b"", "403 Forbidden"), "refused"),
    "/broken": (answer(b"", "500 Oops"), "http_error"),
    "/private/1.png": (answer(png(1)), "disallowed"),
    "/to-private": (redirect("/private/1.png"), "disallowed"),
    "/good.png": (answer(png(1)), "stored"),
    "/the-same.png": (answer(png(1)), "stored"),
    "/a%20space/%C3%A9/100%25.png": (answer(png(2)), "stored"),
    **{
        f"/{word}": (answer(png(1), X_Robots_Tag=word), "opted_out")
        for word in ("noai", "noimageai", "noml", "noindex", "noimageindex")
    },
}

#: Where nothing may lead, on a list or by a redirect, and the fate of such a URL.
NOWHERE = {
    "file:///etc/passwd": "bad_scheme",
    "ftp://a.example/1.png": "bad_scheme",
    "data:image/png;base64": "bad_scheme",
    "javascript:alert(1)": "bad_scheme",
    "http://a..b.example/1.png": "bad_url",
    "http://[fe80::1%25eth0]/": "forbidden_address",
    "http://127.0.0.1:1/": "forbidden_address",
    "http://localhost:1/": "forbidden_address",
    "http://10.1.2.3/": "forbidden_address",
    "http://172.16.0.1/": "forbidden_address",
    "http://192.168.0.1/": "forbidden_address",
    "http://169.254.169.254/latest/": "forbidden_address",
    "http://100.64.0.1/": "forbidden_address",
    "http://0.0.0.0/": "forbidden_address",
    "http://2130706433/0": "forbidden_address",
    "http://017700000001/1": "forbidden_address",
    "http://0x7f.1/2": "forbidden_address",
    "http://127.1/3": "forbidden_address",
    "http://[::1]/": "forbidden_address",
    "http://[::]/": "forbidden_address",
    "http://[::ffff:10.0.0.1]/": "forbidden_address",
    "http://[::127.0.0.1]/": "forbidden_address",
    "http://[64:ff9b::7f00:1]/": "forbidden_address",
    "http://[64:ff9b:1::7f00:1]/": "forbidden_address",
    "http://[2002:7f00:1::]/": "forbidden_address",
    "http://[fc00::1]/": "forbidden_address",
    "http://[fe80::1]/": "forbidden_address",
    "http://224.0.0.1/": "forbidden_address",
}


#: What a process held begins with what the one that started it held: a small one
#: stands between it and the test.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.stdout, used.ru_maxrss]))
"""


def run_measured(root: Path) -> tuple[dict[str, object], float]:
    """Run `icf-harvest run`; what it says, and the most memory it held, in MiB."""
    program = Path(sys.executable).with_name("icf-harvest")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ICF_")}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, program, "run", "-C", root, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    said, most = json.loads(done.stdout)
    return json.loads(said), most / 1024


def test_each_hostile_url_ends_with_its_one_fate_in_little_memory(
    site: Site, tmp_path: Path
) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nDisallow: /private/\n"))
    busy = answer(b"", "429 Slow Down", Retry_After="1")
    wanted = {site.route("/busy.png", busy, answer(png(3))): "stored"}
    for path, (reply, fate) in ANSWERS.items():
        wanted[site.route(path, reply)] = fate
    listed = [*wanted, *NOWHERE]
    for number, (place, fate) in enumerate(NOWHERE.items()):
        led = site.route(f"/led/{number}", redirect(place))
        wanted[led] = fate
        listed.append(led)
    made = workspace(
        tmp_path / "ws", site, *listed, attempts=2, max_bytes=CAP, deadline=2.0
    )
    _, memory = run_measured(made.root)
    rows = all_of(made.catalogue, url)
    fates = {row["original"] or row["url"]: row["fate"] for row in rows}
    assert fates == {**wanted, **NOWHERE}
    assert all(row["message"] for row in rows if row["fate"] != "stored")
    assert {row["leased_by"] for row in rows} == {None}
    assert "/private/1.png" not in site.asked
    assert memory < MOST_MEMORY_MIB


@pytest.mark.parametrize(
    "written", ["/a space/é/100%.png", "/a%20space/%c3%a9/100%.png"]
)
def test_a_url_is_asked_for_as_it_is_meant_and_kept_as_it_was_written(
    site: Site, tmp_path: Path, written: str
) -> None:
    site.route("/a%20space/%C3%A9/100%25.png", answer(png(1)))
    site.route("/a%20space/%c3%a9/100%25.png", answer(png(1)))
    made = workspace(tmp_path / "ws", site, site.url(written))
    run_measured(made.root)
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["original"]) == ("stored", site.url(written))
