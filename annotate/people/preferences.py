"""What a person chose about the page: keys and colours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from icf.annotate.people.people import Person
from icf.catalogue.annotation.schema import person

#: What a key does, and the key by default, as `KeyboardEvent.key` in lower case.
DEFAULT_KEYS: Mapping[str, str] = {
    "same": "f",
    "different": "j",
    "unsure": "u",
    "not_a_face": "n",
    "wrong_reference": "r",
    "context": "c",
    "undo": "z",
    "pause": "p",
}
THEMES = ("system", "light", "dark")


class RefusedPreference(Exception):
    """A choice that cannot be kept; the message is for the person who made it."""


@dataclass(frozen=True)
class Preferences:
    """Keys and colours.

    Attributes:
        keys: the key of each action, see `DEFAULT_KEYS`; no two alike.
        theme: one of `THEMES`.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_KEYS))
    theme: str = "system"

    def as_json(self) -> dict[str, Any]:
        """Return what the browser gets."""
        return {"keys": dict(self.keys), "theme": self.theme}


def changed(before: Preferences, asked: Mapping[str, Any]) -> Preferences:
    """Change what is asked for, and keep the rest.

    Args:
        before: what was chosen until now.
        asked: ``keys`` with some actions, or ``theme``, as the browser sent them.

    Raises:
        RefusedPreference: a key is none, or two actions would have the same key.

    >>> changed(Preferences(), {"keys": {"same": "d"}}).keys["same"]
    'd'
    """
    keys = dict(before.keys)
    wanted = asked.get("keys", {})
    if not isinstance(wanted, Mapping):
        raise RefusedPreference("keys must be an object")
    for action, key in wanted.items():
        if action not in DEFAULT_KEYS:
            raise RefusedPreference(f"there is no action {action!r}")
        keys[action] = _key(action, key)
    taken: dict[str, str] = {}
    for action, key in keys.items():
        if key in taken:
            one, other = _words(taken[key]), _words(action)
            raise RefusedPreference(
                f"the key {key!r} cannot be both {one!r} and {other!r}: choose another "
                "one for one of them"
            )
        taken[key] = action
    theme = asked.get("theme", before.theme)
    if not isinstance(theme, str) or theme not in THEMES:
        raise RefusedPreference(f"theme must be one of {', '.join(THEMES)}")
    return Preferences(keys, theme)


def read_preferences(connection: sa.Connection, someone: Person) -> Preferences:
    """Read what a person chose; defaults where nothing was, or where it is damaged."""
    query = sa.select(person.c.preferences).where(person.c.id == someone.id)
    text = connection.execute(query).scalar()
    try:
        stored = json.loads(text) if text else {}
        return changed(Preferences(), stored if isinstance(stored, dict) else {})
    except (ValueError, RefusedPreference):
        return Preferences()


def write_preferences(
    connection: sa.Connection, someone: Person, chosen: Preferences
) -> None:
    """Keep what a person chose."""
    update = sa.update(person).where(person.c.id == someone.id)
    connection.execute(update.values(preferences=json.dumps(chosen.as_json())))


def _key(action: str, key: Any) -> str:
    """One printable character in lower case, but for a space, a digit or Enter.

    Space, Enter, arrows, digits, Tab and Escape mean the same to everybody.
    """
    shown = key.lower() if isinstance(key, str) else ""
    if len(shown) != 1 or not shown.isprintable() or shown.isspace() or shown.isdigit():
        raise RefusedPreference(
            f"{_words(action)!r} needs one letter or sign as its key"
        )
    return shown


def _words(action: str) -> str:
    return action.replace("_", " ")
