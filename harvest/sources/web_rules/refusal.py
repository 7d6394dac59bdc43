"""Why a request ends without a page: the exception, its status and its message."""

from __future__ import annotations

from scrapy import Request
from scrapy.exceptions import (
    IgnoreRequest,
    UnsupportedURLSchemeError,
)
from scrapy.spidermiddlewares.httperror import HttpError

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.statuses import fate_of_status
from icf.harvest.sources.base import Listing

#: Where a request carries the listing that it is for.
LISTING = "icf_listing"

#: Whether the robots.txt of its host speaks against training on what it gives.
RESERVES = "icf_reserves"


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


def reason_of(error: BaseException, url: str) -> str:
    """Return a status and its message, as ``icf-harvest status`` shows them.

    Args:
        error: what Scrapy or a middleware of ours ended the request with.
        url: what was asked for.
    """
    fate, message = _explained(error)
    return message if message.startswith(f"{fate}: ") else f"{fate}: {url}: {message}"


def _explained(error: BaseException) -> tuple[FetchStatus, str]:
    if isinstance(error, Refusal):
        return error.fault.fate, f"{error.fault.fate}: {error}"
    if isinstance(error, HttpError):
        status = error.response.status
        return fate_of_status(status), f"HTTP {status}"
    if isinstance(error, IgnoreRequest):
        return _ignored(str(error))
    if isinstance(error, UnsupportedURLSchemeError):
        return FetchStatus.BAD_SCHEME, "not http or https"
    return FetchStatus.UNREACHABLE, str(error) or type(error).__name__


def _ignored(text: str) -> tuple[FetchStatus, str]:
    """Return why one of Scrapy's own middlewares dropped a request."""
    if "redirection" in text:
        return FetchStatus.TOO_MANY_REDIRECTS, "more than five redirects"
    return FetchStatus.HTTP_ERROR, text
