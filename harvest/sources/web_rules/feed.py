"""Send listings from the catalogue to a Scrapy process, and store what it finds."""

from __future__ import annotations

import logging

from icf.codes import FetchStatus
from icf.errors import BrokenMachine
from icf.harvest.http.dns_health import dns_is_down
from icf.harvest.sources.base import Listing, Listings
from icf.harvest.sources.web_rules.messages import Reply, Setup
from icf.harvest.sources.web_rules.process import ScrapyProcess
from icf.harvest.sources.web_rules.safe_settings import IN_FLIGHT

log = logging.getLogger(__name__)

#: How the fault of a page begins that got no answer.
_SILENCES = (f"{FetchStatus.TIMEOUT}:", f"{FetchStatus.UNREACHABLE}:")


class Feed:
    """Processes the listings of one site.

    A process that crashes, or that grows too large, is replaced. To find the page that
    it crashes on, the next one gets one page, then two, then four; a page that crashes
    a process alone is a failure.

    Args:
        listings: those that wait.
        setup: of the process.
    """

    def __init__(self, listings: Listings, setup: Setup) -> None:
        self._listings = listings
        self._setup = setup
        self._width = IN_FLIGHT

    async def run(self) -> None:
        """Work until nothing waits.

        Raises:
            BrokenMachine: Scrapy does not start, or DNS does not answer.
        """
        while await self._listings.waiting(1):
            async with ScrapyProcess(self._setup) as process:
                if await process.receive() is None:
                    raise BrokenMachine(
                        f"{self._setup.table.get('name')}: Scrapy does not start "
                        f"({process.how_it_ended}); its messages are above"
                    )
                left = await self._work(process)
                if left:
                    await self._after_crash(process, left)

    async def _work(self, process: ScrapyProcess) -> list[Listing]:
        """Return the listings that the process had when it ended, if it crashed."""
        held: dict[int, Listing] = {}
        while True:
            if (free := self._width - len(held)) > 0:
                for listing in await self._listings.waiting(free, held):
                    held[listing.id] = listing
                    await process.send(listing)
            if not held:
                return []
            reply = await process.receive()
            if reply is None:
                return list(held.values())
            if reply.halt is not None:
                raise dns_is_down(reply.halt)
            if reply.id in held:
                await self._store(held.pop(reply.id), reply)
                self._width = min(2 * self._width, IN_FLIGHT)

    async def _store(self, listing: Listing, reply: Reply) -> None:
        if reply.answer is not None:
            await self._listings.answer(listing, reply.answer)
        else:
            fault = reply.fault or "no reason was given"
            is_silence = fault.startswith(_SILENCES)
            await self._listings.fail(listing, fault, is_silence=is_silence)

    async def _after_crash(self, process: ScrapyProcess, left: list[Listing]) -> None:
        log.warning("Scrapy ended (%s); starting it again", process.how_it_ended)
        if len(left) == 1:
            text = f"Scrapy crashed on it ({process.how_it_ended})"
            fault = f"{FetchStatus.HTTP_ERROR}: {text}"
            await self._listings.fail(left[0], fault)
        self._width = 1
