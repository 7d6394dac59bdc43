"""A round with a training: the model is compared, promoted or refused, and used."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.round import run as round_run
from icf.app.round import training
from icf.catalogue.labels.confirmed import read_confirmed
from icf.catalogue.rounds.log import Round, newest
from icf.catalogue.schema import answer as answer_table
from icf.catalogue.schema import decision, face, gate, model_alias, round_
from icf.codes import RoundState
from icf.models.cards import load_card
from icf.models.gate import promote
from icf.models.registry import aliases, store
from icf.workspace import Workspace, find
from tests.app.forked import Forked
from tests.app.program import call, said
from tests.app.round.test_run import answer, drive
from tests.filter.workspaces import make_workspace, rows, run_filter, site_files
from tests.models.onnx_files import colour_embedder

pytestmark = pytest.mark.slow

SETTINGS = """\
[filter]
workers = 1
[round]
batch = 60
audit_characters = 2
audit_faces = 20
min_faces = 6
min_identities = 2
steps = 4
seed = -1
config = "toy.toml"
[gate]
min_identities = 2
min_faces = 4
margin = 1
"""

TOY = """\
[loop]
batch = 4
workers = 0
save_every = 1
precision = "float32"
[held_out]
share = 0.0
"""


#: Words of a takedown.
GONE = ("--reason", "asked by mail", "--yes")


class Killed(BaseException):
    """A program that is killed: nothing of it goes on."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first round has trained: killed in the middle, and gone on."""
    root = tmp_path_factory.mktemp("rounds") / "trained"
    made = make_workspace(root, site_files(6))
    (root / "icf.toml").write_text(SETTINGS)
    (root / "toy.toml").write_text(TOY)
    made = find(root)
    run_filter(made)
    for _ in range(2):
        assert drive(made).state is RoundState.ANSWERS
        answer(made)
    kill_while_it_trains(root)
    with pytest.MonkeyPatch.context() as patched:
        stop_at(patched, RoundState.GATE, after=False)
        with pytest.raises(Killed):
            drive(made)
    return root


def kill_while_it_trains(root: Path) -> None:
    """Kill the program, and the training with it, once there is a checkpoint."""
    process = Forked("icf", "-C", root, "round", "run", "--quiet", folder=root)
    folder = root / "models" / "training"
    while process.poll() is None and not list(folder.glob("*/*.safetensors")):
        time.sleep(0.01)
    process.kill()
    process.communicate()


def stop_at(patched: pytest.MonkeyPatch, state: RoundState, *, after: bool) -> None:
    """Have a round killed before the work of a state, or between it and the note."""
    work = round_run._WORK[state]

    def stopped(*arguments: Any) -> Any:
        if after:
            work(*arguments)
        raise Killed

    patched.setattr(round_run, "_WORK", {**round_run._WORK, state: stopped})


