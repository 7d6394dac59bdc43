"""What the run and its Scrapy process say to each other: one JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from icf.harvest.sources.base import Listing, ListingPage
from icf.settings import HarvestSettings


@dataclass(frozen=True)
class Setup:
    """The first line to the process.

    Attributes:
        table: the ``[[source]]`` table.
        settings: of the harvest.
        agent: the User-Agent header.
        log_level: of the standard library's logging.
    """

    table: Mapping[str, Any]
    settings: HarvestSettings
    agent: str
    log_level: int


@dataclass(frozen=True)
class Reply:
    """A line from the process.

    Attributes:
        id: of the listing that it is about; None for a sign of life.
        answer: what its page named.
        fault: why there is no answer.
        halt: why nothing can be asked at all.
    """

    id: int | None = None
    answer: ListingPage | None = None
    fault: str | None = None
    halt: str | None = None


_SETUP = pydantic.TypeAdapter(Setup)
_LISTING = pydantic.TypeAdapter(Listing)
_REPLY = pydantic.TypeAdapter(Reply)


def write_setup(setup: Setup) -> bytes:
    """Return the line of a setup."""
    return _SETUP.dump_json(setup) + b"\n"


def read_setup(line: bytes) -> Setup:
    """Return the setup of a line."""
    return _SETUP.validate_json(line)


def write_listing(listing: Listing) -> bytes:
    """Return the line of a listing."""
    return _LISTING.dump_json(listing) + b"\n"


def read_listing(line: bytes) -> Listing:
    """Return the listing of a line."""
    return _LISTING.validate_json(line)


def write_reply(reply: Reply) -> bytes:
    """Return the line of a reply."""
    return _REPLY.dump_json(reply, exclude_defaults=True) + b"\n"


def read_reply(line: bytes) -> Reply:
    """Return the reply of a line."""
    return _REPLY.validate_json(line)
