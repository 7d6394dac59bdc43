"""Limits and filters of a source, and the style of its albums.

They are keys that every ``[[source]]`` has. `icf.harvest.listing` applies them to the
pages of a source; the source itself does not see them.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic

from icf.codes import Code, Gender, Region
from icf.harvest.attributes.style import LONGEST, read_style
from icf.names import normal_name, normal_pattern

#: Stands for a value that the source does not state.
UNKNOWN = "unknown"


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _check_pattern(pattern: str) -> str:
    try:
        if not _is_name(pattern):
            _compiled(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def _check_style(text: str | None) -> str | None:
    if text is not None and read_style(text) is None:
        raise ValueError(f"a style is a word or two, at most {LONGEST} characters")
    return text and read_style(text)


def _one_of(codes: type[Code]) -> pydantic.AfterValidator:
    known = [*(code.value for code in codes), UNKNOWN]

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
        return value

    return pydantic.AfterValidator(check)


#: One text stands for a list of it.
ListOrOne = pydantic.BeforeValidator(_as_tuple)

_Pattern = Annotated[str, pydantic.AfterValidator(_check_pattern)]
Patterns = Annotated[tuple[_Pattern, ...], ListOrOne]
Regions = Annotated[tuple[Annotated[str, _one_of(Region)], ...], ListOrOne]
Genders = Annotated[tuple[Annotated[str, _one_of(Gender)], ...], ListOrOne]
Count = Annotated[int, pydantic.Field(ge=1)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Limit(_Table):
    """How many rows a source may add.

    Attributes:
        albums: of the source.
        characters: of each album.
        images: of each character; of each album where pictures name only that, and of
            the source where they name neither.
    """

    albums: Count | None = None
    characters: Count | None = None
    images: Count | None = None


class Only(_Table):
    """What is included; an empty key includes everything."""

    album: Patterns = ()
    character: Patterns = ()
    region: Regions = ()
    gender: Genders = ()
    max_rank: Count | None = None


class Skip(_Table):
    """What is excluded, before ``only`` is applied."""

    album: Patterns = ()
    character: Patterns = ()
    image: Patterns = ()


class Rules(_Table):
    """The limits and filters of one source, and the style of its albums.

    ``style`` is the drawing style of all albums that the source itself gives none.

    A pattern between slashes is a regular expression that is searched for; any other is
    a glob that the whole name must match. Case is ignored.

    >>> rules = Rules(only=Only(album=("Moon*",)), skip=Skip(image=("/thumb/",)))
    >>> rules.wants_album("Moon Rabbit"), rules.wants_album("The Moon")
    (True, False)
    >>> rules.wants_url("http://a.org/thumb/1.png")
    False
    """

    limit: Limit = Limit()
    only: Only = Only()
    skip: Skip = Skip()
    style: Annotated[str | None, pydantic.AfterValidator(_check_style)] = None

    @property
    def allows_everything(self) -> bool:
        """Whether nothing is limited or filtered."""
        return (self.limit, self.only, self.skip) == (Limit(), Only(), Skip())

    def wants_album(
        self, name: str, region: str | None = None, rank: int | None = None
    ) -> bool:
        """Return whether an album passes the filters.

        Args:
            name: its name.
            region: where it was made, if that is known.
            rank: its rank, if that is known; without one it is under no ``max_rank``.
        """
        only = self.only
        return (
            self._albums.passes(name)
            and (not only.region or (region or UNKNOWN) in only.region)
            and (only.max_rank is None or (rank is not None and rank <= only.max_rank))
        )

    def wants_character(self, name: str, gender: str | None = None) -> bool:
        """Return whether a character of a wanted album passes the filters."""
        return self._characters.passes(name) and (
            not self.only.gender or (gender or UNKNOWN) in self.only.gender
        )

    def wants_names(self, album: str | None, character: str | None) -> bool:
        """Return whether pictures under these names can pass the filters."""
        return (album is None or self._albums.passes(album)) and (
            character is None or self._characters.passes(character)
        )

    def wants_url(self, url: str) -> bool:
        """Return whether a picture at this URL passes the filters."""
        return not self._skipped_urls.match(url)

    @functools.cached_property
    def _albums(self) -> _Filter:
        return _filter(self.only.album, self.skip.album)

    @functools.cached_property
    def _characters(self) -> _Filter:
        return _filter(self.only.character, self.skip.character)

    @functools.cached_property
    def _skipped_urls(self) -> _Patterns:
        return _Patterns(self.skip.image)


class _Patterns:
    """Patterns of which any may match; of many plain names only one is compared."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._names: dict[str, list[str]] = {}
        self._others: list[re.Pattern[str]] = []
        for pattern in patterns:
            if _is_name(pattern):
                self._names.setdefault(_without_case(pattern), []).append(pattern)
            else:
                self._others.append(_expression(pattern))

    def match(self, text: str) -> bool:
        names = self._names.get(_without_case(text), ())
        return any(_compiled(name).search(text) for name in names) or any(
            expression.search(text) for expression in self._others
        )


@dataclass(frozen=True)
class _Filter:
    """Which names pass."""

    only: _Patterns | None
    skip: _Patterns

    def passes(self, name: str) -> bool:
        name = normal_name(name)
        wanted = self.only is None or self.only.match(name)
        return wanted and not self.skip.match(name)


def _filter(only: Sequence[str], skip: Sequence[str]) -> _Filter:
    allowed = _Patterns(map(_normal, only)) if only else None
    return _Filter(allowed, _Patterns(map(_normal, skip)))


def _normal(pattern: str) -> str:
    """Return a pattern for names in their normal form."""
    return normal_pattern(pattern) if _is_regex(pattern) else normal_name(pattern)


def _without_case(text: str) -> str:
    """Return what texts have in common that differ in case at most."""
    return text.casefold().replace("\u0307", "").replace("\u0131", "i")


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return _expression(pattern)


def _expression(pattern: str) -> re.Pattern[str]:
    if _is_regex(pattern):
        return re.compile(pattern[1:-1], re.IGNORECASE)
    return re.compile(r"\A" + fnmatch.translate(pattern), re.IGNORECASE)


def _is_name(pattern: str) -> bool:
    """Whether a pattern stands for itself alone."""
    return not _is_regex(pattern) and not any(each in pattern for each in "*?[")


def _is_regex(pattern: str) -> bool:
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")
