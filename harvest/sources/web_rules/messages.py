"""The messages between the run and its Scrapy process: JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from icf.harvest.sources.base import Listing, ListingPage
from icf.settings import HarvestSettings


@dataclass(frozen=True)
class Setup:
    """The first message to the process.

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
    """A message from the process.

    Attributes:
        id: of the listing that it is about; None for a heartbeat.
        answer: what its page named.
        fault: why there is no answer.
        halt: why nothing can be requested at all.
    """

    id: int | None = None
    answer: ListingPage | None = None
    fault: str | None = None
    halt: str | None = None


_SETUP = pydantic.TypeAdapter(Setup)
_LISTING = pydantic.TypeAdapter(Listing)
_REPLY = pydantic.TypeAdapter(Reply)


def write_setup(setup: Setup) -> bytes:
    """Return the message of a setup."""
    return _SETUP.dump_json(setup)


def read_setup(body: bytes) -> Setup:
    """Return the setup of a message."""
    return _SETUP.validate_json(body)


def write_listing(listing: Listing) -> bytes:
    """Return the message of a listing."""
    return _LISTING.dump_json(listing)


def read_listing(body: bytes) -> Listing:
    """Return the listing of a message."""
    return _LISTING.validate_json(body)


def write_reply(reply: Reply) -> bytes:
    """Return the message of a reply."""
    return _REPLY.dump_json(reply, exclude_defaults=True)


def read_reply(body: bytes) -> Reply:
    """Return the reply of a message."""
    return _REPLY.validate_json(body)
