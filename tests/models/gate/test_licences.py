"""What is said about licences before a model is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from icf.models.cards import BUNDLED, ModelCard, bundled_path, load_card
from icf.models.gate.licences import licence_warnings
from tests.models.onnx_files import card_for


def card(
    tmp_path: Path, licence: str, data: Sequence[str], recipe: str = "theirs"
) -> ModelCard:
    path = tmp_path / "ears.onnx"
    path.write_bytes(b"weights")
    listed = tuple({"name": f"set {n}", "licence": each} for n, each in enumerate(data))
    return card_for(path, "embed", licence=licence, data=listed, recipe=recipe)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_models_may_be_used_for_anything(name: str) -> None:
    made = load_card(bundled_path(name).with_suffix(".json"))
    assert made.licence == "Apache-2.0"
    assert licence_warnings(made) == []


@pytest.mark.parametrize(
    "licence",
    [
        "CC BY-NC 4.0",
        "CC-BY-NC-SA-4.0",
        "non-commercial research",
        "Non commercial use",
        "for academic use only",
        "research purposes only",
        "Fair use",
        "all rights reserved",
    ],
)
def test_what_forbids_commercial_use_is_said(tmp_path: Path, licence: str) -> None:
    [of_weights] = licence_warnings(card(tmp_path, licence, ["MIT"]))
    assert "forbidden by the licence of its weights (" in of_weights
    [of_data] = licence_warnings(card(tmp_path, "MIT", ["CC0-1.0", licence]))
    assert "forbidden by the licence of the training data set 1 (" in of_data


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    assert licence_warnings(card(tmp_path, "", [])) == [
        "the licence of its weights, its training data is not known: find out before "
        "you use the model commercially"
    ]


def test_each_licence_of_a_workspace_counts(tmp_path: Path) -> None:
    both = licence_warnings(card(tmp_path, "MIT", ["CC-BY-4.0, CC-BY-NC-4.0, unknown"]))
    assert len(both) == 2
    assert "set 0 (CC-BY-NC-4.0)" in both[0]
    assert "of a part of the training data set 0 is not known" in both[1]


def test_weights_that_were_trained_here_are_ones_own(tmp_path: Path) -> None:
    recipe = "icf-train embedder --data workspace"
    assert licence_warnings(card(tmp_path, "", ["CC0-1.0"], recipe)) == []


@pytest.mark.parametrize(
    "licence", ["MIT", "Apache-2.0", "CC BY-SA 4.0", "AGPL-3.0", "public domain"]
)
def test_what_allows_it_is_not_mentioned(tmp_path: Path, licence: str) -> None:
    assert licence_warnings(card(tmp_path, licence, [licence])) == []
