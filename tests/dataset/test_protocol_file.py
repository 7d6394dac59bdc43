from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from icf.dataset.cli.build_splits import cli as build_splits
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.protocol_file import ProtocolFile, read_protocol
from icf.dataset.release.prepare import prepare
from icf.dataset.release.reading import Asked, read_release
from icf.dataset.release.write import write
from icf.dataset.selecting.select import select
from icf.dataset.selection import Nature, Selection
from icf.errors import BadInput, WrongUse
from icf.settings import DatasetSettings
from icf.workspace import Workspace
from tests.app.program import invoke

PAGE = Path(__file__).parents[2] / "docs" / "dataset" / "splits.md"
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def protocol(text: str, folder: Path) -> ProtocolFile:
    path = folder / "protocol.toml"
    path.write_text(text)
    return read_protocol(path)


@pytest.fixture
def selection(workspace: Workspace) -> Selection:
    with workspace.catalogue.read() as connection:
        return select(connection)


def divided(
    workspace: Workspace, selection: Selection, chosen: ProtocolFile, seed: int = 1
) -> Plan:
    settings = workspace.settings.dataset
    return make_plan(selection, settings, Reach(10, 10, 4), seed, protocol=chosen)


def owners(plan: Plan, *parts: str) -> set[int]:
    rows = np.concatenate([getattr(plan.splits, each) for each in parts])
    return set(plan.selection.faces.identity[rows].tolist())


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_make_a_release(
    workspace: Workspace, selection: Selection, tmp_path: Path, example: str
) -> None:
    plan = divided(workspace, selection, protocol(example, tmp_path))
    assert plan.counts["probes"]
    assert plan.counts["train_faces"]


def test_each_identity_is_in_the_test_of_one_fold(
    workspace: Workspace, selection: Selection, tmp_path: Path
) -> None:
    tested: list[int] = []
    for fold in (1, 2):
        text = f'name = "f"\n[fold]\nfolds = 2\nfold = {fold}\n'
        plan = divided(workspace, selection, protocol(text, tmp_path))
        held_out = owners(plan, "probes", "distractors")
        assert not held_out & owners(plan, "train")
        tested += held_out
    assert sorted(tested) == sorted(set(selection.faces.identity.tolist()))


def test_albums_that_are_left_out_are_in_the_test_alone(
    workspace: Workspace, selection: Selection, tmp_path: Path
) -> None:
    name = min(each.album for each in selection.identities.values())
    text = f'name = "a"\n[albums]\nout = ["{name}"]\n'
    plan = divided(workspace, selection, protocol(text, tmp_path))
    inside = {key for key, each in selection.identities.items() if each.album == name}
    assert owners(plan, "probes", "distractors") == inside
    assert owners(plan, "train") == selection.identities.keys() - inside
    # A picture of it in which nobody is confirmed would show how it is drawn.
    first = selection.pictures.image[plan.splits.detection_train[0]]
    album = next(
        each.album_id for each in selection.identities.values() if each.album == name
    )
    filed = np.array([[first, album]], np.int64)
    other = divided(
        workspace, replace(selection, filed=filed), protocol(text, tmp_path)
    )
    trained = selection.pictures.image[other.splits.detection_train]
    assert first not in trained
    assert len(trained) > 5
    asked = Asked(1, workspace.settings.dataset, protocol=protocol(text, tmp_path))
    filed = read_release(workspace, asked).plan.selection.filed
    assert set(filed[:, 0]) == set(
        selection.pictures.image[selection.pictures.complete]
    )


def test_an_album_is_named_as_people_read_it(
    workspace: Workspace, selection: Selection, tmp_path: Path
) -> None:
    renamed = {
        key: replace(each, album=f"\u00c1lbum {each.album}")
        for key, each in selection.identities.items()
    }
    name = min(each.album for each in renamed.values())
    selection = replace(selection, identities=renamed)
    decomposed = unicodedata.normalize("NFD", f" {name}\u00a0")
    text = f'name = "a"\n[albums]\nout = ["{decomposed}"]\n'
    plan = divided(workspace, selection, protocol(text, tmp_path))
    inside = {key for key, each in renamed.items() if each.album == name}
    assert owners(plan, "probes", "distractors") == inside


