"""Limits and filters of a source, and the style of its albums.

They are keys that every ``[[source]]`` has. `icf.harvest.listing` applies them to the
pages of a source; the source itself does not see them.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Sequence
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
            self._wants_album_named(name)
            and (not only.region or (region or UNKNOWN) in only.region)
            and (only.max_rank is None or (rank is not None and rank <= only.max_rank))
        )

    def wants_character(self, name: str, gender: str | None = None) -> bool:
        """Return whether a character of a wanted album passes the filters."""
        return self._wants_character_named(name) and (
            not self.only.gender or (gender or UNKNOWN) in self.only.gender
        )

    def wants_names(self, album: str | None, character: str | None) -> bool:
        """Return whether pictures under these names can pass the filters."""
        return (album is None or self._wants_album_named(album)) and (
            character is None or self._wants_character_named(character)
        )

    def wants_url(self, url: str) -> bool:
        """Return whether a picture at this URL passes the filters."""
        return not _matches(self.skip.image, url)

    def _wants_album_named(self, name: str) -> bool:
        return _passes(name, self.only.album, self.skip.album)

    def _wants_character_named(self, name: str) -> bool:
        return _passes(name, self.only.character, self.skip.character)


def _passes(name: str, only: Sequence[str], skip: Sequence[str]) -> bool:
    name = normal_name(name)
    skipped = _matches(map(_normal, skip), name)
    return not skipped and (not only or _matches(map(_normal, only), name))


def _normal(pattern: str) -> str:
    """Return a pattern for names in their normal form."""
    return normal_pattern(pattern) if _is_regex(pattern) else normal_name(pattern)


def _matches(patterns: Iterable[str], text: str) -> bool:
    return any(_compiled(pattern).search(text) for pattern in patterns)


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    if _is_regex(pattern):
        return re.compile(pattern[1:-1], re.IGNORECASE)
    return re.compile(r"\A" + fnmatch.translate(pattern), re.IGNORECASE)


def _is_regex(pattern: str) -> bool:
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")
