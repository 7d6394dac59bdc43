import csv
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.catalogue.schema import image_source
from icf.errors import BrokenMachine
from icf.harvest.attributes.licence import Licence
from icf.harvest.cli.main import cli
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.results import Stored, write_results
from icf.harvest.references.own_picture import store_file
from icf.settings import HarvestSettings
from icf.workspace import Workspace, init
from tests.core.pictures import drawing, encoded
from tests.harvest.rows import put_urls


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    made = init(tmp_path / "ws")
    free = {"licence": "CC-BY-SA-4.0", "licence_from": "template", "author": "Jane"}
    put_urls(made.catalogue, "http://a.org/1", "http://a.org/2", **free)
    leased = Frontier(made.catalogue, 100.0, "me").lease(10)
    write_results(
        made.catalogue, "me", [Stored(each, "1" * 64, 7, {}) for each in leased]
    )
    put_urls(made.catalogue, "http://a.org/3", licence="=fair use", licence_from="site")
    put_urls(made.catalogue, "http://a.org/4")
    return made


def run(space: Workspace, *words: object) -> Any:
    done = CliRunner().invoke(
        cli, ["-C", str(space.root), "licences", *map(str, words), "--json"]
    )
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)["licences"]


def test_urls_and_pictures_are_counted_by_licence_and_where_it_was_read(
    space: Workspace,
) -> None:
    assert [tuple(row.values()) for row in run(space)] == [
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", "template", "test", 2, 1, 0),
        ("non-free", "=fair use", "site", "test", 1, 0, 1),
        ("unknown", "unknown", "unknown", "test", 1, 0, 1),
    ]


def test_the_export_has_a_row_for_every_place_of_every_picture(
    space: Workspace, tmp_path: Path
) -> None:
    run(space, "--csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["url"] for row in rows] == ["http://a.org/1", "http://a.org/2"]
    assert {row["sha256"] for row in rows} == {"1" * 64}
    assert {row["family"] for row in rows} == {"CC-BY-SA-4.0"}
    assert {row["author"] for row in rows} == {"Jane"}


def test_a_spreadsheet_runs_no_cell_of_the_export(
    space: Workspace, tmp_path: Path
) -> None:
    put_urls(
        space.catalogue,
        "http://a.org/5",
        licence="=1+1",
        licence_from="list",
        author="@cmd",
    )
    # The ones that wait from before are leased too; only this one is stored.
    leased = Frontier(space.catalogue, 100.0, "me").lease(10)
    write_results(space.catalogue, "me", [Stored(leased[-1], "2" * 64, 7, {})])
    run(space, "--csv", tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text()
    assert ",'=1+1," in text
    assert ",'@cmd" in text


def test_the_export_has_a_line_a_row_and_commands_no_terminal(
    space: Workspace, tmp_path: Path
) -> None:
    with space.catalogue.write() as connection:
        hostile = {"author": "Jane\r\nDoe\x1b[2J", "licence": "CC\n0\x9b"}
        connection.execute(sa.update(image_source).values(**hostile))
    run(space, "--csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = {(row["author"], row["licence"]) for row in rows}
    assert said == {("Jane Doe[2J", "CC 0")}
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert len(lines) == len(rows) + 1


def test_a_file_that_cannot_be_written_is_said(space: Workspace) -> None:
    with pytest.raises(BrokenMachine, match="cannot write"):
        run(space, "--csv", "/proc/out.csv")


def test_an_empty_workspace_has_no_licences(tmp_path: Path) -> None:
    assert run(init(tmp_path / "empty")) == []


def test_pictures_chosen_from_files_are_counted(
    space: Workspace, tmp_path: Path
) -> None:
    own = Licence("CC BY 4.0", None, "hand", None)
    for name in ("a.png", "b.png"):  # one picture at two places
        (tmp_path / name).write_bytes(encoded(drawing(), "PNG"))
        with space.catalogue.write() as connection:
            path = tmp_path / name
            store_file(connection, space.blobs, path, own, HarvestSettings())
    rows = [tuple(row.values()) for row in run(space)]
    assert ("CC-BY-4.0", "CC BY 4.0", "hand", "hand", 2, 1, 2) in rows
    assert len(rows) == 4


def test_the_export_has_no_login_that_an_earlier_version_stored(
    space: Workspace, tmp_path: Path
) -> None:
    with space.catalogue.write() as connection:
        page = "http://ann:moon@a.org/p"
        connection.execute(sa.update(image_source).values(page_url=page))
    run(space, "--csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert {row["page"] for row in csv.DictReader(file)} == {"http://a.org/p"}
