"""Where the pictures of a release are from: hosts, by pictures and by bytes."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from icf.dataset.licences import Source
from icf.spreadsheet import write_csv

FILE = "domains.csv"

#: Most addresses; of hundreds of thousands, parsing each takes seconds.
_PLAIN = re.compile(r"https?://([a-z0-9][a-z0-9.-]{0,252})/")
#: What can be one: other data sets give addresses that are formulas, or HTML.
_HOST = re.compile(r"[\w:][\w.:-]{0,252}")

#: Pictures of a folder, a comic or a video of one's own.
LOCAL = "(own files)"


@dataclass(frozen=True)
class Domain:
    """The pictures that are from one host.

    Attributes:
        domain: the host of the picture's first source.
        pictures: number of different pictures.
        bytes: of these together.
        share_of_bytes: from 0 to 1, with six decimals.
    """

    domain: str
    pictures: int
    bytes: int
    share_of_bytes: float


COLUMNS = tuple(each.name for each in fields(Domain))


def count_domains(pictures: Iterable[tuple[Sequence[Source], int]]) -> list[Domain]:
    """Count the hosts of pictures, most bytes first.

    Args:
        pictures: sources and bytes of each different picture.
    """
    number: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for sources, count in pictures:
        host = host_of(sources[0].url) if sources else LOCAL
        number[host] += 1
        size[host] += count
    total = sum(size.values()) or 1
    ordered = sorted(number, key=lambda host: (-size[host], host))
    return [
        Domain(host, number[host], size[host], round(size[host] / total, 6))
        for host in ordered
    ]


def host_of(address: str) -> str:
    """The host of an address in small letters, or `LOCAL` where it has none.

    >>> host_of("https://Static.Toons.test:8080/a.png"), host_of("file:///a.png")
    ('static.toons.test', '(own files)')
    """
    if plain := _PLAIN.match(address):
        return plain[1]
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return LOCAL
    return host if _HOST.fullmatch(host) else LOCAL


def write_domains(folder: Path, domains: Iterable[Domain]) -> None:
    """Write `FILE`."""
    write_csv(folder / FILE, COLUMNS, map(astuple, domains))


def read_domains(folder: Path) -> list[Domain]:
    """Read `FILE`; none where it is not there.

    Raises:
        KeyError, ValueError: it is no such table.
    """
    if not (folder / FILE).is_file():
        return []
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return [
            Domain(
                row["domain"],
                int(row["pictures"]),
                int(row["bytes"]),
                float(row["share_of_bytes"]),
            )
            for row in csv.DictReader(file)
        ]
