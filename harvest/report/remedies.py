"""What a person can do about a URL that brought no picture."""

from __future__ import annotations

from icf.codes import Fate

_RETRY = "often passes: `icf-harvest retry`, then `icf-harvest run`"
_NOTHING = "nothing; it is not there"

REMEDIES = {
    Fate.EMPTY: "look at it in a browser; if it is fine now, retry it by name",
    Fate.TRUNCATED: _RETRY,
    Fate.NOT_IMAGE: "look at the URL: a page, or a login, where a picture should be",
    Fate.TOO_LARGE: "raise harvest.max_bytes, then retry it by name",
    Fate.TIMEOUT: "`icf-harvest retry`; raise harvest.deadline for slow sites",
    Fate.BAD_SCHEME: "nothing; only http and https are fetched",
    Fate.BAD_URL: "correct it where the source names it",
    Fate.FORBIDDEN_ADDRESS: (
        "if the host is your own, add it to harvest.allow_hosts and retry it by name"
    ),
    Fate.TOO_MANY_REDIRECTS: "look at it in a browser; often a login or a cookie wall",
    Fate.NOT_FOUND: _NOTHING,
    Fate.GONE: _NOTHING,
    Fate.REFUSED: (
        "set harvest.contact, ask slower (harvest.per_host), then `icf-harvest retry`"
    ),
    Fate.HTTP_ERROR: _RETRY,
    Fate.UNREACHABLE: _RETRY,
    Fate.DISALLOWED: "leave it; ask the site's owner if you need it",
    Fate.OPTED_OUT: "leave it; ask the site's owner if you need it",
    Fate.HASH_MISMATCH: "`icf-harvest run --refresh` for the new hash, then retry",
    Fate.MISSING_FILE: _NOTHING,
    Fate.MISSING_PAGE: "correct the name in icf.toml",
    Fate.CORRUPT: "get the file again, and run; a changed file is read again",
    Fate.ENCRYPTED: "put a copy without a password in its place, and run",
    Fate.UNSUPPORTED: "nothing; this kind is not read (an extra may be missing)",
    Fate.BAD_MEMBER: "distrust the file; pack it again if it is your own",
    Fate.OTHER_LICENCE: "nothing; or add its licence to harvest.only_licence",
    Fate.TAKEN_DOWN: "nothing; it was withdrawn for good",
}