def test_how_many_have_nothing_to_be_balanced_by_is_said(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "b.toml"
    words = ("releases/b", "--protocol", path, "--dry-run", "-C", workspace.root)
    for by, said in (("region", True), ("album", False)):
        path.write_text(f'name = "b"\n[balance]\nby = "{by}"\n')
        done = invoke(build_splits, *words)
        assert done.exit_code == 0, done.output
        assert ("nobody says the region of 15 of 15 identities" in done.stderr) == said


@pytest.mark.parametrize("by", ["region", "style"])
def test_a_balanced_test_has_equally_many_of_each_kind(
    workspace: Workspace, selection: Selection, tmp_path: Path, by: str
) -> None:
    many, few = sorted(selection.identities)[:12], sorted(selection.identities)[12:]
    natures = {
        **dict.fromkeys(many, Nature("", "japan", "manga")),
        **dict.fromkeys(few, Nature("", "europe", "flat")),
    }
    selection = replace(selection, natures=natures)
    text = (
        f'name = "b"\n[balance]\nby = "{by}"\n[parts]\nunseen_identities = 4\n'
        "unseen_probe_share = 0.27\nseen_identities = 0\nseen_probe_share = 0\n"
        "distractors = 2\ndistractor_share = 0.14\n"
    )
    plan = divided(workspace, selection, protocol(text, tmp_path))
    unseen, distractors = owners(plan, "probes"), owners(plan, "distractors")
    assert [len(unseen & {*each}) for each in (many, few)] == [2, 2]
    assert [len(distractors & {*each}) for each in (many, few)] == [1, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "cannot be read as TOML"),
        ("[fold]\nfolds = 2\nfold = 1\n", "name: Field required"),
        ('name = "x"\nfolds = 2\n', "folds: Extra inputs"),
        ('name = "x"\n[fold]\nfolds = 2\nfold = 3\n', "fold: fold 3 of 2"),
        ('name = "x"\n[fold]\nfolds = "2"\nfold = 1\n', "fold.folds: .*integer"),
        ('name = "x"\n[[fold]]\nfolds = 2\n', r"fold: expected one table, \[fold\]$"),
        ('name = "x"\n[albums]\nout = "1984"\n', r"albums\.out: .* a list, in bra"),
        ('name = "x"\nfold = 2\n', r"fold: expected one table, \[fold\]$"),
        ('name = "x"\n[[parts]]\nprobes = 2\n', r"parts: expected one table"),
        ('name = "x"\n[parts]\nprobes = "2"\n', r"parts\.probes: expected a number"),
        *(
            (f'name = "x"\n[parts]\n{part}\n', rf"parts\.{said}$")
            for part, said in (
                ("probes = true", "probes: expected a whole number, found true"),
                ("probes = 2.0", r"probes: expected a whole number, found 2\.0"),
                ("distractor_share = true", ".*: expected a number, found true"),
                ("thin_probes = 0", "thin_probes: expected true or false, found 0"),
            )
        ),
        ('name = "x"\n[albums]\n', "albums: name the albums"),
        ('name = "x"\n[balance]\nby = "pose"\n', "balance.by: .*'style'"),
        ('name = "x"\n[parts]\nprobe = 3\n', "parts.probe: no such number; .*probes"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=rf"protocol\.toml.*{said}"):
        protocol(text, tmp_path)


def test_kinds_of_numbers_that_fit_are_taken(tmp_path: Path) -> None:
    parts = "probes = 3\ndistractor_share = 0\nthin_probes = false\n"
    chosen = protocol(f'name = "x"\n[parts]\n{parts}', tmp_path)
    settings = chosen.settings(DatasetSettings())
    assert (settings.probes, settings.distractor_share) == (3, 0.0)
    assert settings.thin_probes is False
    assert list(chosen.as_json()) == ["name", "parts"]


def test_a_file_may_begin_with_a_mark_as_editors_write_it(tmp_path: Path) -> None:
    assert protocol('\ufeffname = "marked"\n', tmp_path).name == "marked"


def test_an_album_or_number_that_cannot_be_is_named(
    workspace: Workspace, selection: Selection, tmp_path: Path
) -> None:
    unknown = protocol('name = "x"\n[albums]\nout = ["None such"]\n', tmp_path)
    with pytest.raises(BadInput, match=r"protocol\.toml: albums\.out: 'None such'"):
        divided(workspace, selection, unknown)
    wrong = protocol('name = "x"\n[parts]\nmax_probes = 1\n', tmp_path)
    with pytest.raises(BadInput, match=r"protocol\.toml: parts\.max_probes: "):
        divided(workspace, selection, wrong)


def test_where_no_album_can_be_trained_on_it_is_said(
    workspace: Workspace, selection: Selection, tmp_path: Path
) -> None:
    every = sorted({each.album for each in selection.identities.values()})
    chosen = protocol(f'name = "x"\n[albums]\nout = {every}\n', tmp_path)
    with pytest.raises(WrongUse, match="keeps all 15 identities out of train"):
        divided(workspace, selection, chosen)
    share = protocol('name = "x"\n[albums]\nshare = 0.1\n', tmp_path)
    with pytest.raises(BadInput, match=r"albums\.share: there is no album with conf"):
        prepare(workspace, 1, protocol=share, detection_only=True)


def test_strict_says_of_each_part_what_is_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    chosen = protocol('name = "x"\n', tmp_path)
    with pytest.raises(WrongUse) as caught:
        prepare(workspace, 1, protocol=chosen, strict=True)
    plan = prepare(workspace, 1, protocol=chosen)
    there = plan.plan.counts["distractors"]
    assert f"distractors: 2,500 needed, {there} there, {2500 - there:,} missing" in str(
        caught.value
    )
    assert '"protocol"' in plan.summary
    assert plan.inputs != prepare(workspace, 1).inputs


LISTS = 'name = "x"\n[pairs]\nfolds = 2\neach = 12\n[open_set]\nknown = 0.5\n'


def test_pairs_are_balanced_and_no_identity_is_in_two_folds(
    workspace: Workspace, tmp_path: Path
) -> None:
    chosen = protocol(LISTS, tmp_path)
    prepared = prepare(workspace, 1, protocol=chosen)
    assert write(workspace, prepared, tmp_path / "out", 1)
    label = {each.path: each.label for each in prepared.plan.test}
    with (tmp_path / "out" / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = Counter((row["fold"], row["same"]) for row in rows)
    assert kinds == {(fold, same): 12 for fold in "12" for same in "01"}
    shown: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        one, other = label[row["one"]], label[row["other"]]
        assert row["one"] != row["other"]
        assert (one == other) == (row["same"] == "1")
        assert min(one, other) >= 0
        shown[one].add(row["fold"])
        shown[other].add(row["fold"])
    assert all(len(folds) == 1 for folds in shown.values())
    pairs = {frozenset((row["one"], row["other"])) for row in rows}
    assert len(pairs) == len(rows)


def test_an_open_set_has_a_gallery_of_those_who_are_known(
    workspace: Workspace, tmp_path: Path
) -> None:
    prepared = prepare(workspace, 1, protocol=protocol(LISTS, tmp_path))
    _, *rows = prepared.lists["open_set.csv"]
    assert [row[0] for row in rows] == [each.path for each in prepared.plan.test]
    by_role: dict[object, list[object]] = defaultdict(list)
    for _, label, role in rows:
        by_role[role].append(label)
    assert len(set(by_role["gallery"])) == len(by_role["gallery"]) > 0
    assert set(by_role["known"]) == set(by_role["gallery"])
    assert not set(by_role["unknown"]) & set(by_role["gallery"])
    assert -1 in by_role["unknown"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("gallery = 17", r"open_set\.gallery = 17 leaves no picture .* 'known'"),
        ("known = 0.0001", r"open_set\.known = 0\.0001 leaves no .* 'gallery'"),
        ("known = 0.9999", r"open_set\.known = 0\.9999 leaves no .* 'unknown'"),
    ],
)
def test_an_open_set_without_one_of_its_roles_is_refused(
    workspace: Workspace, tmp_path: Path, wanted: str, said: str
) -> None:
    few = "[parts]\ndistractors = 0\ndistractor_share = 0\n"
    text = f'name = "x"\n{few}[open_set]\n{wanted}\n'
    with pytest.raises(WrongUse, match=said):
        prepare(workspace, 1, protocol=protocol(text, tmp_path))


def test_too_few_pairs_are_said_with_what_is_there(
    workspace: Workspace, tmp_path: Path
) -> None:
    many = protocol('name = "x"\n[pairs]\nfolds = 2\neach = 9999\n', tmp_path)
    with pytest.raises(WrongUse, match=r"want 9999 pairs.*fold 1 has"):
        prepare(workspace, 1, protocol=many)
