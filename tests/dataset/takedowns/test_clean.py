from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from icf.app.takedown.target import find_target
from icf.app.takedown.work import take_down
from icf.catalogue import schema
from icf.dataset.contents import read_contents
from icf.dataset.formats.registry import OWN, RELINK
from icf.dataset.protocol_file import OpenSet, Pairs, ProtocolFile
from icf.dataset.release.keys import public_key, read_public
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import write_sums
from icf.dataset.release.write import write
from icf.dataset.stored.pictures import StoredPictures
from icf.dataset.takedowns import journal
from icf.dataset.takedowns.clean import Cleaned, clean
from icf.dataset.takedowns.signed import Withdrawn, read_list, write_list
from icf.dataset.takedowns.tables import Gone, write_csv_without
from icf.dataset.unused import read_unused
from icf.dataset.verify.verify import verify
from icf.errors import BadInput
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import make_pairs, read_rectest_info
from icf.icartoonface.release_files import (
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    FEATURES,
    RECTEST_INFO,
    RECTEST_LABELS,
)
from icf.workspace import Workspace, find
from tests.dataset.drawn import digest, same_files


@pytest.fixture(scope="module")
def given(
    drawn: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Withdrawn]:
    """A release, and what was withdrawn from the workspace afterwards."""
    root = tmp_path_factory.mktemp("given")
    shutil.copytree(drawn, root / "space")
    workspace = find(root / "space")
    with workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(schema.album).values(region="japan", style="=flat")
        )
    lists = ProtocolFile(
        name="lists", pairs=Pairs(folds=2, each=12), open_set=OpenSet()
    )
    write(workspace, prepare(workspace, 1, protocol=lists), root / "out", 1)
    workspace.catalogue.close()
    contents = read_contents(root / "out" / "contents.csv")
    every = ("train", "probe", "detection_train", "detection_test")
    of = [contents.rows(each)[0] for each in every]
    sha256 = frozenset(contents.sha256[of[1:]].astype("U64").tolist())
    # A train picture that is the same in another file, and one face of a picture.
    pixels = frozenset([contents.pixel_hash[of[0]].decode()])
    face = contents.rows("distractor")[0]
    faces = frozenset([contents.face_pixel_hash[face].decode()])
    return root / "out", Withdrawn(sha256, pixels, faces)


@pytest.fixture
def copy(given: tuple[Path, Withdrawn], tmp_path: Path) -> Path:
    return shutil.copytree(given[0], tmp_path / "copy")


