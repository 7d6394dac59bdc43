"""Rounds on the second site: played to the end, and held against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from icf.app.demo.rounds import play as played
from icf.app.demo.rounds import site
from icf.app.demo.rounds.figures import (
    RoundFigures,
    nearest_are_right,
    read_figures,
    save,
)
from icf.app.demo.shell import Shell
from icf.app.demo.site import archive
from icf.app.demo.site.archive import SiteArchive
from icf.app.demo.site.truth import Truth
from icf.app.demo.site.wiki import Wiki
from icf.errors import WrongUse
from tests.app.demo_runs import run_within
from tests.app.program import call, said


def figures(number: int, **changes: float) -> RoundFigures:
    values = {"answers": 10, "still_to_ask": 30, "labels": 20, "wrong": 1, "lost": 0}
    made = {**values, **changes}
    return RoundFigures(
        number=number,
        promoted=number == 1,
        answers=int(made["answers"]),
        still_to_ask=int(made["still_to_ask"]),
        labels=int(made["labels"]),
        wrong=int(made["wrong"]),
        lost=int(made["lost"]),
        rank1=None if number == 0 else 80.0,
        rank1_bundled=None if number == 0 else 70.0,
        saved=0,
    )


def test_a_probe_is_right_where_its_nearest_other_face_is_the_same_character() -> None:
    vectors = np.array([[1, 0], [0.9, 0.4359], [0, 1], [0.1, 0.995]], np.float32)
    who = np.array(["a", "b", "c", "c"])
    every = np.ones(4, np.bool_)
    assert nearest_are_right(vectors, who, every) == 50.0
    assert nearest_are_right(vectors, who, who == "c") == 100.0
    assert nearest_are_right(vectors, who, who == "d") == 0.0


def test_figures_come_back_as_they_were_saved(tmp_path: Path) -> None:
    assert read_figures(tmp_path) == []
    made = [figures(0, labels=0, wrong=0), figures(1)]
    save(tmp_path, made)
    assert read_figures(tmp_path) == made
    assert made[0].error == 0.0
    assert made[1].error == 0.05
    assert made[1].questions == 40


def smaller(truth: Truth, per_album: int, per_character: int) -> Truth:
    """The first characters of two albums, and the first pictures of each."""
    cast = [
        each
        for album in truth.albums[:2]
        for each in [c for c in truth.characters if c.album == album][:per_album]
    ]
    names = {each.name for each in cast}
    some = [
        file
        for each in cast
        for file in [f for f in truth.files if f.filed_under == (each.name,)][
            :per_character
        ]
    ]
    shown = [f for f in some if {face.character for face in f.faces} <= names]
    return Truth(tuple(cast), tuple(shown))


def write_site(path: Path, truth: Truth) -> None:
    whole = SiteArchive(site.rounds_tar())
    kept = {file.name for file in truth.files}
    files = tuple(file for file in whole.wiki.files if file.name in kept)
    wiki = Wiki("A few", whole.wiki.rights, (), files)
    archive.write(path, wiki, [(file.path, whole.read(file.path)) for file in files])
    whole.close()


@pytest.mark.slow
def test_a_round_is_played_to_its_end_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = smaller(site.rounds_truth(), 4, 7)
    write_site(tmp_path / "few.tar", truth)
    for module in (site, played):
        monkeypatch.setattr(module, "rounds_tar", lambda: tmp_path / "few.tar")
        monkeypatch.setattr(module, "rounds_truth", lambda: truth)
    changes = {"steps": 2, "audit_characters": 2, "min_faces": 10, "min_identities": 2}
    # No process beside the training for two batches.
    (tmp_path / "few.toml").write_text("[loop]\nworkers = 0\n")
    config = {"config": f'"{tmp_path / "few.toml"}"'}
    monkeypatch.setattr(
        played, "_CONFIG", changed(played._CONFIG, {**changes, **config})
    )
    # Another test starts a demo's commands as programs.
    monkeypatch.setattr(Shell, "run", run_within)
    root = tmp_path / "demo"
    found = said("demo", root, "--rounds", 1, "--quiet")
    before, after = found["rounds"]
    assert before["answers"] == 0
    assert after["answers"] > 0
    assert after["labels"] >= after["wrong"]
    assert list((root / "models" / "training").glob("round-1-*/*.onnx"))
    assert Path(found["report"]).is_file()
    assert said("demo", root, "--rounds", 1, "--quiet")["rounds"] == found["rounds"]
    with pytest.raises(WrongUse, match="other options"):
        call("demo", root, "--rounds", 1, "--seed", 2)


def changed(config: str, values: Mapping[str, int | str]) -> str:
    head, _, tail = config.partition("[round]\n")
    lines = [line for line in tail.splitlines() if line.split(" ")[0] not in values]
    own = [f"{name} = {value}" for name, value in values.items()]
    return head + "[round]\n" + "\n".join([*lines, *own]) + "\n"
