"""Protocols from small TOML files: other numbers, folds, albums left out, balance.

A file is checked strictly: an unknown key, a value of another kind, or a table that the
protocol does not have is an error that names the key.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Set
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic

from icf.dataset.selection import Identity, Nature
from icf.dataset.splits.keys import WordArray, chances, keys_of_texts
from icf.dataset.splits.parts import BoolArray, IntArray
from icf.errors import BadInput
from icf.names import normal_name
from icf.settings import DatasetSettings, what_is_wrong

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class Fold(_Table):
    """Fold ``fold`` of ``folds``, by identity: it is the test."""

    folds: int = pydantic.Field(ge=2, le=1000)
    fold: int = pydantic.Field(ge=1)

    @pydantic.model_validator(mode="after")
    def _exists(self) -> Fold:
        if self.fold > self.folds:
            raise ValueError(f"fold {self.fold} of {self.folds}: count from 1")
        return self


class Albums(_Table):
    """Albums that are in the test alone: named ones, or a share of them."""

    out: tuple[str, ...] = ()
    share: float | None = pydantic.Field(default=None, gt=0, lt=1)

    @pydantic.field_validator("out", mode="before")
    @classmethod
    def _listed(cls, names: object) -> object:
        return tuple(names) if isinstance(names, list) else names

    @pydantic.model_validator(mode="after")
    def _says_which(self) -> Albums:
        if bool(self.out) == (self.share is not None):
            raise ValueError("name the albums with out, or give their share")
        return self


class Balance(_Table):
    """Equally many test identities of each region, style, gender or album."""

    by: Literal["region", "style", "gender", "album"]


class Pairs(_Table):
    """1:1 verification: ``each`` same and as many different pairs in each fold."""

    folds: int = pydantic.Field(default=10, ge=1, le=1000)
    each: int = pydantic.Field(default=300, ge=1)


class OpenSet(_Table):
    """Open set: the share of test identities that are known, and faces in the gallery.

    ``gallery`` is less than the faces that each identity has in the test.
    """

    known: float = pydantic.Field(default=0.5, gt=0, lt=1)
    gallery: int = pydantic.Field(default=1, ge=1)


class ProtocolFile(_Table):
    """A protocol; without any table it is the paper's.

    Attributes:
        name: what the release calls it.
        parts: numbers that differ from the settings, by the names of ``dataset.*``.
        fold: k-fold by identity.
        albums: leave-album-out.
        balance: what the test is balanced by.
        pairs: a list of pairs to write.
        open_set: a list of known and unknown probes to write.
    """

    name: str = pydantic.Field(min_length=1)
    parts: dict[str, int | float | bool] = pydantic.Field(default_factory=dict)
    fold: Fold | None = None
    albums: Albums | None = None
    balance: Balance | None = None
    pairs: Pairs | None = None
    open_set: OpenSet | None = None
    _path: Path | None = None

    @property
    def called(self) -> str:
        """The file that it was read from, for messages."""
        return f"protocol {self.name!r}" if self._path is None else str(self._path)

    @pydantic.model_validator(mode="after")
    def _holds_out_once(self) -> ProtocolFile:
        if self.fold is not None and self.albums is not None:
            raise ValueError("a protocol has [fold] or [albums], not both")
        return self

    def settings(self, settings: DatasetSettings) -> DatasetSettings:
        """Return the settings with this protocol's numbers.

        Where the protocol itself says who is in the test alone, nobody else is, unless
        its ``parts`` ask for it.

        Raises:
            BadInput: a number is none that the settings allow.
        """
        values = settings.model_dump()
        if self.fold is not None or self.albums is not None:
            values |= dict.fromkeys(_SHARES, 0.0)
        try:
            return DatasetSettings.model_validate({**values, **self.parts})
        except pydantic.ValidationError as error:
            raise BadInput(f"{self.called}: parts.{_said(error)}") from None

    def held_out(
        self, key: WordArray, identities: list[Identity], seed: int
    ) -> BoolArray:
        """Mark the identities that are in the test alone, shape (c,).

        Raises:
            BadInput: an album that is named has no confirmed face, or none has one.
        """
        if self.fold is not None:
            place = np.floor(chances(key, seed, "fold") * self.fold.folds)
            return np.asarray(place == self.fold.fold - 1, np.bool_)
        if self.albums is None:
            return np.zeros(len(key), np.bool_)
        albums = [each.album for each in identities]
        if self.albums.out:
            out = [self._album(each, set(albums)) for each in self.albums.out]
            return np.isin(np.array(albums, object), list(chain.from_iterable(out)))
        if not albums:
            raise BadInput(
                f"{self.called}: albums.share: there is no album with confirmed faces; "
                "boxes alone are released without [albums]"
            )
        return _share_of_albums(albums, self.albums.share or 0.0, seed)

    def _album(self, name: str, albums: Set[str]) -> list[str]:
        """The album of a name: the very one, or those that people read as the same."""
        alike = [each for each in albums if normal_name(each) == normal_name(name)]
        if not alike:
            raise BadInput(
                f"{self.called}: albums.out: {name!r} is no album with confirmed "
                "faces; `icf status` lists the albums"
            )
        return [name] if name in albums else alike

    def unbalanced(
        self, identities: Collection[int], natures: Mapping[int, Nature]
    ) -> int:
        """Count the identities of which nobody says what the test is balanced by.

        Args:
            identities: all of them.
            natures: what is known of some.
        """
        if self.balance is None or self.balance.by == "album":
            return 0
        by = self.balance.by
        known = (natures.get(each) for each in identities)
        return sum(each is None or not getattr(each, by) for each in known)

    def strata(
        self, identities: list[Identity], natures: list[Nature | None]
    ) -> IntArray:
        """Number what the test is balanced by, shape (c,)."""
        if self.balance is None:
            return np.zeros(len(identities), np.int64)
        if self.balance.by == "album":
            names = [each.album for each in identities]
        else:
            by = self.balance.by
            names = [getattr(each, by) if each else "" for each in natures]
        _, number = np.unique(np.array(names, str), return_inverse=True)
        return np.asarray(number, np.int64)

    def as_json(self) -> dict[str, Any]:
        """Return what ``release.json`` says of it."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


