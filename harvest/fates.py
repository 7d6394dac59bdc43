"""Groups of fetch statuses, counts of URLs by them, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icf.codes import FETCHED, FetchStatus

#: Decided when the URL is listed; such a URL does not count towards a limit.
NEVER_FETCHED = (
    FetchStatus.BAD_SCHEME,
    FetchStatus.BAD_URL,
    FetchStatus.MISSING_FILE,
    FetchStatus.MISSING_PAGE,
    FetchStatus.OTHER_LICENCE,
    FetchStatus.TAKEN_DOWN,
)

#: Failures that may pass by themselves; what `retry` takes by default.
TEMPORARY = (
    FetchStatus.TRUNCATED,
    FetchStatus.TIMEOUT,
    FetchStatus.UNREACHABLE,
    FetchStatus.HTTP_ERROR,
    FetchStatus.REFUSED,
    FetchStatus.HASH_MISMATCH,
)

#: The address is gone; another address of the same picture may be there.
GONE = (
    FetchStatus.NOT_FOUND,
    FetchStatus.GONE,
    FetchStatus.REFUSED,
    FetchStatus.UNREACHABLE,
    FetchStatus.TIMEOUT,
    FetchStatus.HTTP_ERROR,
    FetchStatus.TRUNCATED,
    FetchStatus.EMPTY,
    FetchStatus.NOT_IMAGE,
    FetchStatus.TOO_MANY_REDIRECTS,
)

#: What `retry` can take.
RETRYABLE = tuple(
    fate
    for fate in FetchStatus
    if fate
    not in (
        FetchStatus.PENDING,
        FetchStatus.MISSING_FILE,
        FetchStatus.MISSING_PAGE,
        FetchStatus.TAKEN_DOWN,
    )
)

_RETRY = "often temporary: `icf-harvest retry`, then `icf-harvest run`"
_NOTHING = "nothing; it is not there"

#: What a person can do about a URL without a picture.
REMEDIES = {
    FetchStatus.EMPTY: (
        "look at it in a browser; if it is fine now, `icf-harvest retry --fate empty`"
    ),
    FetchStatus.TRUNCATED: _RETRY,
    FetchStatus.NOT_IMAGE: (
        "look at the URL: a page, or a login, where a picture should be. Of your own "
        'files: PDF, CBZ and CBR are read by kind = "comic"; save others as PNG'
    ),
    FetchStatus.TOO_LARGE: (
        "raise harvest.max_bytes, or harvest.max_pixels, as its message says, then "
        "`icf-harvest retry --fate too_large`"
    ),
    FetchStatus.TIMEOUT: "`icf-harvest retry`; raise harvest.deadline for slow sites",
    FetchStatus.BAD_SCHEME: "nothing; only http and https are fetched",
    FetchStatus.BAD_URL: "correct it where the source names it",
    FetchStatus.FORBIDDEN_ADDRESS: (
        "if the host is your own, add it to harvest.allow_hosts, then "
        "`icf-harvest retry --fate forbidden_address`"
    ),
    FetchStatus.TOO_MANY_REDIRECTS: (
        "look at it in a browser; often a login or a cookie wall"
    ),
    FetchStatus.NOT_FOUND: (
        "nothing; it is not there. Your own files: put them back, or mount their disk, "
        "then run"
    ),
    FetchStatus.GONE: _NOTHING,
    FetchStatus.REFUSED: (
        "set harvest.contact, send fewer requests (harvest.per_host), then "
        "`icf-harvest retry`"
    ),
    FetchStatus.HTTP_ERROR: _RETRY,
    FetchStatus.UNREACHABLE: _RETRY,
    FetchStatus.DISALLOWED: "nothing; ask the site's owner if you need it",
    FetchStatus.OPTED_OUT: (
        "nothing; ask the site's owner if you need it. Where its message speaks of "
        'training, harvest.no_training = "count" stores it, then '
        "`icf-harvest retry --fate opted_out`"
    ),
    FetchStatus.NO_TRAINING: (
        'nothing; harvest.no_training = "count" stores such pictures, then '
        "`icf-harvest retry --fate no_training`"
    ),
    FetchStatus.HASH_MISMATCH: (
        "`icf-harvest run --refresh` for the new hash, then retry"
    ),
    FetchStatus.MISSING_FILE: _NOTHING,
    FetchStatus.MISSING_PAGE: "correct the name in icf.toml",
    FetchStatus.CORRUPT: "get the file again, then run; a changed file is read again",
    FetchStatus.ENCRYPTED: "replace it with a copy without a password, then run",
    FetchStatus.UNSUPPORTED: "nothing; this kind is not read (an extra may be missing)",
    FetchStatus.BAD_MEMBER: "do not trust the file; repack it if it is your own",
    FetchStatus.OTHER_LICENCE: (
        "nothing; or add its licence to harvest.only_licence, then "
        "`icf-harvest retry --fate other_licence`"
    ),
    FetchStatus.TAKEN_DOWN: "nothing; it was withdrawn permanently",
}


@dataclass(frozen=True)
class UrlCounts:
    """How many URLs have their bytes, wait, or failed."""

    stored: int = 0
    pending: int = 0
    failed: int = 0


def url_counts(fates: Mapping[str, int]) -> UrlCounts:
    """Sum counts by fate.

    >>> url_counts({"stored": 3, "unchanged": 1, "pending": 2, "gone": 5})
    UrlCounts(stored=4, pending=2, failed=5)
    """
    stored = sum(fates.get(fate, 0) for fate in FETCHED)
    pending = fates.get(FetchStatus.PENDING.value, 0)
    return UrlCounts(stored, pending, sum(fates.values()) - stored - pending)


def in_order(fates: Mapping[str, int]) -> dict[str, int]:
    """Return counts by fate in the order of the codes, without those of zero."""
    known = (fate.value for fate in FetchStatus)
    return {fate: fates[fate] for fate in known if fates.get(fate)}
