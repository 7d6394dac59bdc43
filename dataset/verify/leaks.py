"""Search every leak again, and compare with what the release says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.leaks.report import LEAK
from icf.dataset.leaks.search import Shown, search_leaks
from icf.dataset.release.files import LEAKS, SUMMARY


def check_leaks(
    folder: Path, summary: Mapping[str, Any], contents: Contents, shown: Shown
) -> Iterator[Fault]:
    """Yield every leak, and counts of leaks that are not what is found."""
    limits = summary.get("settings", {}).get("filter", {})
    try:
        reach = int(limits["max_phash"]), int(limits["max_dhash"])
    except UNEXPECTED:
        yield Fault(SUMMARY, "has no distances of near-duplicates among its settings")
        return
    said = summary.get("leaks", {})
    dataset = summary.get("settings", {}).get("dataset", {})
    apart = dataset.get("files_apart") is True
    for check in search_leaks(contents, reach, shown, files_apart=apart):
        if check.count and check.severity == LEAK:
            example = check.examples[0]
            what = f"{check.name}: {check.count} ({check.meaning}), as {example}"
            yield Fault(CONTENTS, what)
        if said.get(check.name, 0) != check.count:
            counted = said.get(check.name)
            what = f"says {check.name}: {counted}, and {check.count} are found"
            yield Fault(SUMMARY, what)
    yield from _check_said(folder, said)


def _check_said(folder: Path, said: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        checks = json.loads((folder / LEAKS).read_text(encoding="utf-8"))["checks"]
        counts = {check["name"]: check["count"] for check in checks}
    except FileNotFoundError:
        yield Fault(LEAKS, MISSING)
        return
    except (OSError, *UNEXPECTED) as error:
        yield Fault(LEAKS, f"is no report of a search for leaks: {error!r}")
        return
    if counts != said:
        yield Fault(LEAKS, f"counts other leaks than {SUMMARY}")
