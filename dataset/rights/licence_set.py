"""The licences of all pictures of a release together, and what does not go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from icf.dataset.licences import Source
from icf.licence_names import ALL_RIGHTS_RESERVED, NON_FREE
from icf.spdx import LOCAL, NOASSERTION, spdx_id

#: Licences without a grant to anybody.
_NO_GRANT = (LOCAL + NON_FREE, LOCAL + ALL_RIGHTS_RESERVED)


@dataclass(frozen=True)
class LicenceSet:
    """The licences of the pictures of a release.

    Attributes:
        pictures: number of different pictures.
        by_licence: number of pictures under each SPDX identifier, most first. A picture
            that its sources state several licences of counts under each.
        several: number of such pictures.
        no_training: number of pictures whose metadata forbids training on them.
        warnings: what a person who passes the release on has to know.
    """

    pictures: int
    by_licence: Mapping[str, int]
    several: int
    no_training: int
    warnings: tuple[str, ...]

    @property
    def expression(self) -> str:
        """The licences joined as an SPDX expression, those that are stated."""
        stated = sorted(set(self.by_licence) - {NOASSERTION})
        return " AND ".join(stated) or NOASSERTION

    def summary(self) -> dict[str, Any]:
        """What ``release.json`` says of the licences."""
        return {"expression": self.expression, **asdict(self)}


def licences_of(sources: Sequence[Source]) -> tuple[str, ...]:
    """The SPDX identifiers that a picture's sources state, sorted.

    >>> licences_of([Source("u", "", "CC0", "", "list", ""), Source("v", *[""] * 5)])
    ('CC0-1.0',)
    >>> licences_of([])
    ('NOASSERTION',)
    """
    found = {spdx_id(each.licence, each.licence_url) for each in sources}
    return tuple(sorted(found - {NOASSERTION})) or (NOASSERTION,)


def licence_set(
    pictures: Iterable[Sequence[Source]], no_training: int = 0
) -> LicenceSet:
    """Sum up the licences of pictures.

    Args:
        pictures: the sources of each different picture.
        no_training: number of pictures whose metadata forbids training on them.
    """
    counts: Counter[str] = Counter()
    several = number = 0
    known: dict[tuple[tuple[str, str], ...], tuple[str, ...]] = {}
    for sources in pictures:
        key = tuple((each.licence, each.licence_url) for each in sources)
        if (found := known.get(key)) is None:
            found = known[key] = licences_of(sources)
        counts.update(found)
        several += len(found) > 1
        number += 1
    ordered = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
    warnings = list(_warnings(ordered, several))
    if no_training:
        warnings.append(
            f"{no_training:,} pictures: their metadata forbids training on them (C2PA, "
            "CAWG or IPTC; signatures are not verified)"
        )
    return LicenceSet(number, ordered, several, no_training, tuple(warnings))


def _warnings(counts: Mapping[str, int], several: int) -> Iterable[str]:
    def under(holds: Callable[[str], bool]) -> int:
        return sum(count for licence, count in counts.items() if holds(licence))

    if unknown := counts.get(NOASSERTION, 0):
        yield f"{unknown:,} pictures: nobody states a licence; assume all rights"
    if kept := under(lambda each: each in _NO_GRANT):
        yield f"{kept:,} pictures: not free (fair use, or all rights reserved)"
    if other := under(_unread):
        yield f"{other:,} pictures: a licence that is not on the SPDX list; read it"
    if paid := under(lambda each: "NC" in _parts(each)):
        yield f"{paid:,} pictures: not for commercial use (NC)"
    if whole := under(lambda each: "ND" in _parts(each)):
        yield f"{whole:,} pictures: not to be passed on changed, so not as crops (ND)"
    alike = sorted(each for each in counts if _is_copyleft(each))
    if alike:
        together = under(_is_copyleft)
        yield f"{together:,} pictures: what is made of them is under the same licence"
    if len({_without_version(each) for each in alike}) > 1:
        yield (
            "one work made of pictures under these would have to be under each: "
            f"{', '.join(alike)}; as a collection of separate pictures they may be "
            "together"
        )
    if several:
        yield f"{several:,} pictures: their sources state different licences"


def _unread(licence: str) -> bool:
    named = licence.removeprefix(LOCAL)
    return (
        licence != named
        and licence not in _NO_GRANT
        and named != "public-domain"
        and not named.startswith(("CC-", "GFDL", "GPL", "LGPL", "AGPL"))
    )


def _parts(licence: str) -> list[str]:
    named = licence.removeprefix(LOCAL)
    return named.split("-") if named.startswith("CC-") else []


def _is_copyleft(licence: str) -> bool:
    named = licence.removeprefix(LOCAL)
    return "SA" in _parts(licence) or named.startswith(("GFDL", "GPL", "LGPL", "AGPL"))


def _without_version(licence: str) -> str:
    """Versions of CC BY-SA go together: it allows the later ones (3.0, section 4.b)."""
    parts = _parts(licence)
    return "-".join(part for part in parts if not part[0].isdigit()) or licence
