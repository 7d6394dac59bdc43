"""Check the lists over the test that a protocol asked for: pairs, and an open set."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.inputs import RULE
from icf.dataset.lists_of_test import OPEN_SET, PAIRS, lists_of_test
from icf.dataset.plan import Plan
from icf.dataset.protocol_file import ProtocolFile
from icf.dataset.release.files import SUMMARY
from icf.errors import WrongUse

_Row = tuple[str, ...]
#: What each list says of a picture, and of two.
_ENROLLED = ("gallery", "known")


def check_protocol(
    folder: Path, summary: Mapping[str, Any], plan: Plan, hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield lists that the protocol and the seed do not give.

    Of a release that was cleaned since, or that was divided by another rule: rows that
    its test contradicts.

    Args:
        folder: the release.
        summary: its ``release.json``.
        plan: what is in it.
        hashes: the SHA-256 of every file, as it is now.
    """
    said = summary.get("protocol")
    try:
        protocol = None if said is None else ProtocolFile.model_validate(said)
    except ValueError as error:
        yield Fault(SUMMARY, f"has a protocol that is none: {error!r:.200}")
        return
    asked = {
        PAIRS: protocol is not None and protocol.pairs is not None,
        OPEN_SET: protocol is not None and protocol.open_set is not None,
    }
    found: dict[str, list[_Row]] = {}
    for name, is_asked in asked.items():
        if name not in hashes:
            if is_asked:
                yield Fault(name, MISSING)
        elif not is_asked:
            yield Fault(name, "is a list that its protocol does not ask for")
        else:
            try:
                found[name] = _read(folder / name)
            except (OSError, ValueError, csv.Error) as error:
                yield Fault(name, f"cannot be read: {error}")
    if not found:
        return
    if "cleaned" in summary or summary.get("rule") != RULE:
        yield from _contradicted(found, plan)
        return
    try:
        meant = lists_of_test(plan, protocol, int(summary["seed"]))
    except (WrongUse, *UNEXPECTED) as error:
        yield Fault(SUMMARY, f"has a protocol that gives no lists: {error!s:.200}")
        return
    for name, rows in found.items():
        yield from _differing(name, [tuple(map(str, row)) for row in meant[name]], rows)


def _read(path: Path) -> list[_Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(map(tuple, csv.reader(file, strict=True)))


def _differing(name: str, meant: list[_Row], found: list[_Row]) -> Iterator[Fault]:
    for row in sorted((Counter(meant) - Counter(found)).elements()):
        yield Fault(name, f"has no row {', '.join(row)}, which the protocol gives")
    for row in sorted((Counter(found) - Counter(meant)).elements()):
        yield Fault(name, f"has the row {', '.join(row)}, which the protocol gives not")
    if Counter(meant) == Counter(found) and meant != found:
        yield Fault(name, "has its rows in another order")


def _contradicted(found: Mapping[str, list[_Row]], plan: Plan) -> Iterator[Fault]:
    label = {each.path: each.label for each in plan.test}
    for name, (_, *rows) in found.items():
        is_true = _is_pair if name == PAIRS else _is_enrolled
        for row in rows:
            if not is_true(row, label):
                what = f"has the row {', '.join(row)}, which its test contradicts"
                yield Fault(name, what)


def _is_pair(row: _Row, label: Mapping[str, int]) -> bool:
    _, same, one, other = row
    if min(label.get(one, -1), label.get(other, -1)) < 0:
        return False
    return same == str(int(label[one] == label[other]))


def _is_enrolled(row: _Row, label: Mapping[str, int]) -> bool:
    name, said, role = row
    if name not in label or said != str(label[name]):
        return False
    return label[name] >= 0 or role not in _ENROLLED
