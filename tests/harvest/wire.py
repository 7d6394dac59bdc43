"""A site on loopback that can misbehave in every way a wire allows."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

JPEG = b"\xff\xd8\xff\xe0 a small picture \xff\xd9"


def answer(body: bytes = JPEG, status: str = "200 OK", **headers: str) -> bytes:
    """The bytes of a whole response; header names with _ for -."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str) -> bytes:
    """A 302 to somewhere."""
    return answer(b"", "302 Found", Location=location)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection before any byte of an answer."""
    at_once = struct.pack("ii", 1, 0)
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


@contextmanager
def full_queue() -> Iterator[str]:
    """A host that takes no connection."""
    with socket.socket() as full, socket.socket() as waits, socket.socket() as more:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (waits, more):  # its queue is full now
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"


class NamesOfTheTest(AbstractResolver):
    """A name service with the names that a test needs; it can be silent for a while."""

    def __init__(self, names: dict[str, str], silent: int = 0) -> None:
        self._names = names
        self.silent = silent

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.silent -= 1
        if self.silent >= 0 or host not in self._names:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [
            ResolveResult(
                hostname=host,
                host=self._names[host],
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        pass


class Site:
    """Routes are raw responses, one per ask (the last one stays), or handlers."""

    def __init__(self) -> None:
        self.routes: dict[str, list[bytes | Handler]] = {}
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.connections = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.host = ""

    def route(self, path: str, *answers: bytes | Handler) -> str:
        """Serve answers at a path; return its URL."""
        self.routes[path] = list(answers)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def begin(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Awaitable[None]:
        """Serve a connection, which is closed at the end whatever becomes of it."""
        self.writers.add(writer)
        return self.serve(reader, writer)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ")[1]
                self.asked.append(path)
                self.heads.append(head)
                bare = path.partition("?")[0]
                known = (
                    self.routes.get(path)
                    or self.routes.get(bare)
                    or [answer(b"", "404 Not Found")]
                )
                reply = known.pop(0) if len(known) > 1 else known[0]
                if not isinstance(reply, bytes):
                    await reply(reader, writer)
                    break
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a `Site` in a thread of its own."""
    site = Site()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = asyncio.Event()

    async def live() -> None:
        server = await asyncio.start_server(site.begin, "127.0.0.1", 0, ssl=tls)
        site.port = server.sockets[0].getsockname()[1]
        site.host = f"127.0.0.1:{site.port}"
        ready.set()
        await stop.wait()
        for _ in range(2):  # a connection that was just taken begins; it would leak
            await asyncio.sleep(0)
        server.close()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        for writer in site.writers:
            writer.transport.abort()  # of what is not sent nothing is waited for
        ended = [writer.wait_closed() for writer in site.writers]
        await asyncio.gather(*ended, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    ready.wait()
    try:
        yield site
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
