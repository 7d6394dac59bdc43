from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from icf.errors import BadModel
from icf.models.cards import load_card, save_card, verified
from icf.stores.files import hash_file
from tests.models.onnx_files import card_for


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Some bytes with their card."""
    path = tmp_path / "eyes.onnx"
    path.write_bytes(b"some weights")
    card = card_for(path, "detect", parameters={"min_score": 0.5})
    save_card(card, path.with_suffix(".json"))
    return path


def test_a_card_reads_as_it_was_written(weights: Path) -> None:
    card = card_for(weights, "detect", parameters={"min_score": 0.5})
    assert load_card(weights.with_suffix(".json")) == card


def test_a_card_of_before_says_nothing_of_the_licence(weights: Path) -> None:
    edited(lambda fields: fields.pop("licence"))(weights)
    assert load_card(weights.with_suffix(".json")).licence == ""


def test_a_file_that_is_what_its_card_promises_is_taken(weights: Path) -> None:
    card = verified(weights, "detect", {"min_score"})
    assert card.sha256 == hash_file(weights)


def missing_card(weights: Path) -> None:
    weights.with_suffix(".json").unlink()


def card_of_no_json(weights: Path) -> None:
    weights.with_suffix(".json").write_text("{")


def card_of_too_deep_json(weights: Path) -> None:
    weights.with_suffix(".json").write_text("[" * 100_000)


def card_that_is_a_list(weights: Path) -> None:
    weights.with_suffix(".json").write_text("[]")


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(weights: Path) -> None:
        path = weights.with_suffix(".json")
        fields = json.loads(path.read_text())
        change(fields)
        path.write_text(json.dumps(fields))

    return edit


def missing_weights(weights: Path) -> None:
    weights.unlink()


def truncated_weights(weights: Path) -> None:
    weights.write_bytes(b"some weigh")


def changed_weights(weights: Path) -> None:
    weights.write_bytes(b"some Weights")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (missing_card, r"cannot read the model card .*eyes\.json: .* `icf model add`"),
        (card_of_no_json, r"cannot read the model card .*eyes\.json"),
        (card_of_too_deep_json, r"cannot read the model card .*eyes\.json"),
        (card_that_is_a_list, r"is not a model card: missing \['architecture', "),
        (
            edited(lambda fields: fields.pop("seed")),
            r"is not a model card: missing \['seed'\], unknown \[\]",
        ),
        (
            edited(lambda fields: fields.update(colour="red")),
            r"is not a model card: missing \[\], unknown \['colour'\]",
        ),
        (
            edited(lambda fields: fields.update(task="embed")),
            r"is for 'embed'; expected a model to 'detect'",
        ),
        (
            edited(lambda fields: fields.update(sha256=None, bytes="12")),
            r"is not a model card: it cannot have bytes '12', sha256 None",
        ),
        (
            edited(lambda fields: fields.update(limits=["good", 3])),
            r"it cannot have limits \['good', 3\]",
        ),
        (
            edited(lambda fields: fields["parameters"].update(min_score="half")),
            r"it cannot have parameters {'min_score': 'half'}",
        ),
        (
            edited(lambda fields: fields.update(file="../eyes.onnx")),
            r"it cannot have file '\.\./eyes\.onnx'",
        ),
        (
            edited(lambda fields: fields["parameters"].clear()),
            r"the card of .*eyes\.onnx does not give min_score",
        ),
        (missing_weights, r"there are no weights .*eyes\.onnx"),
        (truncated_weights, r"has 10 bytes; its card promises 12"),
        (changed_weights, r"has SHA-256 [0-9a-f]{64}; its card promises [0-9a-f]{64}"),
    ],
)
def test_a_file_that_is_not_what_its_card_promises_is_refused(
    weights: Path, harm: Callable[[Path], None], message: str
) -> None:
    harm(weights)
    with pytest.raises(BadModel, match=message):
        verified(weights, "detect", {"min_score"})
