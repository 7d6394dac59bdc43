"""The second site: a list of addresses, and the truth about what they show."""

from __future__ import annotations

import csv
import io
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from icf.app.demo.site import Truth, load_truth
from icf.app.demo.site.archive import SiteArchive
from icf.stores.files import replace_file

_FILES = resources.files("icf.app.demo.rounds")


def rounds_tar() -> Path:
    """Find the tar of the second site."""
    return Path(str(_FILES.joinpath("rounds.tar")))


def rounds_truth() -> Truth:
    """Read whose faces its pictures show."""
    return load_truth(Path(str(_FILES.joinpath("rounds.json"))))


def write_list(path: Path, address: str) -> None:
    """Write the list that is harvested: a row for each picture of each character.

    Args:
        path: the CSV file.
        address: of the site, without a slash at its end.
    """
    truth = rounds_truth()
    album = {one.name: one.album for one in truth.characters}
    leads = {one.reference for one in truth.characters}
    archive = SiteArchive(rounds_tar())
    files = archive.wiki.file
    archive.close()
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ("album", "character", "url", "licence", "licence_url", "author", "lead")
    )
    for file in truth.files:
        found = files[file.name]
        url = f"{address}/{quote(found.path)}"
        licence = found.licence
        rights = (licence.name, licence.url, licence.artist) if licence else ("",) * 3
        for name in file.filed_under:
            lead = "yes" if file.name in leads else ""
            rows.writerow((album[name], name, url, *rights, lead))
    replace_file(path, [text.getvalue().encode()])
