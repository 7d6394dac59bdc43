"""What people see on a terminal: names come from the world and cannot command it."""

from __future__ import annotations

import codecs
import io
import logging
import re
import sys
import unicodedata
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: Unicode categories of what has no shape of its own: controls, such as the start of an
#: escape sequence; line and paragraph separators; half a character that UTF-8 cannot
#: say, as in a file name of another encoding.
_WITHOUT_SHAPE = {"Cc", "Zl", "Zp", "Cs"}
#: Reverse the order in which other characters are shown.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | frozenset(
    "\u2066\u2067\u2068\u2069"
)
#: Characters in a line where no terminal shows it.
_NO_TERMINAL = 10_000
_KEPT = frozenset("\n\t")
#: Between two lines that say how far a long run is, at the least.
_SECONDS_A_LINE = 60.0
#: Before the words of an error of the operating system.
_ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")


def printable(text: str) -> str:
    r"""Return a text with its control characters as escapes that can be read.

    The operating system's error numbers, which say nothing to people, are left out.

    >>> printable("Luna\x1b[2J")
    'Luna\\x1b[2J'
    """
    text = _ERROR_NUMBER.sub("", text)
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category in _WITHOUT_SHAPE or character in _DIRECTIONS:
        return character.encode("unicode_escape").decode("ascii")
    return character


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal; a closed one (`>&-`) is None."""
    return stream is not None and stream.isatty()


def take_any_text(stream: TextIO | None) -> None:
    """Let a standard stream print characters that its encoding lacks.

    They are printed as escapes. ASCII is what Python takes where nobody named an
    encoding; as Click, this takes it for UTF-8.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    encoding = codecs.lookup(stream.encoding).name
    if encoding == "ascii":
        stream.reconfigure(encoding="utf-8")
    elif encoding != "utf-8":
        stream.reconfigure(errors="backslashreplace")


def console(*, stderr: bool) -> Console:
    """Return where tables are printed; text in brackets is no markup."""
    from rich.console import Console

    out = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        # Lines for other programs are whole, however long.
        width=None if is_terminal(out) else _NO_TERMINAL,
    )


class Printable:
    """What rich renders, with its text made `printable`."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """Yield rich's segments, as its protocol asks."""
        from rich.segment import Segment

        for text, style, control in console.render(self._renderable, options):
            yield Segment(text if control else printable(text), style, control)


class ProgressLines:
    """A progress bar for a log: a line at most once a minute.

    Args:
        say: prints a line.
        title: of what is done.
        total: how much there is to do; None: nobody knows.
    """

    def __init__(
        self, say: Callable[[str], None], title: str, total: int | None
    ) -> None:
        self._say, self._title = say, title
        self._of = "" if total is None else f" of {total:,}"
        self._done, self._said_at = 0, monotonic()

    def advance(self, count: int) -> None:
        """Count what was done; say how far it is, if nothing was said for a while."""
        self._done += count
        now = monotonic()
        if now - self._said_at >= _SECONDS_A_LINE:
            self._said_at = now
            self._say(f"{self._title}: {self._done:,}{self._of}")


class _StderrHandler(logging.Handler):
    """Prints records: on a terminal with rich, which is imported for the first."""

    _rich: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if not is_terminal(sys.stderr):
            click.echo(f"{record.levelname}: {self.format(record)}", err=True)
            return
        if self._rich is None:
            from rich.logging import RichHandler

            self._rich = RichHandler(
                console=console(stderr=True), show_path=False, show_time=False
            )
            self._rich.setFormatter(self.formatter)
        self._rich.emit(record)


class _PrintableFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def log_to_stderr(verbose: bool) -> None:
    """Let what the program logs be seen: warnings and errors, or information too."""
    level = logging.INFO if verbose else logging.WARNING
    handler = _StderrHandler()
    handler.setFormatter(_PrintableFormatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
