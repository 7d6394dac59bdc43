"""Arguments of ``import icf``, checked as the command line checks its options.

Each function takes what a caller gave, whatever it is, and returns it in its one form.
What cannot be meant is a `WrongUse` that has the argument's name.
"""

from __future__ import annotations

import math
import operator
import os
import reprlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from numbers import Number, Real
from pathlib import Path
from typing import SupportsIndex

from icf.errors import WrongUse
from icf.names import LONGEST_NAME, normal_name
from icf.text_file import UNREADABLE
from icf.workspace import Workspace

#: Integers of databases and files are under this.
_WHOLE = 2**63


def check_workspace(value: object) -> None:
    """See that it is a workspace."""
    if not isinstance(value, Workspace):
        raise WrongUse(
            "expected a workspace, as icf.find(...) returns it, not " + _shown(value)
        )


def check_switch(what: str, value: object) -> None:
    """See that it is True or False."""
    if not isinstance(value, bool):
        raise _wrong(what, value, "True or False")


def path_of(what: str, value: object) -> Path:
    """Return a path; a relative one only where the current folder is still there.

    >>> path_of("file", "a/b.csv").name
    'b.csv'
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise _wrong(what, value, "a path, as str or Path")
    if "\0" in text:
        raise _wrong(what, value, "a path, which has no NUL")
    path = Path(text)
    try:
        path.absolute()
    except OSError as error:
        raise WrongUse(
            f"{what} is {str(path)!r}, and there is no current folder "
            f"({error.strerror}); change to one that exists, or give a whole path"
        ) from error
    return path


def kept_path_of(what: str, value: object) -> Path:
    """Return a path that the catalogue can write down."""
    path = path_of(what, value)
    if UNREADABLE.search(str(path)):
        raise _wrong(what, value, "a path in UTF-8")
    return path


def text_of(what: str, value: object) -> str:
    """Return a text that the catalogue can hold."""
    if not isinstance(value, str):
        raise _wrong(what, value, "a text")
    if "\0" in value or UNREADABLE.search(value):
        raise _wrong(what, value, "a text in UTF-8 without NUL")
    return value


def text_or_none(what: str, value: object) -> str | None:
    """Return a text, or None."""
    return None if value is None else text_of(what, value)


def choice_of(what: str, value: object, choices: Iterable[str]) -> str:
    """Return one of several texts."""
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise _wrong(what, value, " or ".join(map(repr, known)))
    return value


def names_of(what: str, value: object) -> tuple[str, ...]:
    """Return names, each once; a text is one name.

    >>> names_of("steps", "size"), names_of("steps", ["size", "embed", "size"])
    (('size',), ('size', 'embed'))
    """
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise _wrong(what, value, "a name, or a list of names")
    return tuple(dict.fromkeys(text_of(f"one of {what}", each) for each in value))


def stored_names_of(what: str, value: object) -> tuple[str, ...]:
    """Return names in the form in which the catalogue has them."""
    names = tuple(map(normal_name, names_of(what, value)))
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME:
            expected = f"a name of 1 to {LONGEST_NAME} characters"
            raise _wrong(f"one of {what}", name, expected)
    return names


def renamed_of(what: str, value: object) -> dict[str, str]:
    """Return new names by old ones; None renames nothing."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(what, value, "a dict of new names by old ones")
    for name in (each for pair in value.items() for each in pair):
        if not text_of(f"one of {what}", name):
            raise _wrong(f"one of {what}", name, "a name")
    return dict(value)


def whole_of(what: str, value: object, least: int) -> int:
    """Return a whole number, as numpy's are too; True is none.

    >>> whole_of("seed", 7, 0)
    7
    """
    expected = f"a whole number from {least} to 2**63 - 1"
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        raise _wrong(what, value, expected)
    try:
        number = operator.index(value)
    except TypeError as error:
        raise _wrong(what, value, expected) from error
    if not least <= number < _WHOLE:
        raise _wrong(what, value, expected)
    return number


def rate_of(what: str, value: object, most: int) -> float:
    """Return a number from 0 on.

    >>> rate_of("crops", 1, 10)
    1.0
    """
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    if not 0 <= number <= most:
        raise _wrong(what, value, f"a number from 0 to {most}")
    return number


def flags_of(settings: object) -> tuple[str, ...]:
    """Write settings as ``--set`` takes them; None is none.

    >>> flags_of({"filter.min_face": 80, "harvest.allow_hosts": ["a", "b"]})
    ('filter.min_face=80', 'harvest.allow_hosts=a,b')
    """
    if settings is None:
        return ()
    if not isinstance(settings, Mapping):
        raise _wrong("settings", settings, "a dict as {'filter.min_face': 80}")
    return tuple(
        f"{text_of('the name of a setting', key)}={_setting_text(key, value)}"
        for key, value in settings.items()
    )


def _setting_text(key: str, value: object) -> str:
    each = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str | Number | os.PathLike) for one in each):
        raise _wrong(
            f"the setting {key}", value, "a text, a number, True, False, or a list"
        )
    return ",".join(map(str, each))


def _wrong(what: str, value: object, expected: str) -> WrongUse:
    return WrongUse(f"{what} is {_shown(value)}; expected {expected}")


def _shown(value: object) -> str:
    """Write a value in a message; Python writes no integer of thousands of digits."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return f"a very large {type(value).__name__}"
