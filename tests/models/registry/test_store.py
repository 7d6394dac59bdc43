"""Models in the workspace: verified copies under names with their hash."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import model
from icf.errors import BadModel
from icf.models.cards import load_card, save_card
from icf.models.embedding import Embedder
from icf.models.registry import store
from icf.models.registry.known import known_models
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.filter.workspaces import rows
from tests.models.onnx_files import colour_embedder


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return workspace.init(tmp_path / "work")


@pytest.fixture
def ears(tmp_path: Path) -> Path:
    return colour_embedder(tmp_path / "ears.onnx")


def files(made: Workspace) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (made.root / "models").iterdir()}


def test_weights_card_and_network_are_copied_under_a_name_with_the_hash(
    made: Workspace, ears: Path
) -> None:
    ears.with_suffix(".safetensors").write_bytes(b"weights of the network")
    card = store.add(made, ears, "anna@studio")
    name = f"ears-{hash_file(ears)[:12]}"
    assert card.file == f"{name}.onnx"
    found = files(made)
    assert set(found) == {f"{name}.onnx", f"{name}.json", f"{name}.safetensors"}
    assert found[f"{name}.onnx"] == ears.read_bytes()
    assert found[f"{name}.safetensors"] == b"weights of the network"
    assert Embedder.open(made.root / "models" / f"{name}.onnx").card == card
    known = rows(made, sa.select(model.c.sha256, model.c.name, model.c.added_by))
    assert known == [(card.sha256, "ears", "anna@studio")]


def test_adding_again_changes_nothing(made: Workspace, ears: Path) -> None:
    card = store.add(made, ears, "anna@studio")
    before = files(made)
    target = made.root / "models" / card.file
    written = target.stat().st_mtime_ns
    assert store.add(made, ears.with_suffix(".json"), "ben@studio") == card
    assert store.add(made, target, "ben@studio") == card
    assert files(made) == before
    assert target.stat().st_mtime_ns == written
    assert rows(made, sa.select(model.c.added_by)) == [("anna@studio",)]


def test_the_same_weights_under_another_name_have_one_file_and_the_new_card(
    made: Workspace, ears: Path
) -> None:
    """Of two files one would count, with its numbers, and the other be unknown."""
    first = store.add(made, ears, "anna@studio")
    parameters = {**load_card(ears.with_suffix(".json")).parameters, "slope": 5.0}
    eyes = colour_embedder(ears.with_name("eyes.onnx"), slope=5.0)
    assert hash_file(eyes) == first.sha256
    card = store.add(made, eyes, "ben@studio")
    assert (card.file, card.name) == (first.file, "eyes")
    assert set(files(made)) == {card.file, Path(card.file).stem + ".json"}
    [known] = [each for each in known_models(made) if not each.bundled]
    assert known.card.parameters == parameters
    assert known.names == ("eyes", Path(card.file).stem)


def test_a_damaged_copy_is_made_again(made: Workspace, ears: Path) -> None:
    card = store.add(made, ears, "anna@studio")
    before = files(made)
    (made.root / "models" / card.file).write_bytes(b"half of i")
    store.add(made, ears, "anna@studio")
    assert files(made) == before


def test_weights_that_are_not_those_of_the_card_are_refused(
    made: Workspace, ears: Path
) -> None:
    ears.write_bytes(ears.read_bytes()[::-1])
    with pytest.raises(BadModel, match="its card promises"):
        store.add(made, ears, "anna@studio")
    ears.unlink()
    with pytest.raises(BadModel, match="there are no weights"):
        store.add(made, ears, "anna@studio")
    ears.with_suffix(".json").unlink()
    with pytest.raises(BadModel, match="there is no model"):
        store.add(made, ears, "anna@studio")
    assert files(made) == {}
    assert rows(made, sa.select(model)) == []


def test_a_name_with_odd_letters_makes_a_plain_file_name(
    made: Workspace, ears: Path
) -> None:
    path = ears.with_suffix(".json")
    fields = vars(load_card(path))
    save_card(type(load_card(path))(**{**fields, "name": "../round 3: ears"}), path)
    card = store.add(made, ears, "anna@studio")
    assert card.name == "../round 3: ears"
    assert card.file == f"round-3-ears-{card.sha256[:12]}.onnx"
