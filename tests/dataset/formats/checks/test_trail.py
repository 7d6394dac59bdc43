"""A licence, an address or an author that was changed beside a picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icf.dataset.contents import read_contents
from icf.dataset.formats.checks.turned import check_turned, trail_of
from icf.dataset.rights.trail import Trail
from icf.dataset.verify.pictures import check_pictures
from tests.dataset.drawn import digest
from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported
from tests.dataset.formats.webdataset.test_verify import Members, change_shard

Row = dict[str, Any]
Change = Callable[[Row], None]
#: Formats that say beside each picture where it is from, with a file that does.
TOLD = [
    ("webdataset", "detection-test-000000.tar"),
    ("webdataset", "recognition-train-000000.tar"),
    ("parquet", "recognition/test-00000-of-00001.parquet"),
    ("parquet", "detection/train-00000-of-00001.parquet"),
    ("hf", "recognition/train-00000-of-00001.parquet"),
    ("imagefolder", "recognition/test/metadata.jsonl"),
    ("imagefolder", "detection/train/metadata.jsonl"),
    ("coco", "annotations/instances_test.json"),
]
#: What the format COCO calls them.
COCO = {"url": "coco_url"}


def change_row(path: Path, change: Change) -> None:
    """Change what a file says of its second picture."""
    if path.suffix == ".tar":

        def second(members: Members) -> None:
            name, text = members[3]
            row = json.loads(text)
            change(row)
            members[3] = name, json.dumps(row).encode()

        change_shard(path, second)
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        rows = table.to_pylist()
        change(rows[1])
        path.unlink()  # it may be linked to
        pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    elif path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
        row = json.loads(lines[1])
        change(row)
        lines[1] = json.dumps(row)
        path.write_text("\n".join([*lines, ""]))
    else:
        content = json.loads(path.read_text())
        change(content["images"][1])
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("column", ["licences", "url", "author"])
@pytest.mark.parametrize(("name", "file"), TOLD)
@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_what_was_changed_beside_a_picture_is_named(
    kind: str,
    name: str,
    file: str,
    column: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    copied = Copied.of(exported, name, tmp_path)
    is_coco = name == "coco"

    def change(row: Row) -> None:
        if is_coco and column == "licences":
            row["license"] = row["license"] % 3 + 1
        else:
            row[COCO.get(column, column) if is_coco else column] = (
                ["CC BY 4.0"] if column == "licences" else "https://elsewhere.test/x"
            )

    change_row(copied.folder / file, change)
    [said] = copied.said()
    assert said.startswith(f"{file}: ")
    called = "licence" if is_coco and column == "licences" else column
    assert f" has the {called} " in said
    assert ", and not " in said


@pytest.mark.parametrize(("name", "file"), [*TOLD[:2], *TOLD[5:]])
def test_what_is_said_no_more_beside_a_picture_is_named(
    whole: Exported, name: str, file: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    change_row(copied.folder / file, lambda row: row.pop("author"))
    [said] = copied.said()
    assert "has the author None, and not =A. Drawer" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda own: own[0].update(name="CC BY"), "has the licence ('CC BY', "),
        (
            lambda own: own[0].update(url="https://x.test"),
            "'https://x.test'), and",
        ),
        (
            lambda own: own.append({**own[0], "name": "x"}),
            "licenses[3]: has the id 1 ",
        ),
        (lambda own: own.append({**own[0], "id": 9}), "has the licence 9, which no pi"),
        (lambda own: own.pop(0), "has the licence None, and not "),
    ],
)
def test_a_licence_that_was_changed_in_its_list_is_named(
    whole: Exported, change: Callable[[list[Row]], object], said: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "coco", tmp_path)
    path = copied.folder / "annotations/instances_train.json"
    content = json.loads(path.read_text())
    change(content["licenses"])
    path.write_text(json.dumps(content))
    assert said in " ".join(copied.said())


@pytest.mark.parametrize(("name", "file"), [*TOLD[:2], TOLD[-1]])
def test_another_orientation_is_named(
    whole: Exported, name: str, file: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)

    def turn(row: Row) -> None:
        row["exif_orientation"] += 2

    change_row(copied.folder / file, turn)
    [said] = copied.said()
    assert f"{file}: " in said
    assert " has the exif_orientation " in said


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def with_tables(whole: Exported, root: Path) -> tuple[Path, Path]:
    """Copies of the tables of licences and of turned pictures."""
    paths = root / "licences.csv", root / "exif_turned.csv"
    for path in paths:
        path.write_bytes((whole.folder / path.name).read_bytes())
    return paths


@pytest.mark.parametrize("column", ["url", "page", "licence", "author", "licence_from"])
def test_a_row_that_says_something_else_of_the_same_picture_is_named(
    whole: Exported, column: str, tmp_path: Path
) -> None:
    path, _ = with_tables(whole, tmp_path)
    assert list(Trail(tmp_path).faults()) == []
    header, *rows = read(path)
    first = {row[1]: place for place, row in reversed(list(enumerate(rows)))}
    row = next(row for place, row in enumerate(rows) if place > first[row[1]])
    row[header.index(column)] = "CC0 1.0"
    row[header.index("spdx")] = "CC0-1.0" if column == "licence" else row[8]
    write(path, [header, *rows])
    [what] = Trail(tmp_path).faults()
    member = row[header.index("member")]
    assert what == (
        f"says of {f'{row[0]} {member}'.rstrip()} what it does not say "
        "of the same picture in another file"
    )


@pytest.mark.parametrize("spdx", ["CC0-1.0", ""])
def test_an_spdx_identifier_that_is_not_that_of_its_licence_is_named(
    whole: Exported, spdx: str, tmp_path: Path
) -> None:
    path, _ = with_tables(whole, tmp_path)
    header, *rows = read(path)
    place = header.index("spdx")
    row = next(row for row in rows if row[header.index("licence")] == "CC BY-SA 4.0")
    row[place] = spdx
    write(path, [header, *rows])
    [what] = Trail(tmp_path).faults()
    assert what == (
        f"has the SPDX identifier {spdx!r} for CC BY-SA 4.0 (CC-BY-SA-4.0) of {row[0]}"
    )
    # An earlier version wrote no such column.
    write(path, [row[:place] + row[place + 1 :] for row in [header, *rows]])
    assert list(Trail(tmp_path).faults()) == []


@pytest.mark.parametrize(
    "spoil",
    [lambda rows: rows[1].__delitem__(slice(4, None)), lambda rows: rows[0].pop(2)],
)
def test_a_damaged_table_of_licences_is_named(
    whole: Exported, spoil: Callable[[list[list[str]]], object], tmp_path: Path
) -> None:
    path, _ = with_tables(whole, tmp_path)
    rows = read(path)
    spoil(rows)
    write(path, rows)
    [what] = Trail(tmp_path).faults()
    assert what.startswith("cannot be read to its end: ")


def turned_faults(whole: Exported, root: Path) -> list[str]:
    contents = read_contents(whole.folder / "contents.csv")
    return [each.what for each in check_turned(root, contents, trail_of(root))]


#: Formats whose pictures are no files with their own hashes.
HELD = ["webdataset", "parquet", "hf", "insightface", "lfw"]


@pytest.mark.parametrize("name", [*HELD, "imagefolder", "icartoonface"])
def test_a_picture_without_a_row_of_its_own_is_named(
    cropped: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(cropped, name, tmp_path)
    path = tmp_path / "licences.csv"
    header, *rows = read(path)
    row = next(r for r in rows if r[0].startswith(f"{name}/") and "detval" not in r[0])
    rows.remove(row)
    write(path, [header, *rows])
    [said] = copied.said()
    group = row[0] if row[header.index("member")] else row[0].rpartition("/")[0]
    assert said.startswith("../licences.csv: has the rows of ")
    assert f" pictures in {group}, which has " in said


@pytest.mark.parametrize("name", HELD)
def test_a_row_of_another_picture_is_named(
    cropped: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(cropped, name, tmp_path)
    path = tmp_path / "licences.csv"
    header, *rows = read(path)
    first = next(r for r in rows if r[0].startswith(f"{name}/"))
    alike = [r for r in rows if r[0] == first[0] or r[0].startswith(f"{name}/{name}/")]
    other = next(r for r in alike if r[1] != first[1])
    first[1:-1], other[1:-1] = other[1:-1], first[1:-1]
    write(path, [header, *rows])
    said = copied.said()
    assert said
    what = "../licences.csv: has rows of other pictures in "
    assert all(each.startswith(what) for each in said)


@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_rows_of_turned_pictures_are_those_of_all_their_files(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    _, path = with_tables(exported, tmp_path)
    if (exported.folder / "crops.csv").exists():
        crops = (exported.folder / "crops.csv").read_bytes()
        (tmp_path / "crops.csv").write_bytes(crops)
    assert turned_faults(exported, tmp_path) == []
    header, first, second, *rest = read(path)
    named = [" ".join(row[:2]).rstrip() for row in (first, second)]
    wider = [*second[:3], "7", second[4]]
    write(path, [header, wider, *rest, ["x.jpg", "", "6", "1", "2"]])
    assert sorted(turned_faults(exported, tmp_path)) == [
        "has " + what
        for what in (
            f"no row of {named[0]}",
            "x.jpg, which is no picture that is turned",
        )
    ] + [f"says 6 7 {second[4]} of {named[1]}, and not 6 {second[3]} {second[4]}"]


def test_a_loose_picture_that_is_turned_in_no_row_is_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "coco", tmp_path)
    contents = read_contents(tmp_path / "contents.csv")
    hashes = digest(copied.folder)

    def found() -> set[str]:
        trail = trail_of(tmp_path)
        said = check_pictures(copied.folder, contents, hashes, trail)
        return {each.file for each in said if "is turned by EXIF as " in each.what}

    assert found() == set()
    path = tmp_path / "exif_turned.csv"
    named = {row[0].removeprefix("coco/") for row in read(path)[1:]}
    path.unlink()
    assert found() == named & hashes.keys() != set()


@pytest.mark.parametrize("name", ["webdataset", "parquet"])
def test_a_picture_that_is_turned_in_no_row_is_named(
    whole: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    (tmp_path / "exif_turned.csv").unlink()
    said = copied.said()
    assert said
    assert any(
        "is turned by EXIF as 6, and not 1 as in exif_turned.csv" in line
        for line in said
    )
