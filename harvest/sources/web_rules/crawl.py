"""The Scrapy process, started by a run.

Twisted's reactor is one for a whole process and cannot be started twice, and a parser
can crash on a page; so Scrapy has a process of its own. It receives listings and sends
replies. When the run closes its end, the process ends too.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import Any, NoReturn

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.reactor import install_reactor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from icf.engine import child_process
from icf.harvest.sources.base import read_table
from icf.harvest.sources.web_rules.channel import Channel
from icf.harvest.sources.web_rules.messages import (
    Reply,
    Setup,
    read_listing,
    read_setup,
)
from icf.harvest.sources.web_rules.safe_settings import safe_settings
from icf.harvest.sources.web_rules.spider import RulesSpider, spider_of
from icf.harvest.sources.web_rules.tables import WebTable

log = logging.getLogger(__name__)

#: Seconds between heartbeats.
HEARTBEAT = 5.0
_LAST_SECONDS = 3.0


def main(run: child_process.Channel) -> NoReturn:
    """Answer listings until the run closes the channel."""
    setup = read_setup(run.receive()[1])
    logging.basicConfig(level=setup.log_level, format="%(message)s", stream=sys.stderr)
    for library in ("scrapy", "twisted", "py.warnings"):
        logging.getLogger(library).setLevel(max(setup.log_level, logging.ERROR))
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    code = _crawl(setup, run)
    logging.shutdown()
    # The thread that waits for listings cannot be ended otherwise.
    os._exit(code)


def new_crawler(setup: Setup) -> Crawler:
    """Return a crawler with our settings, before its crawl."""
    return Crawler(RulesSpider, safe_settings(setup, _table(setup)))


def _table(setup: Setup) -> WebTable:
    return read_table(WebTable, setup.table)


def _crawl(setup: Setup, run: child_process.Channel) -> int:
    """Return the exit code."""
    codes, reactor, channel = [0], _reactor(), Channel(run)
    crawler = new_crawler(setup)

    def opened() -> None:
        # First the thread: if the run has ended already, sending fails.
        threading.Thread(target=_read, args=(crawler, run), daemon=True).start()
        channel.send(Reply())
        LoopingCall(channel.send, Reply()).start(HEARTBEAT, now=False)

    def ended(result: object) -> None:
        if isinstance(result, Failure):
            log.error(result.getTraceback())
            codes.append(1)
        _stop()

    crawler.signals.connect(opened, signals.engine_started, weak=False)
    crawling = crawler.crawl(_table(setup), setup.settings, channel)
    crawling.addBoth(ended)
    reactor.run()
    return codes[-1]


def _read(crawler: Crawler, run: child_process.Channel) -> None:
    """Pass listings to the spider; a thread, so that it sees the channel's end."""
    reactor = _reactor()
    for _, body in run:
        listing = read_listing(body)
        reactor.callFromThread(spider_of(crawler).ask, listing)
    reactor.callFromThread(_stop)
    time.sleep(_LAST_SECONDS)
    os._exit(1)  # it hangs in a page; nothing in memory is needed


def _reactor() -> Any:
    from twisted.internet import reactor  # importing it earlier would install another

    return reactor


def _stop() -> None:
    reactor = _reactor()
    if reactor.running:
        reactor.stop()
