"""Tables beside the formats that were edited, with all hashes made true again."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.contents import read_contents
from icf.dataset.protocol_file import OpenSet, Pairs, ProtocolFile
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.takedowns.clean import clean
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.verify.verify import verify
from icf.workspace import Workspace, find
from tests.dataset.formats.webdataset.test_verify import Members, change_shard
from tests.dataset.verify.forged import describe_again


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in a format of files and one of shards."""
    root = tmp_path_factory.mktemp("beside")
    shutil.copytree(drawn, root / "space")
    workspace = find(root / "space")
    with workspace.catalogue.write() as connection:
        for number, region in enumerate(("japan", "europe", None), 1):
            about = {"region": region, "style": "=flat" if region else None}
            of_one = sa.update(schema.album).where(schema.album.c.id == number)
            connection.execute(of_one.values(about))
        connection.execute(sa.update(schema.character).values(gender="male"))
    formats = ("icartoonface", "webdataset", "hf")
    lists = ProtocolFile(
        name="lists", pairs=Pairs(folds=2, each=12), open_set=OpenSet()
    )
    write(workspace, prepare(workspace, 1, formats, protocol=lists), root / "out", 1)
    workspace.catalogue.close()
    return root / "out"


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "release")


def said(release: Path) -> list[str]:
    """What is found, after the description and the sums have the hashes of now."""
    describe_again(release)
    return [str(each) for each in verify(release, quick=True).faults]


