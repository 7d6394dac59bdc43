"""The process's way back to the run: replies on what was its stdout."""

from __future__ import annotations

import os
from typing import BinaryIO

from scrapy.crawler import Crawler

from icf.harvest.sources.web_rules.messages import Reply, write_reply


class Channel:
    """Sends replies.

    Args:
        out: where they go.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def send(self, reply: Reply) -> None:
        """Send a reply; wait while the run stores earlier ones."""
        self._out.write(write_reply(reply))
        self._out.flush()


def take_stdout() -> Channel:
    """Keep stdout for replies: what else is printed goes to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return Channel(out)


class SendReplies:
    """The item pipeline: every item is a `Reply`, and the run stores it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SendReplies:
        """Make the pipeline of a crawl by `RulesSpider`."""
        return cls(crawler.spider.channel)  # type: ignore[union-attr]

    def process_item(self, item: Reply) -> Reply:
        """Send an item."""
        self._channel.send(item)
        return item
