"""The User-Agent of the harvest."""

from __future__ import annotations

from icf.errors import WrongUse
from icf.settings import HarvestSettings
from icf.version import __version__


def user_agent(settings: HarvestSettings) -> str:
    """Return the User-Agent header.

    >>> user_agent(HarvestSettings(contact="me@example.org")).endswith(
    ...     "(+me@example.org)"
    ... )
    True

    Raises:
        WrongUse: the contact cannot be part of a header.
    """
    contact = settings.contact.strip()
    if not contact.isascii() or not contact.isprintable():
        raise WrongUse(
            f"harvest.contact = {contact!r} goes into a header: plain ASCII, one line"
        )
    return f"icf/{__version__} (+{contact})" if contact else f"icf/{__version__}"
