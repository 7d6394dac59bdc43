"""The process's way back to the run: it sends replies."""

from __future__ import annotations

from scrapy.crawler import Crawler

from icf.engine import child_process
from icf.harvest.sources.web_rules.messages import Reply, write_reply


class Channel:
    """Sends replies.

    Args:
        run: the channel to the run.
    """

    def __init__(self, run: child_process.Channel) -> None:
        self._run = run

    def send(self, reply: Reply) -> None:
        """Send a reply; wait while the run stores earlier ones."""
        self._run.send(b"R", write_reply(reply))


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
