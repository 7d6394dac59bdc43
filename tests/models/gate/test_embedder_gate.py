"""The gate of embedders, from a catalogue to a verdict."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import sqlalchemy as sa

from icf.catalogue.schema import (
    album,
    audit_item,
    character,
    face,
    image,
    model_alias,
    question,
)
from icf.codes import Label
from icf.errors import BadModel, IcfError, WrongUse
from icf.models.cards import bundled_path, load_card, new_card, save_card
from icf.models.embedding import Embedder
from icf.models.gate.audit_faces import read_audit_faces
from icf.models.gate.embedders import compare_embedders, some_crops
from icf.models.gate.promote import Refused, promote
from icf.models.gate.report import GateReport
from icf.models.gate.run import compare, run_gate
from icf.models.gate.soundness import check_embedder
from icf.models.gate.stored import StoredGate, newest
from icf.models.networks import create
from icf.models.registry import store
from icf.models.registry.resolve import find, model_path
from icf.models.trained_on import IDENTITIES, IDENTITIES_BEFORE
from icf.models.training.start import unfolded
from icf.settings import load
from icf.workspace import Workspace
from icf.workspace import find as open_workspace
from tests.filter.workspaces import rows
from tests.models.gate.toy import (
    AUDITED,
    crown,
    drawn_workspace,
    hash_of,
    linear_embedder,
    of_colours,
    trained,
)
from tests.models.onnx_files import colour_detector


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gate") / "space"
    drawn_workspace(root).catalogue.close()
    return root


@pytest.fixture
def made(drawn: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Six albums of seven characters, of which 21 characters are set aside."""
    shutil.copytree(drawn, tmp_path / "space")
    made = open_workspace(tmp_path / "space")
    yield made
    made.catalogue.close()


@pytest.fixture
def champion(made: Workspace, tmp_path: Path) -> Path:
    """The champion of the workspace: it sees colours and much noise."""
    path = of_colours(tmp_path / "champion.onnx", 0.7)
    crown(made, "embedder", path)
    return path


def settings(made: Workspace, **values: object) -> Workspace:
    flags = tuple(f"gate.{key}={value}" for key, value in values.items())
    return Workspace(made.root, load(made.root / "icf.toml", {}, flags))


