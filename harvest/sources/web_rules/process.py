"""Start a Scrapy process from a run, and exchange messages with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import TracebackType

from icf.engine.child_process import HEADER, ChildProcess, message
from icf.harvest.sources.base import Listing
from icf.harvest.sources.web_rules.messages import (
    Reply,
    Setup,
    read_reply,
    write_listing,
    write_setup,
)

log = logging.getLogger(__name__)

#: Seconds without a heartbeat after which the process is taken to hang.
SILENCE = 60.0
_LAST_SECONDS = 5.0
_LONGEST = 1 << 28


class ScrapyProcess:
    """A running process; an asynchronous context manager.

    What it logs goes to stderr of the run.

    Args:
        setup: its table and settings.
        silence: seconds without a heartbeat after which it is killed.
    """

    def __init__(self, setup: Setup, silence: float = SILENCE) -> None:
        self._setup = setup
        self._silence = silence
        #: The signal that ended it, or its exit code; known when `receive` gave None.
        self.how_it_ended = ""

    async def __aenter__(self) -> ScrapyProcess:
        """Start it."""
        self._process = ChildProcess(
            "icf.harvest.sources.web_rules.crawl", shows_output=True
        )
        self._reader, self._writer = await asyncio.open_connection(
            sock=self._process.channel.socket
        )
        await self._write(write_setup(self._setup))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, after giving it some seconds to end by itself."""
        try:
            with contextlib.suppress(OSError):
                self._writer.write_eof()
            await asyncio.wait_for(self._until_it_ends(), _LAST_SECONDS)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._writer.transport.abort()
            self._process.close()

    async def send(self, listing: Listing) -> None:
        """Have it ask for a page."""
        await self._write(write_listing(listing))

    async def receive(self) -> Reply | None:
        """Return its next reply; None if it has ended."""
        try:
            return await asyncio.wait_for(self._receive(), self._silence)
        except asyncio.TimeoutError:
            log.warning("%s: no heartbeat of Scrapy", self._setup.table.get("name"))
            self._process.kill()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self._writer.transport.abort()
        self.how_it_ended = await asyncio.to_thread(self._process.close, _LAST_SECONDS)
        return None

    async def _receive(self) -> Reply:
        _, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        if length > _LONGEST:
            raise ConnectionError(f"a message of {length} bytes")
        return read_reply(await self._reader.readexactly(length))

    async def _until_it_ends(self) -> None:
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass

    async def _write(self, body: bytes) -> None:
        # If it has ended already, `receive` reports it.
        with contextlib.suppress(ConnectionError):
            self._writer.write(message(b"L", body))
            await self._writer.drain()
