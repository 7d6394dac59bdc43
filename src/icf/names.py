"""The one form in which names are stored and compared.

A name comes from a folder on a Mac (decomposed), a list typed on Windows (composed), a
page (with non-breaking spaces) or a shell. All of them look alike, so they are alike.
"""

from __future__ import annotations

import re
import unicodedata

#: Characters of a name. Databases index names, and PostgreSQL no longer ones.
LONGEST_NAME = 500

#: Takes no room and means nothing by itself: ASCII's control characters, by which a
#: name commands the terminal that a table is shown in; soft hyphen, zero-width space,
#: word joiner, byte order mark, marks of direction. Joiners mean something in Persian,
#: in Indian scripts and in emoji, and stay.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u007f"
    "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)

#: Commands of terminals in eight bits, but the one that ends a line.
_EIGHT_BITS = re.compile("[\u0080-\u0084\u0086-\u009f]")


def normal_name(text: str) -> str:
    r"""Return a name composed (NFC), without invisible characters, with single spaces.

    >>> normal_name("Poke\u0301mon") == "Pok\u00e9mon"
    True
    >>> normal_name(" Moon\u00a0\u200bRabbit\n")
    'Moon Rabbit'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def one_line(text: str) -> str:
    r"""Return a text of somebody else as one line that commands no terminal.

    What can be printed stays as it is.

    >>> one_line("Ann\x1b[2J\nBob"), one_line("Ann  Lee")
    ('Ann[2J Bob', 'Ann  Lee')
    """
    if text.isprintable():
        return text
    return normal_name(_EIGHT_BITS.sub("", text))


def normal_pattern(pattern: str) -> str:
    """Return a pattern for names in their normal form; its spaces stay as they are."""
    return unicodedata.normalize("NFC", pattern)