def test_a_better_model_is_promoted_and_used(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    done = promote(made, "embedder", better, "anna@studio")
    report = done.gate.report
    assert report.promoted
    assert report.reasons == ()
    assert report.difference is not None
    assert report.difference > 0.2
    assert report.interval is not None
    assert report.interval[0] is not None
    assert report.interval[0] > 0
    assert report.compared["audit characters"] == AUDITED
    assert report.figures["challenger"]["map"] > report.figures["champion"]["map"]
    path = model_path(made, "embedder")
    assert path.parent == made.root / "models"
    assert load_card(path.with_suffix(".json")).sha256 == hash_of(better)
    assert find(made, "previous", "embedder").name.startswith("champion-")
    last = sa.select(model_alias).order_by(model_alias.c.id.desc()).limit(1)
    [move] = rows(made, last)
    assert move[1:7] == (
        "embed",
        "champion",
        hash_of(better),
        "anna@studio",
        "passed the gate",
        done.gate.id,
    )


def test_the_same_model_under_another_hash_is_promoted(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    again = copied(champion, tmp_path / "again.onnx", b"\x72\x00")
    report = compare(made, "embedder", champion, again)
    assert (report.difference, report.interval) == (0.0, (0.0, 0.0))
    assert report.promoted


def copied(path: Path, target: Path, more: bytes = b"") -> Path:
    """Copy a model, with bytes that change its hash and nothing else."""
    target.write_bytes(path.read_bytes() + more)
    card = load_card(path.with_suffix(".json"))
    changed = new_card(target, card.task, card.format, card.parameters)
    save_card(changed, target.with_suffix(".json"))
    return target


def test_a_worse_model_is_refused_with_the_figures_that_say_so(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    worse = of_colours(tmp_path / "worse.onnx", 0.5)
    with pytest.raises(Refused, match=r"it is worse: .* at most -0") as refused:
        promote(made, "embedder", worse)
    assert "--force" in str(refused.value)
    assert model_path(made, "embedder").name.startswith("champion-")
    report = refused.value.gate.report
    assert not report.promoted
    assert any(each.held is False for each in report.floors)
    assert any("faces under 128 px: it loses" in each for each in report.reasons)
    with made.catalogue.read() as connection:
        stored = newest(connection, "embedder", report.champion, report.challenger)
    assert stored == refused.value.gate


def test_labels_that_were_shuffled_are_noticed(made: Workspace, tmp_path: Path) -> None:
    weak = of_colours(tmp_path / "weak.onnx", 0.3)
    crown(made, "embedder", weak)
    poisoned = trained(made, tmp_path / "poisoned.onnx", shuffled=True)
    assert not run_gate(made, "embedder", poisoned).report.promoted
    honest = trained(made, tmp_path / "honest.onnx", shuffled=False)
    assert run_gate(made, "embedder", honest).report.promoted


def test_a_worse_model_can_be_forced_and_the_reason_is_logged(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    worse = of_colours(tmp_path / "worse.onnx", 0.5)
    done = promote(made, "embedder", worse, "ben@studio", "the old one is not ours")
    assert not done.gate.report.promoted
    said = sa.select(model_alias.c.reason).order_by(model_alias.c.id.desc()).limit(1)
    assert rows(made, said) == [("forced: the old one is not ours",)]
    assert model_path(made, "embedder").name.startswith("worse-")


def test_another_champion_meanwhile_is_not_overrun(
    made: Workspace,
    champion: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = of_colours(tmp_path / "other.onnx", 0.9)

    def compared_slowly(*arguments: Any) -> StoredGate:
        found = run_gate(*arguments)
        crown(made, "embedder", other)
        return found

    monkeypatch.setattr("icf.models.gate.promote.run_gate", compared_slowly)
    with pytest.raises(IcfError, match="another embedder became the champion mean"):
        promote(made, "embedder", of_colours(tmp_path / "better.onnx", 1.0))
    assert model_path(made, "embedder").name.startswith("other-")


def test_a_lost_champion_is_no_dead_end(made: Workspace, champion: Path) -> None:
    model_path(made, "embedder").unlink()
    bundled = bundled_path("embedder")
    with pytest.raises(BadModel, match=r"champion embedder, .* is no longer in"):
        promote(made, "embedder", bundled)
    done = promote(made, "embedder", bundled, force="the disk lost it")
    assert done.gate.report.champion == hash_of(champion)
    assert "nothing to compare with" in done.gate.report.reasons[0]
    assert model_path(made, "embedder") == bundled


def test_the_champion_is_not_promoted_again(made: Workspace, champion: Path) -> None:
    with pytest.raises(WrongUse, match="is the champion embedder already"):
        promote(made, "embedder", champion)


def test_a_comparison_is_not_made_twice(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    worse = of_colours(tmp_path / "worse.onnx", 0.5)
    first = run_gate(made, "embedder", worse)
    assert run_gate(made, "embedder", worse) == first
    other = run_gate(settings(made, margin=0.9, floor=0.9), "embedder", worse)
    assert other.id > first.id
    assert other.report.promoted
    with made.catalogue.write() as connection:
        gone = sa.select(sa.func.max(audit_item.c.subject_id)).scalar_subquery()
        connection.execute(sa.delete(audit_item).where(audit_item.c.subject_id == gone))
    assert run_gate(made, "embedder", worse).id > other.id


def test_without_an_audit_set_nothing_passes_silently(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    with made.catalogue.write() as connection:
        connection.execute(sa.delete(audit_item))
    better = of_colours(tmp_path / "better.onnx", 1.0)
    with pytest.raises(Refused, match=r"too small to tell: 0 audit .*icf round run"):
        promote(made, "embedder", better)
    assert promote(made, "embedder", better, force="first model").card.name == "better"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_identities": 22}, "21 audit characters .* gate.min_identities is 22"),
        ({"min_faces": 200}, "105 of their faces .* gate.min_faces is 200"),
    ],
)
def test_a_set_that_is_too_small_says_what_it_lacks(
    made: Workspace,
    champion: Path,
    tmp_path: Path,
    values: dict[str, int],
    message: str,
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    report = compare(settings(made, **values), "embedder", champion, better)
    assert not report.promoted
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(report.reasons[0])


def test_an_album_that_loses_is_refused_whatever_the_mean(
    made: Workspace, tmp_path: Path
) -> None:
    with made.catalogue.read() as connection:
        audit = read_audit_faces(connection)
    random = np.random.default_rng(0)
    centres = random.normal(size=(AUDITED + 9, 16))
    noise = random.normal(size=(len(audit.boxes), 16))
    identity = audit.labels.identity
    good = centres[identity] + 0.1 * noise
    theirs = centres[identity] + 0.9 * noise
    lost = audit.album == "Album 1"
    ours = np.where(lost[:, None], noise, good)
    unit = [
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32)
        for each in (theirs, ours)
    ]
    found = compare_embedders(audit, unit[0], unit[1], made.settings.gate)
    held = {each.group: each.held for each in found.floors}
    assert held["album Album 1"] is False
    assert held["album Album 2"] is True
    assert held["album Album 3"] is True


def test_small_groups_are_not_judged(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    worse = of_colours(tmp_path / "worse.onnx", 0.5)
    report = compare(settings(made, min_group=8), "embedder", champion, worse)
    albums = [each for each in report.floors if each.group.startswith("album")]
    assert {each.held for each in albums} == {None}
    assert {each.clusters for each in albums} == {7}


def nan(path: Path) -> Path:
    return linear_embedder(path, np.full((48, 4), np.nan, np.float32))


def constant(path: Path) -> Path:
    return linear_embedder(path, np.zeros((48, 4), np.float32), np.ones(4, np.float32))


def zeros(path: Path) -> Path:
    return linear_embedder(path, np.zeros((48, 4), np.float32))


def swapped(path: Path) -> Path:
    of_colours(path, 0.9)
    card = path.with_suffix(".json").read_bytes()
    of_colours(path, 0.8)
    path.with_suffix(".json").write_bytes(card)
    return path


def truncated(path: Path) -> Path:
    of_colours(path, 0.9)
    path.write_bytes(path.read_bytes()[:-20])
    card = load_card(path.with_suffix(".json"))
    save_card(
        new_card(path, card.task, card.format, card.parameters),
        path.with_suffix(".json"),
    )
    return path


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (nan, r"gives no numbers \(NaN or infinite\) for 32 of 32 faces"),
        (constant, "gives the same vector for all of 32 faces"),
        (zeros, "gives a vector of zeros for 32 of 32 faces"),
        (swapped, "its card promises"),
        (truncated, "is not a model for ONNX Runtime"),
    ],
)
def test_a_broken_model_is_refused_and_cannot_be_forced(
    made: Workspace,
    champion: Path,
    tmp_path: Path,
    broken: Callable[[Path], Path],
    message: str,
) -> None:
    path = broken(tmp_path / "broken.onnx")
    with pytest.raises(Refused, match=message) as refused:
        promote(made, "embedder", path, force="I want it")
    assert str(refused.value).endswith("This cannot be forced")
    assert not refused.value.gate.report.usable
    assert model_path(made, "embedder").name.startswith("champion-")


def test_a_detector_is_no_embedder(made: Workspace, tmp_path: Path) -> None:
    eyes = colour_detector(tmp_path / "eyes.onnx")
    with pytest.raises(BadModel, match="is for 'detect', not for 'embed'"):
        compare(made, "embedder", find(made, "bundled", "embedder"), eyes)


def bundled_copy(
    tmp_path: Path,
    change: float,
    identities: Sequence[str] = (),
    before: Sequence[str] = (),
) -> Path:
    """The bundled embedder, with its network's weights and identities next to it."""
    path = bundled_path("embedder")
    target = tmp_path / "trained.onnx"
    shutil.copy(path, target)
    card = load_card(path.with_suffix(".json"))
    save_card(
        type(card)(**{**vars(card), "file": target.name}), target.with_suffix(".json")
    )
    state = unfolded(target, create(card.network))
    weights = {f"net.{key}": value.numpy() for key, value in state.items()}
    weights["net.project.weight"] = weights["net.project.weight"] * 1.0
    weights["net.project.weight"][:, ::2] *= 1 + change
    said = {
        "sha256": card.sha256,
        IDENTITIES: list(identities),
        IDENTITIES_BEFORE: list(before),
    }
    about = {"about": json.dumps(said)}
    safetensors.numpy.save_file(weights, target.with_suffix(".safetensors"), about)
    return target


@pytest.mark.parametrize(("change", "passes"), [(0.0, True), (5.0, False)])
def test_a_file_is_compared_with_the_network_that_it_was_exported_from(
    made: Workspace, tmp_path: Path, change: float, passes: bool
) -> None:
    path = bundled_copy(tmp_path, change)
    with made.catalogue.read() as connection:
        audit = read_audit_faces(connection)
    embedder = Embedder.open(path)
    crops = some_crops(made, audit, embedder.crop_rate, 8)
    if passes:
        check_embedder(embedder, path, crops)
        return
    with pytest.raises(BadModel, match="gives other vectors than the network it was"):
        check_embedder(embedder, path, crops)


def test_weights_of_another_model_next_to_the_file_are_refused(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    path = bundled_copy(tmp_path, 0.0)
    about = {"about": json.dumps({"sha256": "0" * 64})}
    safetensors.numpy.save_file(
        {"net.a": np.zeros(1, np.float32)}, path.with_suffix(".safetensors"), about
    )
    report = compare(made, "embedder", champion, path)
    assert not report.usable
    assert "belongs to another model" in report.reasons[0]


def named(made: Workspace, *numbers: int) -> list[str]:
    """ALBUM/CHARACTER of some characters; the first `AUDITED` were set aside."""
    query = sa.select(album.c.name + "/" + character.c.name)
    query = query.join(album, album.c.id == character.c.album_id)
    every = [row[0] for row in rows(made, query.order_by(character.c.id))]
    return [every[number] for number in numbers]


@pytest.mark.parametrize("data", ["workspace", "release:releases/one"])
def test_a_model_that_was_trained_on_audit_characters_is_refused(
    made: Workspace, tmp_path: Path, data: str
) -> None:
    """It knows what it is compared on: before the first round nothing is set aside."""
    weak = linear_embedder(tmp_path / "weak.onnx", np.eye(48)[:, :3])
    honest = bundled_copy(tmp_path, 0.0, [f"{data}/{n}" for n in named(made, AUDITED)])
    assert compare(made, "embedder", weak, honest).promoted
    seen = [f"{data}/{name}" for name in named(made, 0, 3, AUDITED)]
    report = compare(made, "embedder", weak, bundled_copy(tmp_path, 0.0, seen))
    assert report.usable
    assert not report.promoted
    [reason] = report.reasons
    assert reason.startswith("it was trained on 2 of the audit characters (")
    assert "`icf-train embedder --data workspace` leaves them out" in reason
    for name in named(made, 0, 3):
        assert name in reason


def test_a_character_that_was_merged_with_an_audit_one_counts_as_one(
    made: Workspace, tmp_path: Path
) -> None:
    with made.catalogue.write() as connection:
        gone = sa.update(character).where(character.c.id == AUDITED + 1)
        connection.execute(gone.values(merged_into=1))
    weak = linear_embedder(tmp_path / "weak.onnx", np.eye(48)[:, :3])
    seen = [f"workspace/{name}" for name in named(made, AUDITED)]
    report = compare(made, "embedder", weak, bundled_copy(tmp_path, 0.0, seen))
    assert "trained on 1 of the audit characters" in report.reasons[0]


def test_a_champion_that_was_trained_on_audit_characters_is_noted(
    made: Workspace, tmp_path: Path
) -> None:
    seen = [f"workspace/{name}" for name in named(made, 0, 3, AUDITED)]
    champion = bundled_copy(tmp_path, 0.0, seen)
    report = compare(made, "embedder", champion, of_colours(tmp_path / "b.onnx"))
    [note] = report.notes
    assert note.startswith("the champion was trained on 2 of the audit characters (")


def test_what_the_models_before_it_knew_a_model_knows(
    made: Workspace, tmp_path: Path
) -> None:
    weak = linear_embedder(tmp_path / "weak.onnx", np.eye(48)[:, :3])
    knows = [f"workspace/{name}" for name in named(made, 0, 3)]
    further = bundled_copy(tmp_path, 0.0, (), knows)
    report = compare(made, "embedder", weak, further)
    assert "that it was trained from was trained on 2 of the aud" in report.reasons[0]
    # One that says nothing itself, as with eight bits, and whose parent is known here.
    parent = of_colours(tmp_path / "parent.onnx", 0.9)
    about = {"about": json.dumps({IDENTITIES: knows})}
    tensors = {"net.a": np.zeros(1, np.float32)}
    safetensors.numpy.save_file(tensors, parent.with_suffix(".safetensors"), about)
    store.add(made, parent, "anna@studio")
    eight = of_colours(tmp_path / "eight.onnx")
    changed(eight, parent=hash_of(parent))
    report = compare(made, "embedder", weak, eight)
    assert "that it was trained from was trained on 2 of the aud" in report.reasons[0]
    # After a round the champion knows them as well: that is no advantage.
    report = compare(made, "embedder", parent, eight)
    assert not any("audit characters (" in each for each in report.reasons)
    assert "the champion was trained on 2 of the audit" in report.notes[0]


def changed(weights: Path, **fields: Any) -> None:
    """Change the card of a model."""
    path = weights.with_suffix(".json")
    save_card(dataclasses.replace(load_card(path), **fields), path)


def test_that_a_model_does_not_say_what_it_was_trained_on_is_noted(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    lost = of_colours(tmp_path / "lost.onnx")
    data = ({"name": "workspace", "source": "", "licence": ""},)
    changed(lost, network="embedder-mobilenetv2", data=data)
    [note] = compare(made, "embedder", champion, lost).notes
    assert note.startswith("what the challenger was trained on is not known, as lost.s")


def test_stored_vectors_of_the_champion_are_read_and_not_made_again(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    with made.catalogue.read() as connection:
        audit = read_audit_faces(connection)
    sha256 = hash_of(champion)
    before = compare(made, "embedder", champion, of_colours(tmp_path / "b.onnx"))
    # Vectors that find nobody: the champion's figure shows that they were read.
    random = np.random.default_rng(0).normal(size=(len(audit.boxes), 3))
    made.vectors.append(sha256, audit.ids, random.astype(np.float32))
    after = compare(made, "embedder", champion, of_colours(tmp_path / "b.onnx"))
    assert after.figures["champion"]["map"] < before.figures["champion"]["map"] - 0.2


def test_faces_whose_picture_is_lost_are_left_out_and_counted(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    with made.catalogue.read() as connection:
        audit = read_audit_faces(connection)
    made.blobs.remove(audit.boxes[0].sha256)
    better = of_colours(tmp_path / "better.onnx", 1.0)
    report = compare(made, "embedder", champion, better)
    assert report.promoted
    assert report.compared["faces looked up"] == 104
    assert report.notes == ("1 audit faces were left out: their pictures are lost",)


def test_the_audit_faces_are_those_that_people_confirmed_or_refused(
    made: Workspace,
) -> None:
    with made.catalogue.read() as connection:
        audit = read_audit_faces(connection)
    known = audit.labels.identity >= 0
    assert known.sum() == 105
    # The drawing has one face that is not the first character.
    assert (~known).sum() == 1
    assert audit.labels.not_of[:, 1].tolist() == [0]
    assert set(audit.album[known]) == {"Album 1", "Album 2", "Album 3"}
    assert len(audit.names) == AUDITED
    confirmed = sa.select(question.c.face_id).where(
        question.c.label == Label.SAME.value, question.c.character_id <= AUDITED
    )
    assert set(audit.ids[known]) == {row[0] for row in rows(made, confirmed)}


def test_a_face_of_a_withdrawn_picture_is_not_compared(made: Workspace) -> None:
    with made.catalogue.read() as connection:
        before = read_audit_faces(connection)
    gone = int(before.ids[3])
    with made.catalogue.write() as connection:
        connection.execute(
            sa.update(face).where(face.c.id == gone).values(reason="taken_down")
        )
    with made.catalogue.read() as connection:
        assert gone not in read_audit_faces(connection).ids
    assert rows(made, sa.select(sa.func.count()).select_from(image))


def test_a_report_reads_as_it_was_stored(
    made: Workspace, champion: Path, tmp_path: Path
) -> None:
    for other in (of_colours(tmp_path / "a.onnx", 0.5), nan(tmp_path / "b.onnx")):
        report = compare(made, "embedder", champion, other)
        assert GateReport.from_json(report.to_json()) == report
        assert report.challenger[:12] in report.text()