@pytest.fixture
def place(trained: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(trained, tmp_path / "toons")
    return find(tmp_path / "toons")


def round_of(place: Workspace) -> Round:
    with place.catalogue.read() as connection:
        found = newest(connection)
    assert found is not None
    return found


def champions(place: Workspace) -> list[str | None]:
    query = sa.select(model_alias.c.model).where(model_alias.c.alias == "champion")
    return [row[0] for row in rows(place, query.order_by(model_alias.c.id))]


def test_a_killed_training_went_on_to_its_last_step(place: Workspace) -> None:
    made = round_of(place).summary["training"]
    assert made["steps"] == 4
    assert made["path"].startswith("models/training/round-1-")
    assert (place.root / made["path"]).is_file()


def test_a_champion_from_outside_is_not_trained_and_stops_no_round(
    place: Workspace, tmp_path: Path
) -> None:
    own = colour_embedder(tmp_path / "foreign.onnx")
    card = store.add(place, own, "me")
    with place.catalogue.write() as connection:
        aliases.promote(connection, "embedder", card.sha256, "me", "forced", None)
        # The round has not trained yet.
        connection.execute(sa.update(round_).values(status="train", summary="{}"))
    found = drive(place)
    assert found.state is RoundState.DONE
    assert found.summary["training"]["skipped"] == (
        "the champion foreign is from outside, and only runs: icf-train cannot train "
        "it further. `icf model promote` of one that can, such as bundled, changes that"
    )


def test_a_model_that_is_not_worse_is_promoted_and_decides_from_then_on(
    place: Workspace,
) -> None:
    found = drive(place)
    assert found.state is RoundState.DONE
    model = found.summary["training"]["model"]
    assert champions(place) == [model]
    status = said("-C", place.root, "round", "status")
    assert status["gate"]["promoted"] is True
    assert status["gate"]["margin"] == 1
    low, high = status["gate"]["interval"]
    assert low <= status["gate"]["difference"] <= high
    embedders = sa.select(face.c.embedder).where(face.c.embedder.is_not(None))
    assert rows(place, embedders.distinct()) == [(model,)]
    assert found.summary["before"]["model"] != found.summary["after"]["model"] == model
    judged = sa.select(decision.c.model).where(decision.c.step == "identity")
    assert rows(place, judged.order_by(decision.c.id.desc()).limit(1)) == [(model,)]
    assert rows(place, sa.select(gate.c.round_id, gate.c.promoted)) == [(1, True)]

    # The next round trains the model of this one further, on the same cast and more.
    assert drive(place).state is RoundState.ANSWERS
    answer(place)
    second = drive(place)
    assert (second.number, second.state) == (2, RoundState.DONE)
    assert second.summary["training"]["steps"] == 4
    path = place.root / second.summary["training"]["path"]
    assert load_card(path.with_suffix(".json")).parent == model


def test_a_refused_model_stays_the_challenger_and_changes_no_face(
    place: Workspace,
) -> None:
    config = place.root / "icf.toml"
    text = config.read_text()
    config.write_text(
        text.replace("min_identities = 2\nmin_faces = 4", "min_faces = 999")
    )
    embedders = sa.select(face.c.embedder).where(face.c.embedder.is_not(None))
    before = rows(place, embedders.distinct())
    found = drive(place)
    assert found.state is RoundState.DONE
    assert found.summary["gate"]["promoted"] is False
    assert "too small" in found.summary["gate"]["reason"]
    with place.catalogue.read() as connection:
        now = aliases.current(connection, "embedder")
    assert now["challenger"] == found.summary["training"]["model"]
    assert champions(place) == []
    assert rows(place, embedders.distinct()) == before
    # The next round asks again, and would train again only on new answers.
    assert drive(place).number == 2


def test_killed_after_the_promotion_it_does_not_promote_twice(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, RoundState.GATE, after=True)
        with pytest.raises(Killed):
            drive(place)
    assert round_of(place).state is RoundState.GATE
    found = drive(place)
    assert found.state is RoundState.DONE
    assert found.summary["gate"]["promoted"] is True
    assert champions(place) == [found.summary["training"]["model"]]
    assert len(rows(place, sa.select(gate.c.id))) == 1


def test_without_new_answers_nothing_is_trained_again(place: Workspace) -> None:
    drive(place)
    with place.catalogue.write() as connection:
        connection.execute(sa.update(face).values(verdict="dropped", awaits=None))
    found = drive(place)
    assert (found.number, found.state) == (2, RoundState.DONE)
    why = found.summary["training"]["skipped"]
    assert why == "nothing was answered since the last training"


def test_answers_that_count_no_more_are_a_reason_to_train_again(
    place: Workspace,
) -> None:
    drive(place)
    assert training.refusal(place) == "nothing was answered since the last training"
    with place.catalogue.write() as connection:
        first = sa.select(sa.func.min(answer_table.c.id)).scalar_subquery()
        connection.execute(
            sa.update(answer_table)
            .where(answer_table.c.id == first)
            .values(annotator="spammer")
        )
    said("-C", place.root, "annotate", "discount", "spammer")
    assert training.refusal(place) is None


def test_what_is_withdrawn_before_the_comparison_is_in_no_model(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise Killed

    with place.catalogue.read() as connection:
        owner = next(iter(read_confirmed(connection).owners.values()))
    call("-C", place.root, "takedown", f"character:{owner}", *GONE)
    monkeypatch.setattr(training, "train", train)
    with pytest.raises(Killed):
        drive(place)
    found = round_of(place)
    assert found.state is RoundState.TRAIN
    assert (
        "withdrawn since"
        in said("-C", place.root, "round", "status")["training"]["skipped"]
    )


def test_what_is_withdrawn_while_they_are_compared_is_in_no_model(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise Killed

    def withdraw(*_: Any) -> None:
        call("-C", place.root, "takedown", f"character:{owner}", *GONE)

    with place.catalogue.read() as connection:
        owner = next(iter(read_confirmed(connection).owners.values()))
        before = aliases.current(connection, "embedder")
    monkeypatch.setattr(promote, "run_gate", withdraw)
    monkeypatch.setattr(training, "train", train)
    with pytest.raises(Killed):
        drive(place)
    assert round_of(place).state is RoundState.TRAIN
    with place.catalogue.read() as connection:
        assert aliases.current(connection, "embedder") == before


def test_what_is_withdrawn_while_it_trains_is_in_no_model(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = round_of(place).summary["training"]
    first = (place.root / made["path"]).parent
    kept = place.root / "kept"
    shutil.copytree(first, kept)
    with place.catalogue.read() as connection:
        owner = next(iter(read_confirmed(connection).owners.values()))
    trained_into = []

    def run(place: Workspace, found: Round, out: Path, *_: Any, quiet: bool) -> Any:
        trained_into.append(out)
        if len(trained_into) == 1:
            call("-C", place.root, "takedown", f"character:{owner}", *GONE)
        else:
            assert not first.exists()
            shutil.copytree(kept, out)
        return {**made, "path": str(out / "embedder.onnx")}

    monkeypatch.setattr(training, "_run", run)
    lines: list[str] = []
    found = training.train(place, round_of(place), (), lines.append, quiet=True)
    assert trained_into[0] == first != trained_into[1]
    assert (place.root / found["path"]).parent == trained_into[1]
    assert "withdrawn while it was trained" in "".join(lines)