def edit(path: Path, row: int, **cells: str) -> None:
    """Write other cells into a row of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    for name, value in cells.items():
        assert rows[row][header.index(name)] != value
        rows[row][header.index(name)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def edit_records(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_nothing_is_found_in_what_nobody_edited(release: Path) -> None:
    assert said(release) == []


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        ("recognition_train", {"x1": 7}),
        ("recognition_train", {"label": 5}),
        ("recognition_test", {"character": "x"}),
        ("recognition_test", {"role": "train"}),
        ("detection_train", {"width": 7}),
        ("detection_test", {"y2": 7}),
        ("identities", {"album": "x"}),
    ],
)
def test_an_edited_record_is_named(
    release: Path, table: str, cells: dict[str, Any]
) -> None:
    name = f"records/{table}.parquet"
    edit_records(release / name, lambda rows: rows[0].update(cells))
    assert said(release) == [f"{name}: has other rows than contents.csv gives"]


def test_a_lost_record_is_named(release: Path) -> None:
    name = "records/detection_test.parquet"
    edit_records(release / name, lambda rows: rows.pop())
    assert said(release) == [f"{name}: has other rows than contents.csv gives"]
    (release / name).write_bytes(b"PAR1")
    [found] = said(release)
    assert found.startswith(f"{name}: cannot be read: ")


def test_a_record_that_names_another_file_is_named(release: Path) -> None:
    name = "records/recognition_train.parquet"

    def swap(rows: list[dict[str, Any]]) -> None:
        rows[0]["file"], rows[1]["file"] = rows[1]["file"], rows[0]["file"]

    edit_records(release / name, swap)
    found = said(release)
    assert len(found) == 2
    assert all(line.startswith(f"{name}: has the picture ") for line in found)
    assert all(line.endswith(", and licences.csv has not") for line in found)


@pytest.mark.parametrize("column", ["author", "licence", "title", "spdx", "changes"])
def test_an_edited_attribution_is_named(release: Path, column: str) -> None:
    edit(release / "attribution.csv", 3, **{column: "x"})
    found = said(release)
    assert len(found) == 2
    assert found[0].startswith("attribution.csv: has no row ")
    assert found[1].startswith("attribution.csv: has the row ")
    assert found[1].endswith(", which licences.csv gives not")


def test_an_edited_domain_is_named(release: Path) -> None:
    edit(release / "domains.csv", 0, pictures="1")
    assert all(line.startswith("domains.csv: has ") for line in said(release))
    assert len(said(release)) == 2


def test_a_licence_that_was_edited_is_not_that_of_the_attribution(
    release: Path,
) -> None:
    edit(release / "licences.csv", 0, licence="CC BY-NC 4.0", author="x")
    found = said(release)
    assert any(line.startswith("attribution.csv: has the row ") for line in found)
    assert any(line.startswith("release.json: has the by_licence ") for line in found)


def test_an_edited_summary_of_licences_is_named(release: Path) -> None:
    path = release / "release.json"
    summary = json.loads(path.read_text())
    summary["licences"]["by_licence"]["CC0-1.0"] += 1
    path.write_text(json.dumps(summary))
    [found] = said(release)
    assert found.startswith("release.json: has the by_licence {")


def change(path: Path, pattern: str, new: str) -> str:
    """Replace a pattern once, which must be there; return what it was."""
    text = path.read_bytes().decode()
    found = re.search(pattern, text, flags=re.MULTILINE)
    assert found is not None
    changed = text[: found.start()] + found.expand(new) + text[found.end() :]
    assert changed != text
    path.write_bytes(changed.encode())
    return found[0]


@pytest.mark.parametrize(
    ("file", "pattern", "new", "what"),
    [
        (
            "README.md",
            r"(\d+) faces to train",
            r"9\1 faces to train",
            "says '15 identities of ",
        ),
        (
            "README.md",
            r"^\| probes \| \d+ ",
            "| probes | 7 ",
            "has the row '| probes | 7 |",
        ),
        ("README.md", r"^\| CC0-1.0 \| ", "| MIT | ", "has the row '| MIT | "),
        ("README.md", r"^\| CC0-1.0 .*\n", "", "has no row '| CC0-1.0 | "),
        (
            "README.md",
            r"^license: other",
            "license: cc0-1.0",
            "has the license 'cc0-1.0',",
        ),
        (
            "README.md",
            r"^(license_name: ).*",
            r"\1mit",
            "has the license_name 'mit', an",
        ),
        ("README.md", r"^- n<1K", "- 1K<n<10K", "has the size_categories ['1K<n<10K']"),
        (
            "README.md",
            r"^(- `records/.*), \d+ rows",
            r"\1, 1 rows",
            "says '- `records/",
        ),
        ("README.md", r"^---\n", "---\n[", "has a head that cannot be read: "),
        (
            "datasheet.md",
            r"^\| probes \| \d+ ",
            "| probes | 7 ",
            "has the row '| probes ",
        ),
        (
            "datasheet.md",
            r"(\d+) pictures, ",
            r"1\1 pictures, ",
            "says '- toons.test: 1",
        ),
        ("datasheet.md", r"(\d+) bytes", r"1\1 bytes", "says '- toons.test: "),
        (
            "datasheet.md",
            r"^- same bytes: 0",
            "- same bytes: 3",
            "says '- same bytes: 3'",
        ),
        ("datasheet.md", r"japan \d+", "japan 99", "says '- Identities by region of "),
        ("ATTRIBUTION.md", r"\| =A. Drawer \|", "| B. Else |", "has the row '| "),
        ("ATTRIBUTION.md", r"\| CC0 \|", "| CC BY 4.0 |", "has the row '| "),
        ("ATTRIBUTION.md", r"^.*\| CC0 \|\n", "", "has no row '| "),
        (
            "ATTRIBUTION.md",
            r"state of (\d+)",
            r"state of 1\1",
            "says 'What sources sta",
        ),
        (
            "croissant.json",
            r"https://spdx.org/licenses/CC0-1.0[^\"]*",
            "https://spdx.org/licenses/MIT",
            "has the license [",
        ),
        (
            "croissant.json",
            r"(\d+) probes",
            r"1\1 probes",
            "description: says '15",
        ),
        ("croissant.json", r"(\d+) answers of", r"9\1 answers of", ": says '"),
        ("domains.csv", r"(\d+),1.0", r"1\1,1.0", "has no row toons.test, "),
        ("pairs.csv", r"^1,1,", "1,0,", "has no row 1, 1, "),
        ("pairs.csv", r"^1,0,.*\n", "", "has no row 1, 0, "),
        ("pairs.csv", r"^(1,1,.*\n)(1,1,.*\n)", r"\2\1", "has its rows in another o"),
        ("open_set.csv", r",gallery", ",unknown", "has no row "),
        ("open_set.csv", r",(\d+),known", r",1\1,known", "has no row "),
        ("attributes.csv", r",japan,", ",china,", "has the region 'china' of train "),
        ("attributes.csv", r",'=flat", ",'=line", "has the style '=line' of train "),
        (
            "attributes.csv",
            r",male,source",
            ",female,source",
            "has the gender 'female' ",
        ),
        ("attributes.csv", r",male,source", ",male,", "has the gender 'male' by ''"),
        (
            "attributes.csv",
            r",male,source",
            ",male,people",
            "has what people say, and i",
        ),
        (
            "attributes.csv",
            r",source,,",
            ",source,500.0,",
            "has the angles 500.0, not a",
        ),
        ("attributes.csv", r"^train,", "probe,", "has probe "),
        ("attributes.csv", r"^(train,.*\n)", r"\1\1", ", a second time"),
        ("attributes.csv", r"^train,.*japan.*\n", "", "has the region '' of train "),
        ("attributes.csv", r",0,", ",x,", "cannot be read to its end: ValueError"),
        (
            "webdataset/identities.csv",
            r"^(0,.*),(\d+)",
            r"\1,9\2",
            ", and another in icartoonface/",
        ),
        ("hf/README.md", r"the hash \w", "the hash x", "of its files, and not "),
    ],
)
def test_what_follows_from_other_tables_is_held_against_them(
    release: Path, file: str, pattern: str, new: str, what: str
) -> None:
    change(release / file, pattern, new)
    found = said(release)
    assert {line.split(": ")[0] for line in found} == {file}
    assert what in " ".join(found)


@pytest.mark.parametrize(
    "file",
    [
        *("README.md", "datasheet.md", "ATTRIBUTION.md", "attributes.csv"),
        *("pairs.csv", "open_set.csv", "hf/README.md"),
    ],
)
def test_a_file_that_is_gone_from_all_sums_is_named(release: Path, file: str) -> None:
    (release / file).unlink()
    path = release / "croissant.json"
    described = json.loads(path.read_text())
    files = described["distribution"]
    described["distribution"] = [f for f in files if f.get("contentUrl") != file]
    path.write_text(json.dumps(described))
    assert said(release) == [f"{file}: is missing"]


def edit_description(
    release: Path, key: str, name: str, change: Callable[[dict[str, Any]], object]
) -> None:
    path = release / "croissant.json"
    described = json.loads(path.read_text())
    [part] = [each for each in described[key] if each["@id"] == name]
    change(part)
    described[key] = [each for each in described[key] if each]
    path.write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("recordSet", "recognition_test"),
        ("recordSet", "picture_files"),
        ("recordSet", "recognition_train_pictures"),
        ("recordSet", "detection_test_shards"),
        ("distribution", "pictures"),
        ("distribution", "recognition_train_pictures_files"),
        ("distribution", "detection_test_shards_members"),
    ],
)
def test_records_and_sets_that_are_described_otherwise_are_named(
    release: Path, key: str, name: str
) -> None:
    def change(part: dict[str, Any]) -> None:
        part["description"] = "Other ones."

    edit_description(release, key, name, change)
    told = f"croissant.json: {key}: says otherwise of {name} than its files"
    assert said(release) == [told]
    edit_description(release, key, name, dict.clear)
    assert said(release) == [f"croissant.json: {key}: lacks {name}"]


def test_a_file_that_is_not_described_or_a_set_of_none_is_named(release: Path) -> None:
    edit_description(release, "distribution", "leaks.json", dict.clear)
    assert said(release) == ["croissant.json: distribution: lacks leaks.json"]
    more = {"@id": "more", "@type": "cr:RecordSet"}
    edit_description(release, "recordSet", "picture_files", lambda it: it.update(more))
    assert said(release) == [
        "croissant.json: distribution: lacks leaks.json",
        "croissant.json: recordSet: has more, which follows from no file",
        "croissant.json: recordSet: lacks picture_files",
    ]


def test_a_description_without_any_records_is_named(release: Path) -> None:
    path = release / "croissant.json"
    described = json.loads(path.read_text())
    names = [each["@id"] for each in described.pop("recordSet")]
    path.write_text(json.dumps(described))
    assert said(release) == sorted(
        f"croissant.json: recordSet: lacks {name}" for name in names
    )
    path.write_text(json.dumps({**described, "recordSet": 3}))
    [found] = said(release)
    assert found.startswith("croissant.json: is no description of a release")


def test_all_regions_that_were_edited_alike_are_not_those_that_are_counted(
    release: Path,
) -> None:
    path = release / "attributes.csv"
    text = path.read_text().replace(",japan,", ",china,")
    path.write_text(text)
    [found] = said(release)
    assert found.startswith(
        "attributes.csv: gives china 5, europe 5, not stated 5 iden"
    )


def test_an_id_of_two_characters_or_none_is_named(release: Path) -> None:
    [path] = (release / "icartoonface").rglob("identities.csv")
    name = path.relative_to(release).as_posix()
    with path.open(newline="") as file:
        _, _, second, *_ = list(csv.reader(file))
    edit(path, 0, character_id=second[-1])
    edit(path, 2, character_id="x")
    found = [line for line in said(release) if line.startswith(f"{name}: ")]
    assert len(found) == 2
    assert any(f"has the id {second[-1]} of " in line for line in found)
    assert any("has the id 'x' of " in line for line in found)


def test_another_name_of_a_label_is_named(release: Path) -> None:
    [path] = (release / "hf" / "recognition").glob("train-*.parquet")
    table = pq.read_table(path)
    about = table.schema.metadata[b"huggingface"].replace(b"Character 1-0", b"Luna")
    assert about != table.schema.metadata[b"huggingface"]
    pq.write_table(table.replace_schema_metadata({b"huggingface": about}), path)
    name = path.relative_to(release).as_posix()
    assert said(release) == [
        f"{name}: does not say to `datasets` what the column label is: the label 0 is "
        "'Album 1/Character 1-0', and not 'Album 1/Luna'"
    ]


def test_a_list_that_no_protocol_asks_for_is_named(release: Path) -> None:
    path = release / "release.json"
    summary = json.loads(path.read_text())
    del summary["protocol"]["pairs"]
    path.write_text(json.dumps(summary))
    assert said(release) == ["pairs.csv: is a list that its protocol does not ask for"]


@pytest.mark.parametrize(
    ("file", "pattern", "new"),
    [
        ("pairs.csv", "^(.),1,", r"\1,0,"),
        ("pairs.csv", "^(.,0,)[^,]*", r"\1x.jpg"),
        ("open_set.csv", r",(\d+),known", r",1\1,known"),
        ("open_set.csv", r",-1,unknown", ",-1,known"),
    ],
)
def test_lists_of_a_cleaned_release_are_held_against_its_test(
    release: Path, file: str, pattern: str, new: str
) -> None:
    contents = read_contents(release / "contents.csv")
    gone = contents.sha256[contents.rows("probe")[0]].decode()
    clean(release, Withdrawn(frozenset([gone]), frozenset(), frozenset()))
    assert said(release) == []
    change(release / file, pattern, new)
    [found] = said(release)
    assert found.startswith(f"{file}: has the row ")
    assert found.endswith(", which its test contradicts")


def test_a_licence_that_was_edited_in_a_shard_is_named(release: Path) -> None:
    shard = "webdataset/recognition-test-000000.tar"
    names: list[str] = []

    def free(members: Members) -> None:
        for place, (name, about) in enumerate(members):
            if b'"licences":["unknown"]' in about:
                members[place] = name, about.replace(b"unknown", b"CC0 1.0")
                names.append(name.replace(".json", ".jpg"))

    change_shard(release / shard, free)
    assert names
    assert said(release) == sorted(
        f"{shard}: {name} has the licences ['CC0 1.0'], and not ['unknown']"
        for name in names
    )


@pytest.mark.parametrize("text", ["", '<book title="a"><pages><page'])
def test_a_book_of_manga109_that_was_cut_off_is_named(
    workspace: Workspace, text: str
) -> None:
    release = workspace.root / "out"
    formats = ("icartoonface", "manga109")
    write(workspace, prepare(workspace, 1, formats), release, 1)
    book = min((release / "manga109" / "test" / "annotations").iterdir())
    book.write_text(text)
    file = book.relative_to(release).as_posix()
    assert any(each.startswith(f"{file}: ") for each in said(release))
