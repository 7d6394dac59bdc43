"""Does a site keep its pictures from being used, or from being trained on?

``X-Robots-Tag`` forbids any use. Three more statements are about training alone:
``TDM-Reservation`` (TDM Reservation Protocol, W3C community group report of 2024),
``Content-Usage`` (IETF working group AIPREF) and ``Content-Signal``
(contentsignals.org). All three are headers; the last two stand in robots.txt as well,
see `icf.harvest.http.robots_file`.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Directives that opt out.
OPT_OUTS = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})

#: Directives with a value; the name before the colon is not a robot.
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)

#: "1" reserves text and data mining; a ``<meta>`` of a page has the same name.
RESERVATION = "TDM-Reservation"

#: Headers and fields of a robots.txt with preferences such as ``train-ai=n``.
PREFERENCES = ("Content-Usage", "Content-Signal")

#: Uses that training is one of, the narrowest first.
_TRAINING = ("train-ai", "ai-train", "train-genai", "genai", "ai", "tdm", "bots")
_ANSWERS = {"n": False, "no": False, "?0": False, "y": True, "yes": True, "?1": True}


def opted_out(headers: Iterable[str], robot: str = "icf") -> str | None:
    """Return the directive that opts out, or None.

    Args:
        headers: every ``X-Robots-Tag`` value of the response.
        robot: our name; directives addressed to other robots do not count.

    >>> opted_out(["otherbot: noindex, nofollow", "noarchive, NoAI"])
    'noai'
    """
    for header in headers:
        addressee = None
        for part in header.lower().split(","):
            name, colon, rest = part.partition(":")
            directive = name.strip()
            if colon and directive not in _WITH_VALUE:
                addressee, directive = directive, rest.strip()
            elif colon:
                continue
            if directive in OPT_OUTS and addressee in (None, "*", robot):
                return directive
    return None


def reserved(headers: Iterable[tuple[str, str]]) -> str | None:
    """Return the header that speaks against training on an answer, or None.

    Args:
        headers: names and values of a response, or of the ``<meta>`` of a page.

    >>> reserved([("Content-Usage", "search=y, train-ai=n"), ("Server", "nginx")])
    'Content-Usage: train-ai=n'
    """
    for name, value in headers:
        if name.lower() == RESERVATION.lower() and value.strip() == "1":
            return f"{RESERVATION}: 1"
        for field in PREFERENCES:
            if name.lower() == field.lower():
                said, may_train = about_training(value) or ("", True)
                if not may_train:
                    return f"{field}: {said}"
    return None


def about_training(preferences: str) -> tuple[str, bool] | None:
    """Return what preferences say of training, and whether it is allowed; or None.

    The narrowest use that has an answer decides; of two answers to one use, the no.

    >>> about_training("search=yes, ai-train=no")
    ('ai-train=no', False)
    >>> about_training("search=no")
    """
    said: dict[str, tuple[str, bool]] = {}
    for part in preferences.split(","):
        use, _, value = (each.strip() for each in part.partition("="))
        answer = value.partition(";")[0].strip().strip('"').lower()
        use = use.lower()
        if answer in _ANSWERS and said.get(use, ("", True))[1]:
            said[use] = (f"{use}={answer}", _ANSWERS[answer])
    return next((said[use] for use in _TRAINING if use in said), None)
