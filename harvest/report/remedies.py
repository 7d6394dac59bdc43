"""What a person can do about a URL that brought no picture."""

from __future__ import annotations

from icf.codes import FetchStatus

_RETRY = "often passes: `icf-harvest retry`, then `icf-harvest run`"
_NOTHING = "nothing; it is not there"

REMEDIES = {
    FetchStatus.EMPTY: "look at it in a browser; if it is fine now, retry it by name",
    FetchStatus.TRUNCATED: _RETRY,
    FetchStatus.NOT_IMAGE: (
        "look at the URL: a page, or a login, where a picture should be"
    ),
    FetchStatus.TOO_LARGE: "raise harvest.max_bytes, then retry it by name",
    FetchStatus.TIMEOUT: "`icf-harvest retry`; raise harvest.deadline for slow sites",
    FetchStatus.BAD_SCHEME: "nothing; only http and https are fetched",
    FetchStatus.BAD_URL: "correct it where the source names it",
    FetchStatus.FORBIDDEN_ADDRESS: (
        "if the host is your own, add it to harvest.allow_hosts and retry it by name"
    ),
    FetchStatus.TOO_MANY_REDIRECTS: (
        "look at it in a browser; often a login or a cookie wall"
    ),
    FetchStatus.NOT_FOUND: _NOTHING,
    FetchStatus.GONE: _NOTHING,
    FetchStatus.REFUSED: (
        "set harvest.contact, ask slower (harvest.per_host), then `icf-harvest retry`"
    ),
    FetchStatus.HTTP_ERROR: _RETRY,
    FetchStatus.UNREACHABLE: _RETRY,
    FetchStatus.DISALLOWED: "leave it; ask the site's owner if you need it",
    FetchStatus.OPTED_OUT: "leave it; ask the site's owner if you need it",
    FetchStatus.HASH_MISMATCH: (
        "`icf-harvest run --refresh` for the new hash, then retry"
    ),
    FetchStatus.MISSING_FILE: _NOTHING,
    FetchStatus.MISSING_PAGE: "correct the name in icf.toml",
    FetchStatus.CORRUPT: "get the file again, and run; a changed file is read again",
    FetchStatus.ENCRYPTED: "put a copy without a password in its place, and run",
    FetchStatus.UNSUPPORTED: "nothing; this kind is not read (an extra may be missing)",
    FetchStatus.BAD_MEMBER: "distrust the file; pack it again if it is your own",
    FetchStatus.OTHER_LICENCE: "nothing; or add its licence to harvest.only_licence",
    FetchStatus.TAKEN_DOWN: "nothing; it was withdrawn for good",
}
