"""The Scrapy process as the run sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from types import TracebackType

from icf.harvest.sources.base import Listing
from icf.harvest.sources.web_rules.messages import (
    Reply,
    Setup,
    read_reply,
    write_listing,
    write_setup,
)

log = logging.getLogger(__name__)

#: Seconds without a sign of life after which the process hangs in a page.
SILENCE = 60.0
_LONGEST_LINE = 1 << 28
_LAST_SECONDS = 5.0


class ScrapyProcess:
    """A running process; an asynchronous context manager.

    Args:
        setup: what it is to do.
        silence: seconds without a sign of life after which it is killed.
    """

    def __init__(self, setup: Setup, silence: float = SILENCE) -> None:
        self._setup = setup
        self._silence = silence
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> ScrapyProcess:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "icf.harvest.sources.web_rules.crawl",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            # Ctrl-C reaches the run alone, which ends this process in its turn.
            start_new_session=True,
        )
        await self._write(write_setup(self._setup))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, in good order where it still can."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _LAST_SECONDS)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            self._kill()
            await self._process.wait()

    @property
    def how_it_ended(self) -> str:
        """Its exit code in words."""
        assert self._process is not None
        return f"exit code {self._process.returncode}"

    async def send(self, listing: Listing) -> None:
        """Have it ask for a page."""
        await self._write(write_listing(listing))

    async def receive(self) -> Reply | None:
        """Return its next reply; None where it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(
                self._process.stdout.readline(), self._silence
            )
        except asyncio.TimeoutError:
            log.warning("%s: no sign of life of Scrapy", self._setup.table.get("name"))
            self._kill()
            line = b""
        if not line.endswith(b"\n"):
            await self._process.wait()
            return None
        return read_reply(line)

    async def _write(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        # Where it is dead already, `receive` tells.
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(line)
            await self._process.stdin.drain()

    def _kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
