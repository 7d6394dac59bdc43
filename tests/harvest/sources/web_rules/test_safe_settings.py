"""Scrapy's settings as a live crawler has them."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from icf.harvest.sources.web_rules.messages import Setup, write_setup
from icf.settings import HarvestSettings

TABLE = {
    "name": "toons",
    "kind": "web",
    "max_page_bytes": 1000,
    "delay": 2,
    "albums": {"start": ["http://a.org/"], "link": "css: a"},
    "images": {"url": "css: img"},
}

#: What a crawler tells of itself once its spider is open.
_PROBE = """
import json, sys
from icf.harvest.sources.web_rules import crawl
from icf.harvest.sources.web_rules.channel import Channel
from icf.harvest.sources.web_rules.messages import read_setup
from scrapy import signals
from scrapy.utils.misc import load_object
from scrapy.utils.reactor import install_reactor
setup = read_setup(sys.stdin.buffer.readline())
install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
from twisted.internet import reactor
crawler = crawl.new_crawler(setup)
def kinds(manager):
    return [type(one).__name__ for one in manager.middlewares]
def report():
    engine = crawler.engine
    handlers = engine.downloader.handlers
    values = {k: v for k, v in crawler.settings.items() if k.isupper()}
    components = {
        "middlewares": kinds(engine.downloader.middleware),
        "extensions": kinds(crawler.extensions),
        "pipelines": kinds(engine.scraper.itemproc),
        "schemes": [s for s in ("http", "https", "file", "ftp", "s3", "data")
                    if handlers._get_handler(s) is not None],
        "scheduler": type(engine.scheduler).__name__,
    }
    print(json.dumps({"settings": values, **components}, default=str))
    reactor.stop()
crawler.signals.connect(report, signals.engine_started, weak=False)
crawler.crawl(crawl._table(setup), setup.settings, Channel(sys.stderr.buffer))
reactor.run()
"""


def live(**settings: Any) -> dict[str, Any]:
    setup = Setup(
        TABLE,
        HarvestSettings(deadline=7, per_host=3, **settings),
        "icf/1 (+me@example.org)",
        logging.ERROR,
    )
    done = subprocess.run(
        [sys.executable, "-c", _PROBE],
        input=write_setup(setup),
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def crawler() -> dict[str, Any]:
    return live()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ROBOTSTXT_OBEY", True),
        ("USER_AGENT", "icf/1 (+me@example.org)"),
        ("AUTOTHROTTLE_ENABLED", True),
        ("AUTOTHROTTLE_START_DELAY", 2.0),
        ("DOWNLOAD_DELAY", 2.0),
        ("CONCURRENT_REQUESTS", 16),
        ("CONCURRENT_REQUESTS_PER_DOMAIN", 3),
        ("COOKIES_ENABLED", False),
        ("TELNETCONSOLE_ENABLED", False),
        ("REMOTE_CONTROL_ENABLED", False),
        ("HTTPPROXY_ENABLED", False),
        ("HTTPCACHE_ENABLED", False),
        ("METAREFRESH_ENABLED", False),
        ("RETRY_ENABLED", False),
        ("REDIRECT_MAX_TIMES", 5),
        ("DOWNLOAD_MAXSIZE", 1000),
        ("DOWNLOAD_TIMEOUT", 7.0),
        ("REFERRER_POLICY", "same-origin"),
        ("MEMUSAGE_ENABLED", True),
        ("MEMUSAGE_LIMIT_MB", 300),
        ("JOBDIR", None),
    ],
)
def test_a_live_crawler_has_the_safe_value(
    crawler: dict[str, Any], setting: str, value: object
) -> None:
    assert crawler["settings"][setting] == value


def test_only_the_web_can_be_asked(crawler: dict[str, Any]) -> None:
    assert crawler["schemes"] == ["http", "https"]


def test_the_middlewares_that_run_are_these(crawler: dict[str, Any]) -> None:
    assert crawler["middlewares"] == [
        "StayOnSite",
        "ObeyRobots",
        "DownloadTimeoutMiddleware",
        "DefaultHeadersMiddleware",
        "UserAgentMiddleware",
        "Retries",
        "RedirectMiddleware",
        "DownloaderStats",
        "Guard",
    ]
    assert crawler["scheduler"] == "CatalogueScheduler"
    assert crawler["pipelines"] == ["SendReplies"]


def test_nothing_listens_and_nothing_is_kept(crawler: dict[str, Any]) -> None:
    assert not {"TelnetConsole", "RemoteControl", "SpiderState", "FeedExporter"} & set(
        crawler["extensions"]
    )
    wanted = {"AutoThrottle", "OwnMemoryUsage"}
    assert wanted <= set(crawler["extensions"])


@pytest.mark.slow
def test_robots_are_not_asked_where_the_user_says_so() -> None:
    found = live(respect_robots=False)
    assert "ObeyRobots" not in found["middlewares"]
