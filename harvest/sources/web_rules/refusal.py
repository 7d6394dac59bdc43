"""The exception with which our middlewares end a request."""

from __future__ import annotations

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Listing

#: Where a request carries the listing that it is for.
LISTING = "icf_listing"


class Refusal(IgnoreRequest):
    """A request ends without a response.

    Args:
        fault: why.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def refuse(fate: FetchStatus, message: str) -> Refusal:
    """Return the refusal for a reason."""
    return Refusal(Fault(fate, message))


def listing_of(request: Request) -> Listing | None:
    """Return what a request is for; None for a robots.txt."""
    found = request.meta.get(LISTING)
    return found if isinstance(found, Listing) else None
