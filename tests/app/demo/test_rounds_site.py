"""The second site comes whole, and its list names every picture of every character."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from urllib.request import urlopen

from icf.app.demo.rounds.site import rounds_tar, rounds_truth, write_list
from icf.app.demo.site import DemoSite
from icf.app.demo.site.archive import SiteArchive


def test_every_picture_is_the_one_that_the_truth_is_about() -> None:
    archive = SiteArchive(rounds_tar())
    truth = rounds_truth()
    try:
        for file in truth.files:
            data = archive.read(archive.wiki.file[file.name].path)
            assert hashlib.sha256(data).hexdigest() == file.sha256
    finally:
        archive.close()
    assert len(truth.files) == len(archive.wiki.files)


def test_the_list_has_a_row_for_each_character_of_each_picture(tmp_path: Path) -> None:
    write_list(tmp_path / "site.csv", "http://127.0.0.1:9")
    with (tmp_path / "site.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = rounds_truth()
    filed = sorted((n, f.name) for f in truth.files for n in f.filed_under)
    names = ((r["character"], r["url"].rpartition("/")[2]) for r in rows)
    assert sorted(names) == filed
    assert {row["licence"] for row in rows} == {"CC0", "CC BY 4.0"}
    assert all(row["author"] for row in rows)
    leads = [row["character"] for row in rows if row["lead"] == "yes"]
    assert sorted(leads) == sorted(one.name for one in truth.characters)


def test_what_the_list_names_is_served(tmp_path: Path) -> None:
    with DemoSite(tar=rounds_tar()) as site:
        write_list(tmp_path / "site.csv", site.url)
        with (tmp_path / "site.csv").open(newline="") as stream:
            row = next(csv.DictReader(stream))
        with urlopen(row["url"]) as answer:
            data = answer.read()
        with urlopen(f"{site.url}/wiki/{row['character'].replace(' ', '_')}") as page:
            assert "<img" in page.read().decode()
    names = {one.sha256 for one in rounds_truth().files}
    assert hashlib.sha256(data).hexdigest() in names
