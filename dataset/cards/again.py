"""Write what describes a release again, after something left it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.dataset.cards.croissant import FILE
from icf.dataset.cards.records import write_records
from icf.dataset.cards.told import about_again
from icf.dataset.cards.write import places_of, write_cards, write_rights
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.beside import Written
from icf.dataset.rights.attribution import changes_of
from icf.dataset.rights.licence_set import LicenceSet
from icf.stores.files import hash_file


def write_cards_again(
    folder: Path,
    summary: Mapping[str, Any],
    licences: LicenceSet,
    data: ReleaseData,
    written: Written,
    sizes: Mapping[int, int],
) -> bool:
    """Write records, attribution, domains and the cards; Croissant last.

    Args:
        folder: the release, with everything in it but what is named here.
        summary: its ``release.json``.
        licences: of its pictures.
        data: what is in it.
        written: each picture with its file.
        sizes: bytes of each picture, by image id.

    Returns:
        False where an earlier version wrote it: its data card and datasheet stay, and
        Croissant gets the hashes of its files.
    """
    about = about_again(summary, licences, sizes)
    if about is not None:
        write_cards(folder, about, data, written)
        return True
    write_records(folder, data, places_of(written))
    write_rights(folder, data, sizes, changes_of(summary))
    _hash_again(folder)
    return False


def _hash_again(folder: Path) -> None:
    """Give ``croissant.json`` the hashes and sizes of the files that are there."""
    described = json.loads((folder / FILE).read_text(encoding="utf-8"))
    kept = []
    for each in described["distribution"]:
        if "sha256" in each:
            path = folder / each["contentUrl"]
            if not path.is_file():
                continue
            each["sha256"] = hash_file(path)
            each["contentSize"] = f"{path.stat().st_size} B"
        kept.append(each)
    described["distribution"] = kept
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    (folder / FILE).unlink()  # it may be linked to
    (folder / FILE).write_text(text, encoding="utf-8")
