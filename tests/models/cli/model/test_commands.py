"""`icf model`, as people and scripts use it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.labels.verified_boxes import read_verified
from icf.catalogue.schema import gate, model_alias
from icf.errors import WrongUse
from icf.models.cards import bundled_path, load_card
from icf.models.gate.promote import Refused
from icf.models.registry import store
from icf.workspace import Workspace, find
from tests.app.program import call, said, within
from tests.filter.workspaces import rows
from tests.models.gate.toy import AUDITED, crown, drawn_workspace, hash_of, of_colours
from tests.models.onnx_files import colour_detector


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "space"
    drawn_workspace(root).catalogue.close()
    return root


@pytest.fixture
def made(drawn: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with an audit set, and a champion that sees colours and noise."""
    shutil.copytree(drawn, tmp_path / "space")
    made = find(tmp_path / "space")
    crown(made, "embedder", of_colours(tmp_path / "champion.onnx", 0.7))
    yield made
    made.catalogue.close()


def listed(made: Workspace) -> dict[str, dict[str, object]]:
    """What `icf model list --json` gives, by name and task."""
    found = json.loads(call("-C", made.root, "model", "list", "--json").stdout)
    return {f"{each['name']} {each['task']}": each for each in found}


def test_the_list_has_the_bundled_models_and_ones_own(
    made: Workspace, tmp_path: Path
) -> None:
    store.add(made, colour_detector(tmp_path / "eyes.onnx"), "anna@studio")
    found = listed(made)
    assert set(found) == {
        "detector detector",
        "embedder embedder",
        "photo photo",
        "champion embedder",
        "eyes detector",
    }
    bundled = load_card(bundled_path("detector").with_suffix(".json"))
    own = found["champion embedder"]
    assert set(own) == {
        *("sha256", "name", "task", "aliases", "parent", "licence", "figures", "file")
    }
    assert own["aliases"] == ["champion"]
    assert own["parent"] == "nothing"
    assert Path(str(own["file"])).is_file()
    assert found["embedder embedder"]["aliases"] == ["previous"]
    assert found["embedder embedder"]["licence"] == "Apache-2.0"
    assert found["detector detector"]["aliases"] == ["champion"]
    assert found["detector detector"]["sha256"] == bundled.sha256
    assert found["detector detector"]["figures"] == bundled.figures
    assert found["photo photo"]["aliases"] == []


def test_people_get_a_table(made: Workspace) -> None:
    lines = call("-C", made.root, "model", "list").stdout.splitlines()
    assert lines[0].split()[:4] == ["task", "name", "hash", "aliases"]
    assert any("champion" in line and "embedder" in line for line in lines)


