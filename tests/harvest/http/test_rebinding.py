"""A name that leads to a public address when it is checked, and home afterwards."""

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http import addresses
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import read_body
from icf.harvest.http.session import Web
from icf.harvest.http.special_ranges import Address
from tests.harvest.download.test_fetch import SMALL

OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"


class TurningNames(AbstractResolver):
    """Answers the address of the outside once, and this machine's from then on."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        found = OUTSIDE if self.asked == 1 else INSIDE
        return [
            ResolveResult(
                hostname=host,
                host=found,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        pass


async def _answering(host: str, port: int, said: list[str]) -> asyncio.Server:
    """A server that says where it is, and closes the connection each time."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said.append(host)
        body = host.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, host, port)


def test_a_name_that_turns_inward_after_its_check_leads_nowhere_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def public(address: Address) -> bool:
        return str(address) == OUTSIDE

    # Both are loopback in truth: the test talks to nobody else.
    monkeypatch.setattr(addresses, "is_public", public)
    said: list[str] = []

    async def talk() -> None:
        outside = await _answering(OUTSIDE, 0, said)
        port = outside.sockets[0].getsockname()[1]
        inside = await _answering(INSIDE, port, said)
        url = f"http://turning.example:{port}/"
        names = TurningNames()
        async with outside, inside:
            async with Web("icf/test", AllowList([]), names=names) as web:
                for _ in range(2):
                    async with web.open(url, deadline=20.0) as response:
                        body = [piece async for piece in read_body(response, SMALL)]
                        assert b"".join(body) == OUTSIDE.encode()
            # The address that was checked is the one that is connected to, both times.
            assert names.asked == 1
            async with Web("icf/test", AllowList([]), names=names) as web:
                with pytest.raises(Fault) as caught:
                    async with web.open(url, deadline=20.0):
                        pass
        assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS

    asyncio.run(talk())
    assert said == [OUTSIDE, OUTSIDE]
