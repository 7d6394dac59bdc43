"""Scrapy's settings, without its unsafe defaults."""

from __future__ import annotations

from typing import Any

from icf.harvest.http.session import MAX_REDIRECTS
from icf.harvest.sources.web_rules.messages import Setup
from icf.harvest.sources.web_rules.tables import WebTable

_PACKAGE = "icf.harvest.sources.web_rules"
#: Pages that are being requested, or wait for their host.
IN_FLIGHT = 16
#: Above this the process ends, and another one continues from the catalogue.
MEMORY_MIB = 300


def safe_settings(setup: Setup, table: WebTable) -> dict[str, Any]:
    """Return the settings of a crawl; safe defaults of Scrapy are listed too.

    Args:
        setup: with the settings of the harvest.
        table: the site's rules.
    """
    harvest = setup.settings
    page_bytes = min(table.max_page_bytes, harvest.max_bytes)
    return {
        **_POLITE,
        **_CLOSED,
        "USER_AGENT": setup.agent,
        # Obeyed by our own middleware: Scrapy's treats a broken answer as permission.
        "ROBOTSTXT_OBEY": harvest.respect_robots,
        "CONCURRENT_REQUESTS_PER_DOMAIN": harvest.per_host,
        "DOWNLOAD_DELAY": table.delay,
        "AUTOTHROTTLE_START_DELAY": table.delay,
        "AUTOTHROTTLE_MAX_DELAY": max(60.0, table.delay),
        "DOWNLOAD_MAXSIZE": page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": harvest.deadline,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
    }


_POLITE: dict[str, Any] = {
    "AUTOTHROTTLE_ENABLED": True,
    "CONCURRENT_REQUESTS": IN_FLIGHT,
    "COMPRESSION_ENABLED": False,  # `downloads` unpacks, and says what is damaged
    "DEPTH_LIMIT": 0,  # depth is bounded by the rules, and kept in the catalogue
    "REDIRECT_ENABLED": True,
    "METAREFRESH_ENABLED": False,
    "RETRY_ENABLED": False,  # `retries` does it, and respects Retry-After
    "REFERER_ENABLED": True,
    "REFERRER_POLICY": "same-origin",
}

_CLOSED: dict[str, Any] = {
    "SCHEDULER": f"{_PACKAGE}.scheduler.CatalogueScheduler",
    "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
    "JOBDIR": None,
    "SPIDER_MODULES": [],
    "ADDONS": {},
    "ITEM_PIPELINES": {f"{_PACKAGE}.channel.SendReplies": 100},
    "CONCURRENT_ITEMS": 4,
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 20_000_000,
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
        "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
        "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
        "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
        f"{_PACKAGE}.guard.StayOnSite": 50,
        f"{_PACKAGE}.site_robots.ObeyRobots": 100,
        f"{_PACKAGE}.retries.Retries": 550,
        f"{_PACKAGE}.guard.Guard": 950,
    },
    "DOWNLOAD_HANDLERS": {
        **{scheme: None for scheme in ("data", "file", "ftp", "s3")},
        **{
            scheme: f"{_PACKAGE}.downloads.GuardedDownloads"
            for scheme in ("http", "https")
        },
    },
    "EXTENSIONS": {
        "scrapy.extensions.telnet.TelnetConsole": None,
        "scrapy.extensions.feedexport.FeedExporter": None,
        "scrapy.extensions.remote_control.RemoteControl": None,
        "scrapy.extensions.spiderstate.SpiderState": None,
        "scrapy.extensions.memusage.MemoryUsage": None,
        f"{_PACKAGE}.own_memory.OwnMemoryUsage": 0,
    },
    "COOKIES_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "HTTPCACHE_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "FEEDS": {},
    "MEMUSAGE_ENABLED": True,
    "MEMUSAGE_LIMIT_MB": MEMORY_MIB,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 2.0,
    "LOG_ENABLED": False,  # the standard library's logging goes to stderr
    "STATS_DUMP": False,
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}