_SHARES = ("seen_probe_share", "unseen_probe_share", "distractor_share")


def read_protocol(path: Path) -> ProtocolFile:
    """Read a protocol file.

    Raises:
        BadInput: it cannot be read, or is not as it should be; the message has the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path} cannot be read as TOML: {error}") from error
    try:
        made = ProtocolFile.model_validate(table)
    except pydantic.ValidationError as error:
        raise BadInput(f"{path}: {_said(error)}") from None
    fields = DatasetSettings.model_fields
    known = sorted(fields.keys() - {"boxes"})
    for name, value in made.parts.items():
        if name not in known:
            raise BadInput(
                f"{path}: parts.{name}: no such number; known are {', '.join(known)}"
            )
        kind: Any = fields[name].annotation
        if type(value) is not kind and (type(value), kind) != (int, float):
            shown = str(value).lower()
            raise BadInput(
                f"{path}: parts.{name}: expected {_KINDS[kind]}, found {shown}"
            )
    made._path = path
    return made


#: The kinds of the numbers of `parts`.
_KINDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _said(error: pydantic.ValidationError) -> str:
    first = error.errors()[0]
    loc = first["loc"]
    text = what_is_wrong(first)
    if first["type"] in ("model_type", "dict_type"):
        text = f"expected one table, [{loc[0]}]"
    elif loc[0:1] == ("parts",):  # the kinds that it is not follow
        loc, text = loc[:2], "expected a number, or true or false"
    place = ".".join(map(str, loc))
    return f"{place}: {text}" if place else text


def _share_of_albums(albums: list[str], share: float, seed: int) -> BoolArray:
    """Mark the albums whose chance is under a share; at least one."""
    names, number = np.unique(np.array(albums, str), return_inverse=True)
    chance = chances(keys_of_texts(names.tolist()), seed, "album")
    out = chance < share
    out[np.argmin(chance)] = True
    return np.asarray(out[number], np.bool_)
