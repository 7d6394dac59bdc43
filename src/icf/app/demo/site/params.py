"""The parameters of one API call, checked the way that MediaWiki checks them."""

from __future__ import annotations

from collections.abc import Mapping

from icf.errors import IcfError

# A real wiki gives 500 rows at once. This small one gives few, so that whoever reads it
# has to follow ``continue`` as on a big wiki.
MOST_ROWS = 6
MOST_TITLES = 50


class Refused(IcfError):
    """The call gets an error object, on HTTP 200 as from a real wiki."""

    def __init__(self, code: str, info: str, **more: object) -> None:
        """Keep the ``code``, the text and what else the error object carries."""
        super().__init__(info)
        self.code, self.info, self.more = code, info, more


class Params:
    """The parameters of a call; knows which of them nobody asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Take the parameters as sent."""
        self._given = dict(given)
        self._unread = set(given)
        self.warnings: dict[str, list[str]] = {}

    def warn(self, module: str, text: str) -> None:
        """Add a warning to the answer."""
        self.warnings.setdefault(module, []).append(text)

    def text(self, name: str, default: str = "") -> str:
        """Read one value."""
        self._unread.discard(name)
        return self._given.get(name, default)

    def flag(self, name: str) -> bool:
        """Tell whether a parameter was sent at all, as MediaWiki reads booleans."""
        self._unread.discard(name)
        return name in self._given

    def values(self, name: str, default: str = "") -> list[str]:
        """Read a list of values, separated by ``|`` or, after U+001F, by U+001F.

        Raises:
            Refused: more than 50 values.
        """
        text = self.text(name, default)
        parts = text[1:].split("\x1f") if text.startswith("\x1f") else text.split("|")
        found = list(dict.fromkeys(part for part in parts if part))
        if len(found) > MOST_TITLES:
            raise Refused(
                "toomanyvalues",
                f'Too many values supplied for parameter "{name}". '
                f"The limit is {MOST_TITLES}.",
                limit=MOST_TITLES,
                lowlimit=MOST_TITLES,
                highlimit=500,
            )
        return found

    def known(self, name: str, module: str, allowed: tuple[str, ...]) -> list[str]:
        """Read a list of which only ``allowed`` values count; others are warned of."""
        found = self.values(name)
        for value in found:
            if value not in allowed:
                self.warn(module, f'Unrecognized value for parameter "{name}": {value}')
        return [value for value in found if value in allowed]

    def limit(self, name: str, module: str) -> int:
        """Read how many rows are wanted: a number or ``max``; 10 where not said.

        Raises:
            Refused: neither a number nor ``max``.
        """
        text = self.text(name, "10")
        if text == "max":
            return MOST_ROWS
        if not text.lstrip("-").isdigit():
            raise Refused(
                "badinteger",
                f'Invalid value "{text}" for integer parameter "{name}".',
            )
        if not 1 <= int(text) <= 500:
            self.warn(
                module,
                f'The value "{text}" for parameter "{name}" must be between 1 and 500.',
            )
        return max(1, min(int(text), MOST_ROWS))

    def unread(self) -> None:
        """Warn of parameters that no module has read."""
        names = sorted(self._unread)
        if names:
            plural = "s" if len(names) > 1 else ""
            self.warn("main", f"Unrecognized parameter{plural}: {', '.join(names)}.")