def test_a_cleaned_copy_has_nothing_of_it_and_is_whole(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    before, withdrawn = read_contents(copy / "contents.csv"), given[1]
    done = clean(copy, withdrawn)
    found = verify(copy)
    assert found.faults == ()
    assert any("it was cleaned" in note for note in found.notes)
    after = read_contents(copy / "contents.csv")
    assert len(after) == len(before) - done.rows
    assert done.rows >= 4
    assert len(done.files) == done.rows
    gone = set(before.sha256.tolist()) - set(after.sha256.tolist())
    assert gone >= {each.encode() for each in withdrawn.sha256}
    hashes = set(digest(copy).values())
    assert not hashes & withdrawn.sha256
    # Of a picture, one face of which was withdrawn, other uses stay.
    assert not withdrawn.face_pixel_hash & set(after.face_pixel_hash.astype(str))
    text = "".join(
        path.read_text()
        for path in copy.rglob("*")
        if path.suffix in (".csv", ".txt", ".jsonl") and path.is_file()
    )
    assert not [name for name in withdrawn.sha256 if name in text]
    assert not list(copy.glob(".cleaning*"))
    assert clean(copy, withdrawn).rows == 0


def test_cards_count_region_and_style_of_identities_that_stay(copy: Path) -> None:
    def counted() -> list[dict[str, int]]:
        facts = json.loads((copy / "release.json").read_text())["cards"]["facts"]
        return [facts[f"identities_by_{name}"] for name in ("region", "style")]

    contents = read_contents(copy / "contents.csv")
    before = counted()
    assert [list(each) for each in before] == [["japan"], ["=flat"]]
    row = contents.rows("distractor")[0]
    clean(
        copy, Withdrawn(frozenset([contents.sha256[row].decode()]), *2 * [frozenset()])
    )
    assert counted() == [
        {key: count - 1 for key, count in each.items()} for each in before
    ]


def test_an_unused_face_leaves_the_table_and_the_counts_where_its_picture_stays(
    copy: Path,
) -> None:
    rows = read_unused(copy / "unused.csv")
    face = rows[0].face_pixel_hash
    gone = [each for each in rows if each.face_pixel_hash == face]
    assert len(face) == 64
    before = json.loads((copy / "release.json").read_bytes())
    nothing: frozenset[str] = frozenset()
    withdrawn = Withdrawn(nothing, nothing, frozenset([face]))
    assert clean(copy, withdrawn).unused == len(gone)
    assert verify(copy).faults == ()
    left = read_unused(copy / "unused.csv")
    assert left == [each for each in rows if each.face_pixel_hash != face]
    after = json.loads((copy / "release.json").read_bytes())
    lost = sum(before["unused"].values()) - sum(after["unused"].values())
    assert lost == len(gone)
    assert clean(copy, withdrawn) == Cleaned(0, ())


def test_features_and_pairs_are_those_of_the_faces_that_stay(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    info = read_rectest_info(copy / RECTEST_INFO)
    features = np.array(read_features(copy / FEATURES, len(info.files)))
    clean(copy, given[1])
    after = read_rectest_info(copy / RECTEST_INFO)
    rows = [info.files.index(name) for name in after.files]
    assert len(rows) < len(info.files)
    found = read_features(copy / FEATURES, len(after.files))
    np.testing.assert_array_equal(found, features[rows])
    np.testing.assert_array_equal(after.pairs, make_pairs(after.labels))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_lists_and_tables_of_any_name_have_nothing_of_it(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    before = read_contents(copy / "contents.csv")
    tables = ("pairs.csv", "open_set.csv", "attributes.csv")
    rows = {name: len(table(copy / name)) for name in tables}
    clean(copy, given[1])
    after = read_contents(copy / "contents.csv")
    info, same = (
        read_rectest_info(copy / each) for each in (RECTEST_INFO, RECTEST_LABELS)
    )
    assert (same.files, len(same.pairs)) == (info.files, 0)
    boxes = (copy / DETTRAIN_BOXES_BEFORE).read_bytes()
    assert boxes == (copy / DETTRAIN_BOXES).read_bytes()
    assert boxes != (given[0] / DETTRAIN_BOXES).read_bytes()
    pairs, open_set, said = (table(copy / name) for name in tables)
    assert {row[name] for row in pairs for name in ("one", "other")} <= {*info.files}
    assert [row["picture"] for row in open_set] == [*info.files]
    places = set(zip(after.part.tolist(), after.name.tolist(), strict=True))
    assert {(row["part"], row["name"]) for row in said} <= places
    lost = len(before.rows("train", "probe", "distractor")) - len(said)
    assert len(said) == rows["attributes.csv"] - lost < rows["attributes.csv"]
    assert 0 < len(pairs) < rows["pairs.csv"]


def test_who_lost_the_gallery_is_not_known_in_an_open_set(tmp_path: Path) -> None:
    old, new = tmp_path / "open_set.csv", tmp_path / "new.csv"
    lines = ["a,1,gallery", "b,1,known", "c,2,gallery", "d,2,known", "e,-1,unknown"]
    old.write_text("\n".join(["picture,label,role", *lines, ""]))
    none: frozenset[str] = frozenset()
    gone = Gone(none, none, none, frozenset([("probe", "a")]), {})
    assert write_csv_without(old, new, gone)
    assert new.read_text().split() == [
        *("picture,label,role", "b,1,unknown"),
        *lines[2:],
    ]


def test_a_change_that_cannot_be_prepared_leaves_nothing(tmp_path: Path) -> None:
    def write(new: Path) -> list[str]:
        (new / "half").touch()
        raise BadInput("no")

    with pytest.raises(BadInput):
        journal.prepare(tmp_path, write)
    assert not list(tmp_path.iterdir())


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, call: str, step: int) -> Iterator[None]:
    """Kill what is done within at a call, after ``step`` calls of that name."""
    owner = os if call == "fsync" else Path
    real, left = getattr(owner, call), step

    def dying(*args: object, **more: object) -> object:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(owner, call, dying)
        yield


@pytest.mark.parametrize(
    ("call", "step"),
    [
        *(("fsync", 0), ("fsync", 5), ("rename", 0), ("unlink", 0), ("unlink", 2)),
        *(("replace", 0), ("replace", 4), ("replace", 9)),
    ],
)
def test_whenever_it_is_killed_the_next_run_completes_it(
    copy: Path,
    given: tuple[Path, Withdrawn],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    step: int,
) -> None:
    release, withdrawn = given
    whole = _cleaned_once(release, withdrawn, tmp_path.parent)
    with killed_at(monkeypatch, call, step), pytest.raises(Killed):
        clean(copy, withdrawn)
    clean(copy, withdrawn)
    assert same_files(copy, whole)


_WHOLE: dict[Path, Path] = {}


def _cleaned_once(release: Path, withdrawn: Withdrawn, folder: Path) -> Path:
    if release not in _WHOLE:
        _WHOLE[release] = shutil.copytree(release, folder / "cleaned-once")
        clean(_WHOLE[release], withdrawn)
    return _WHOLE[release]


def test_a_cleaning_that_was_cut_short_is_named_by_verify(
    copy: Path, given: tuple[Path, Withdrawn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(journal, "complete", lambda folder: False)
        clean(copy, given[1])
    found = [str(each) for each in verify(copy, quick=True).faults]
    assert any(line.startswith(".cleaning: a cleaning was cut short") for line in found)
    assert clean(copy, given[1]).completed
    assert verify(copy, quick=True).faults == ()


def test_a_copy_that_brings_a_cleaning_changes_nothing_outside(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    outside = copy.parent / "outside"
    outside.mkdir()
    (outside / "own").write_text("mine")
    new = copy / journal.FOLDER / "new"
    (new / "led").mkdir(parents=True)
    (new / "led" / "theirs").touch()
    plan = copy / journal.FOLDER / "plan.json"
    plan.write_text('{"delete": ["../outside/own"]}')
    with pytest.raises(BadInput, match="outside of the release"):
        clean(copy, given[1])
    plan.write_text('{"delete": []}')
    (copy / "led").symlink_to(outside)
    with pytest.raises(BadInput, match="1 of its files are links, such as led"):
        clean(copy, given[1])
    plan.write_text("[]")
    (copy / "led").unlink()
    with pytest.raises(BadInput, match="is no plan of a cleaning"):
        clean(copy, given[1])
    assert [each.name for each in outside.iterdir()] == ["own"]


@pytest.mark.parametrize("place", ["../outside", "/outside"])
def test_a_copy_whose_formats_lie_outside_is_not_cleaned(
    copy: Path, given: tuple[Path, Withdrawn], place: str
) -> None:
    summary = json.loads((copy / "release.json").read_text())
    summary["formats"] = {"imagefolder": place}
    (copy / "release.json").write_text(json.dumps(summary))
    with pytest.raises(BadInput, match="no names of folders inside it"):
        clean(copy, given[1])


@pytest.mark.parametrize("file", [DETTEST_FOUND, FEATURES, RECTEST_INFO])
def test_a_damaged_copy_gets_no_new_hashes(
    copy: Path, given: tuple[Path, Withdrawn], file: Path
) -> None:
    data = (copy / file).read_bytes()
    (copy / file).write_bytes(data.replace(data[:1], b"7", 1))
    before = digest(copy)
    with pytest.raises(BadInput, match=f"1 of its files .*\n  {file}: has changed"):
        clean(copy, given[1])
    assert digest(copy) == before


def test_a_release_of_an_earlier_version_without_contents_is_refused_as_such(
    given: tuple[Path, Withdrawn], tmp_path: Path
) -> None:
    out, withdrawn = shutil.copytree(given[0], tmp_path / "out"), given[1]
    for name in ("contents.csv", "SHA256SUMS"):
        (out / name).unlink()
    with pytest.raises(
        BadInput, match=r"earlier version, which wrote no contents\.csv"
    ):
        clean(out, withdrawn)


def test_a_card_that_was_edited_on_a_hub_is_written_again(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    readme = copy / "README.md"
    readme.write_text(readme.read_text() + "\nEdited on the hub.\n")
    clean(copy, given[1])
    assert "Edited" not in readme.read_text()
    assert verify(copy).faults == ()


def test_a_copy_of_links_is_not_cleaned_as_the_bytes_would_stay(
    copy: Path, given: tuple[Path, Withdrawn], tmp_path: Path
) -> None:
    picture = next(copy.rglob("*.jpg"))
    picture.rename(tmp_path / "blob")
    picture.symlink_to(tmp_path / "blob")
    named = picture.relative_to(copy)
    with pytest.raises(BadInput, match=f"1 of its files are links, such as {named}"):
        clean(copy, given[1])


def test_a_format_that_is_not_installed_is_not_left_with_it(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    summary = json.loads((copy / "release.json").read_text())
    summary["formats"] = {"theirs": "."}
    (copy / "release.json").write_text(json.dumps(summary))
    write_sums(copy, {})
    before = digest(copy)
    with pytest.raises(BadInput, match="formats that are not installed here"):
        clean(copy, given[1])
    assert digest(copy) == before


@pytest.mark.parametrize(
    ("formats", "crops"),
    [
        (tuple(name for name in OWN if name != RELINK), None),
        (("icartoonface", "imagefolder", "insightface", "lfw", "webdataset"), 0.5),
        *(
            (("webdataset",), None),
            (("hf",), None),
            (("insightface",), 1.0),
            (("coco",), None),
        ),
    ],
)
def test_every_format_is_written_again_without_it(
    drawn: Path, tmp_path: Path, formats: tuple[str, ...], crops: float | None
) -> None:
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space")
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1, formats, crops=crops), out, 1)
    workspace.catalogue.close()
    before, withdrawn = read_contents(out / "contents.csv"), withdrawn_of(out)
    done = clean(out, withdrawn)
    assert len(done.rewritten) == sum("icartoonface" not in name for name in formats)
    found = verify(out, quick=True)
    assert found.faults == ()
    after = read_contents(out / "contents.csv")
    assert len(after) == len(before) - done.rows < len(before)
    assert not set(digest(out).values()) & withdrawn.sha256
    gone = [each.encode() for each in withdrawn.sha256]
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(each in content for each in gone), path
    assert_cards_are_true(out)
    assert clean(out, withdrawn).rows == 0


def test_sizes_of_pictures_take_one_reading_of_each_parquet_file(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space")
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1, ("hf",)), out, 1)
    workspace.catalogue.close()
    contents = read_contents(out / "contents.csv")
    summary = json.loads((out / "release.json").read_text())
    pictures = StoredPictures(out, summary, contents)
    read: list[object] = []
    real = pq.ParquetFile.read_row_group

    def counted(file: pq.ParquetFile, group: int, **more: object) -> object:
        read.append(group)
        return real(file, group, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    hashes = [*sorted(set(contents.sha256.astype("U64").tolist())), "0" * 64]
    sizes = pictures.sizes(hashes)
    assert len(read) <= len(list(out.glob("*/*-of-*.parquet"))) < len(hashes) // 2
    assert sizes == [*(len(pictures.get(each)) for each in hashes[:-1]), 0]


@pytest.mark.parametrize(
    ("call", "step"), [("unlink", 0), ("fsync", 9), ("replace", 1)]
)
def test_shards_are_whole_whenever_it_is_killed(
    sharded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, step: int
) -> None:
    withdrawn = withdrawn_of(sharded)
    whole, killed = (
        shutil.copytree(sharded, tmp_path / name) for name in ("whole", "killed")
    )
    clean(whole, withdrawn)
    assert verify(whole, quick=True).faults == ()
    with killed_at(monkeypatch, call, step), pytest.raises(Killed):
        clean(killed, withdrawn)
    clean(killed, withdrawn)
    assert same_files(killed, whole)


@pytest.fixture(scope="module")
def sharded(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in shards alone."""
    root = tmp_path_factory.mktemp("sharded")
    shutil.copytree(drawn, root / "space")
    workspace = find(root / "space")
    write(workspace, prepare(workspace, 1, ("webdataset",)), root / "out", 1)
    workspace.catalogue.close()
    return root / "out"


def withdrawn_of(folder: Path) -> Withdrawn:
    contents = read_contents(folder / "contents.csv")
    train, probe, test = (
        contents.rows(each)[0] for each in ("train", "probe", "detection_test")
    )
    rows = [train, probe, test]
    face = contents.rows("distractor")[0]
    return Withdrawn(
        frozenset(contents.sha256[rows].astype("U64").tolist()),
        frozenset(),
        frozenset([contents.face_pixel_hash[face].decode()]),
    )


def assert_cards_are_true(folder: Path) -> None:
    """Hold the cards against what is there."""
    described = json.loads((folder / "croissant.json").read_text())
    hashes = digest(folder)
    files = [each for each in described["distribution"] if "sha256" in each]
    assert files
    assert {each["@id"]: each["sha256"] for each in files} == {
        each["@id"]: hashes[each["@id"]] for each in files
    }
    counts = json.loads((folder / "release.json").read_text())["counts"]
    for card in ("README.md", "datasheet.md"):
        text = (folder / card).read_text()
        assert f"| train faces | {counts['train_faces']:,} |" in text
        assert f"| probes | {counts['probes']:,} |" in text
        assert "that were withdrawn since are deleted" in text or card != "README.md"
    pictures = read_contents(folder / "contents.csv")
    different = len(set(pictures.sha256.tolist()))
    assert (
        f"What sources state of {different} " in (folder / "ATTRIBUTION.md").read_text()
    )
    with (folder / "domains.csv").open(newline="") as file:
        assert sum(int(row["pictures"]) for row in csv.DictReader(file)) == different


def test_cards_of_an_earlier_version_keep_their_words_and_get_the_hashes(
    copy: Path, given: tuple[Path, Withdrawn]
) -> None:
    summary = json.loads((copy / "release.json").read_text())
    del summary["cards"]
    (copy / "release.json").write_text(json.dumps(summary))
    write_sums(copy, {})
    readme = (copy / "README.md").read_text()
    clean(copy, given[1])
    assert verify(copy, quick=True).faults == ()
    assert (copy / "README.md").read_text() == readme
    described = json.loads((copy / "croissant.json").read_text())
    hashes = digest(copy)
    for each in described["distribution"]:
        if "sha256" in each:
            assert each["sha256"] == hashes[each["@id"]]


def test_a_list_has_what_was_withdrawn_and_is_believed_if_it_is_signed(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert public_key(workspace.root) is None
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1), out, 1)
    assert not (out / "takedowns.pub").exists()
    contents = read_contents(out / "contents.csv")
    picture = contents.sha256[contents.rows("probe")[0]].decode()
    with workspace.catalogue.read() as connection:
        target = find_target(connection, picture)
    take_down(workspace, target, "asked by mail")
    path = tmp_path / "list.json"
    withdrawn, key = write_list(workspace, path)
    assert withdrawn.sha256 == {picture}
    assert len(withdrawn.pixel_hash) == 1
    assert read_public(f"{path}.pub") == key == public_key(workspace.root)
    assert read_list(path, key) == withdrawn
    assert "asked" not in path.read_text()
    assert clean(out, withdrawn).rows >= 1
    assert verify(out).faults == ()
    # The next release has the key, and is without the picture.
    write(workspace, prepare(workspace, 1), tmp_path / "next", 1)
    assert (tmp_path / "next" / "takedowns.pub").read_text().strip() == key
    assert clean(tmp_path / "next", withdrawn).rows == 0
    assert verify(tmp_path / "next", quick=True).faults == ()


def test_on_a_full_disk_the_earlier_list_stays(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "list.json"
    withdrawn, key = write_list(workspace, path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_list(workspace, path)
    assert read_list(path, key) == withdrawn
    assert sorted(tmp_path.glob("*list*")) == [path, Path(f"{path}.pub")]


def test_a_list_that_was_changed_or_signed_by_somebody_else_is_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "list.json"
    _, key = write_list(workspace, path)
    with pytest.raises(BadInput, match="was not signed with the key"):
        read_list(path, "ab" * 32)
    value = json.loads(path.read_text())
    value["withdrawn"]["sha256"] = ["0" * 64]
    path.write_text(json.dumps(value))
    with pytest.raises(BadInput, match="was not signed with the key"):
        read_list(path, key)
    value["withdrawn"]["sha256"] = ["../x"]
    path.write_text(json.dumps(value))
    with pytest.raises(BadInput, match="is no list of takedowns"):
        read_list(path, key)
    with pytest.raises(BadInput, match="no public key"):
        read_public("nobody")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        "[1]",
        "null",
        '{"withdrawn": null}',
        '{"withdrawn": {"sha256": 3}, "signature": ""}',
    ],
)
def test_json_that_is_no_list_of_takedowns_is_refused_in_plain_words(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_list(path, "ab" * 32)
    assert str(refused.value) == (
        f"{path} is no list of takedowns (it lacks `withdrawn`, with its hashes, or "
        "`signature`); `icf release takedowns` writes one"
    )
