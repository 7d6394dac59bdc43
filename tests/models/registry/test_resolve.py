"""What people call a model, and the file that it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf import workspace
from icf.errors import BadModel, WrongUse
from icf.filter.chain import own_steps
from icf.filter.steps.detect import Detect
from icf.filter.steps.embed import Embed
from icf.models.cards import bundled_path, load_card, new_card, save_card
from icf.models.registry import aliases, store
from icf.models.registry.known import known_models
from icf.models.registry.register import register
from icf.models.registry.resolve import find, model_path
from icf.models.registry.tasks import Task
from icf.settings import load
from icf.workspace import Workspace
from tests.models.onnx_files import colour_detector, colour_embedder


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A workspace that has a detector and two embedders of its own."""
    made = workspace.init(tmp_path / "work")
    store.add(made, colour_detector(tmp_path / "eyes.onnx"), "anna@studio")
    for name, numbers in (("ears", 3), ("ears2", 7)):
        path = colour_embedder(tmp_path / f"{name}.onnx", slope=float(numbers))
        if name == "ears2":
            again(path)
        store.add(made, path, "anna@studio")
    return made


def again(path: Path) -> None:
    """Make other weights of the same answers."""
    path.write_bytes(path.read_bytes() + b"\x72\x00")  # an empty metadata property
    card = load_card(path.with_suffix(".json"))
    made = new_card(path, card.task, card.format, card.parameters)
    save_card(made, path.with_suffix(".json"))


def named(made: Workspace, name: str) -> Path:
    [path] = [
        each.path
        for each in known_models(made)
        if each.card.name == name and not each.bundled
    ]
    assert path is not None
    return path


def hash_of(made: Workspace, name: str) -> str:
    return load_card(named(made, name).with_suffix(".json")).sha256


def promote(made: Workspace, task: Task, name: str) -> None:
    with made.catalogue.write() as connection:
        sha256 = hash_of(made, name)
        aliases.promote(connection, task, sha256, "anna@studio", "better", None)


def test_a_name_a_stem_a_hash_and_its_beginning_find_the_same_file(
    made: Workspace,
) -> None:
    path, sha256 = named(made, "ears2"), hash_of(made, "ears2")
    for text in ("ears2", path.stem, sha256, sha256[:7]):
        assert find(made, text, "embedder") == path


def test_the_bundled_models_have_names_and_hashes_too(made: Workspace) -> None:
    path = bundled_path("detector")
    sha256 = load_card(path.with_suffix(".json")).sha256
    for text in ("bundled", "detector", sha256[:12]):
        assert find(made, text, "detector") == path


def test_paths_mean_what_they_did(made: Workspace, tmp_path: Path) -> None:
    root = made.root
    assert find(made, "models/a.onnx", "detector") == root / "models" / "a.onnx"
    assert find(made, "a.json", "detector") == root / "a.json"
    assert find(made, "/b.onnx", "detector") == Path("/b.onnx")
    (root / "ears").write_bytes(b"weights without a suffix")
    assert find(made, "ears", "embedder") == root / "ears"


def test_until_a_promotion_the_champion_is_the_bundled_model(made: Workspace) -> None:
    assert made.settings.filter.detector == "champion"
    assert model_path(made, "detector") == bundled_path("detector")
    promote(made, "embedder", "ears")
    assert model_path(made, "detector") == bundled_path("detector")
    assert model_path(made, "embedder") == named(made, "ears")
    assert find(made, "previous", "embedder") == bundled_path("embedder")


def test_the_setting_pins_the_bundled_model(made: Workspace) -> None:
    promote(made, "embedder", "ears")
    flags = ("filter.embedder=bundled",)
    pinned = Workspace(made.root, load(made.root / "icf.toml", {}, flags))
    assert model_path(pinned, "embedder") == bundled_path("embedder")


def test_the_steps_of_the_filter_have_the_files_of_the_champions(
    made: Workspace,
) -> None:
    promote(made, "embedder", "ears2")
    promote(made, "detector", "eyes")
    chosen = {
        type(step): step.model
        for step in own_steps(made)
        if isinstance(step, Detect | Embed)
    }
    assert chosen == {Detect: named(made, "eyes"), Embed: named(made, "ears2")}


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("earz", "embedder", "no embedder 'earz'; the nearest known one is 'ears'"),
        ("bundle", "detector", "the nearest known one is 'bundled'"),
        ("0000", "detector", "there is no detector '0000'"),
        ("ears", "detector", "'ears' is a model for embedder; this needs a detector"),
        ("previous", "detector", "there is no previous detector yet"),
        ("challenger", "embedder", "there is no challenger embedder yet"),
    ],
)
def test_an_unknown_model_says_what_is_known(
    made: Workspace, text: str, task: Task, message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        find(made, text, task)


def test_a_name_of_several_models_asks_for_the_hash(
    made: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    other = colour_embedder(tmp_path / "more" / "ears.onnx")
    other.write_bytes(other.read_bytes() + b"\x72\x00\x72\x00")
    again(other)
    card = store.add(made, other, "anna@studio")
    with pytest.raises(WrongUse, match="2 models are called 'ears': name one by"):
        find(made, "ears", "embedder")
    assert find(made, card.sha256[:12], "embedder").name == card.file


def test_a_champion_whose_file_is_gone_says_how_to_go_on(made: Workspace) -> None:
    promote(made, "embedder", "ears")
    named(made, "ears").unlink()
    with pytest.raises(BadModel, match=r"champion embedder, .* rollback embedder"):
        model_path(made, "embedder")


def test_a_model_that_ran_from_elsewhere_is_known_without_its_file(
    made: Workspace, tmp_path: Path
) -> None:
    path = colour_detector(tmp_path / "noses.onnx", side=640.0)
    path.write_bytes(path.read_bytes() + b"\x72\x00")
    again(path)
    card = load_card(path.with_suffix(".json"))
    register(made.catalogue, [card])
    assert card in [each.card for each in known_models(made) if each.path is None]
    with pytest.raises(BadModel, match="name that file by its path"):
        find(made, "noses", "detector")
    assert find(made, str(path), "detector") == path


def test_files_that_are_no_cards_are_passed_over(made: Workspace) -> None:
    before = known_models(made)
    (made.root / "models" / "notes.json").write_text(json.dumps({"ears": 2}))
    (made.root / "models" / "half.json").write_text('{"name": "ha')
    assert known_models(made) == before