def test_two_models_are_compared_and_nothing_changes(
    made: Workspace, tmp_path: Path
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    found = said("-C", made.root, "model", "compare", "champion", better)
    assert found["promoted"]
    assert found["difference"] > 0.2
    assert found["interval"][0] > -found["margin"]
    assert found["smallest_visible"] > 0
    assert found["reasons"] == []
    assert {each["group"] for each in found["floors"]} >= {"album Album 1"}
    back = said("-C", made.root, "model", "compare", better, "champion")
    assert back["difference"] == -found["difference"]
    assert not back["promoted"]
    text = call("-C", made.root, "model", "compare", better, "champion").stdout
    assert f"compared on {AUDITED} audit characters" in text
    assert "refused: it is worse" in text
    assert rows(made, sa.select(gate)) == []


def test_a_promotion_says_what_was_found_and_what_comes_next(
    made: Workspace, tmp_path: Path
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    words = ("-C", made.root, "model", "promote", better, "--by", "anna")
    done = call(*words)
    assert done.stdout.startswith("better (")
    assert done.stdout.endswith("is the champion embedder now\n")
    assert "may be promoted" in done.stderr
    assert "next: `icf-filter run` embeds all faces again" in done.stderr
    assert listed(made)["better embedder"]["aliases"] == ["champion"]
    assert listed(made)["champion embedder"]["aliases"] == ["previous"]
    with pytest.raises(WrongUse, match="is the champion embedder already"):
        call(*words)


def test_the_json_of_a_promotion_has_the_gate(made: Workspace, tmp_path: Path) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    found = said("-C", made.root, "model", "promote", better)
    assert found["task"] == "embedder"
    assert found["model"] == hash_of(better)
    assert found["promoted"]
    assert found["gate"]["promoted"]
    assert rows(made, sa.select(gate.c.id)) == [(found["gate"]["id"],)]


def test_a_path_starts_where_it_is_typed_or_from_the_workspace(
    made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_colours(tmp_path / "better.onnx", 1.0)
    monkeypatch.chdir(tmp_path)
    found = said("-C", made.root, "model", "compare", "champion", "better.onnx")
    shutil.move(tmp_path / "better.onnx", made.root / "better.onnx")
    shutil.move(tmp_path / "better.json", made.root / "better.json")
    assert said("-C", made.root, "model", "compare", "champion", "better.onnx") == found


def test_a_dry_run_promotes_nothing(made: Workspace, tmp_path: Path) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    before = rows(made, sa.select(model_alias))
    found = said("-C", made.root, "model", "promote", better, "--dry-run")
    assert found["gate"]["promoted"]
    assert not found["promoted"]
    assert rows(made, sa.select(model_alias)) == before
    assert "better embedder" not in listed(made)


def test_a_refusal_says_why_and_how_to_override_it(
    made: Workspace, tmp_path: Path
) -> None:
    worse = of_colours(tmp_path / "worse.onnx", 0.5)
    sha256 = hash_of(worse)
    with pytest.raises(Refused, match="it is worse") as refused:
        call("-C", made.root, "model", "promote", worse)
    assert refused.value.exit_code == 1
    assert f'icf model promote {worse} --force "REASON"' in str(refused.value)
    with pytest.raises(WrongUse, match="--force needs the reason"):
        call("-C", made.root, "model", "promote", worse, "--force", " ")
    call("-C", made.root, "model", "promote", worse, "--force", "a test")
    assert listed(made)["worse embedder"]["aliases"] == ["champion"]
    shown = call("-C", made.root, "model", "show", sha256[:9]).stdout
    assert "forced: a test" in shown
    assert "refused: it is worse" in shown


def test_a_rollback_goes_back_once(made: Workspace) -> None:
    done = call("-C", made.root, "model", "rollback", "embedder", "--reason", "odd")
    assert "is the champion embedder again" in done.stdout
    assert listed(made)["embedder embedder"]["aliases"] == ["champion"]
    with pytest.raises(WrongUse, match="there is no previous embedder"):
        call("-C", made.root, "model", "rollback", "embedder")
    log = sa.select(model_alias.c.alias, model_alias.c.model, model_alias.c.reason)
    assert rows(made, log.order_by(model_alias.c.id))[-1] == ("champion", None, "odd")


def test_a_pinned_setting_is_said_after_a_promotion(
    made: Workspace, tmp_path: Path
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    pin = ("--set", "filter.embedder=bundled")
    done = call("-C", made.root, *pin, "model", "promote", better)
    assert "filter.embedder is 'bundled', so the filter does not use" in done.stderr


def test_licences_are_said_before_anybody_sells_anything(
    made: Workspace, tmp_path: Path
) -> None:
    better = of_colours(tmp_path / "better.onnx", 1.0)
    card = better.with_suffix(".json")
    fields = {**json.loads(card.read_text()), "licence": "CC-BY-NC-4.0"}
    card.write_text(json.dumps(fields))
    done = call("-C", made.root, "model", "promote", better)
    assert "warning: commercial use is forbidden by the licence of its" in done.stderr
    assert listed(made)["better embedder"]["licence"] == "CC-BY-NC-4.0"


def test_a_model_is_shown_with_its_card_and_its_moves(made: Workspace) -> None:
    found = said("-C", made.root, "model", "show", "champion", "--task", "embedder")
    assert found["card"]["name"] == "champion"
    assert found["aliases"] == ["champion"]
    assert [each["by"] for each in found["moves"]] == ["anna@studio"]
    assert found["gates"] == []
    text = call("-C", made.root, "model", "show", "detector").stdout
    assert "name: detector" in text
    assert "licence: Apache-2.0" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "champion"), "is a detector and an embedder: say which with --task"),
        (("show", "champignon"), "no model 'champignon'; the nearest known one is"),
        (("promote", "photo"), "'photo' is the judge of photographs: it comes with"),
        (("compare", "bundled", "champion"), "say which with --task"),
        (("show", "champion", "--task", "nose"), "'nose' is not one of"),
        (("rollback", "photo"), "'photo' is not one of"),
        (("rollback", "detector"), "there is no previous detector to go back to"),
        (("show", "models/none.onnx"), "there is no model "),
        (("promote", "models/none.onnx", "--task", "detector"), "there is no model "),
        (("add", "icf.toml", "--as", "timm:nope"), "has no architecture 'nope'"),
    ],
)
def test_wrong_use_is_explained(
    made: Workspace, words: tuple[str, ...], message: str
) -> None:
    done = within("icf", "model", *words, folder=made.root, code=2)
    assert message in done.stderr


def test_pictures_with_verified_boxes_are_set_aside(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.root)
    with made.catalogue.read() as connection:
        verified = len(read_verified(connection))
    assert verified > 10
    first = said("model", "set-aside", "--share", 0.5)
    assert 0 < first["added"] == first["pictures"] < verified
    told = call("model", "set-aside", "--share", 0.5)
    assert told.stdout == f"pictures set aside: {first['pictures']}, of which new: 0\n"
    assert "train again" not in told.stderr
