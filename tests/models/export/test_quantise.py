"""Models with eight bits: what they cost is measured on faces that set no ranges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from icf.errors import WrongUse
from icf.models.cards import bundled_path, load_card
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.embedding import Embedder
from icf.models.export.examples import face_examples, picture_examples
from icf.models.export.quantise import quantise
from icf.models.runtime.network import watching
from icf.workspace import Workspace, init
from tests.app.program import call
from tests.models.gate.toy import drawn_workspace
from tests.models.onnx_files import RED, colour_detector, colour_embedder, painted


@dataclass(frozen=True)
class Painted(Reader):
    """Pictures of one face each, whose colour is that of its identity."""

    kind: ClassVar[str] = "painted"

    path: Path = Path("nowhere")
    identities: int = 6
    each: int = 3

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        yield Skipped("nowhere", "it is damaged")
        for identity in range(self.identities):
            for number in range(self.each):
                face = LabelledFace((60, 36, 76, 52), identity=str(identity))
                key = f"{identity}/{number}"
                yield LabelledPicture(key, (face,), complete=number > 0)

    def read(self, key: str) -> bytes:
        identity, _, number = key.partition("/")
        colour = (255, 40 * int(identity), 0)
        pixels = painted(
            192, 320, {(64, 40, 8): colour, (0, 0, 4): (int(number), 0, 0)}
        )
        return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()

    def fingerprint(self) -> str:
        return self.name


def test_ranges_and_judgement_share_no_identity() -> None:
    found = face_examples([Painted()], 0.0, 100, 100, seed=1)
    assert len(found.ranges) == len(found.held_out) == 9
    both = found.ranges, found.held_out
    seen, held = ({crop[8, 8, 1].item() for crop in some} for some in both)
    assert len(seen) == len(held) == 3
    assert not seen & held
    assert np.bincount(found.identity).tolist() == [3, 3, 3]


def test_pictures_to_judge_by_have_all_their_faces() -> None:
    found = picture_examples([Painted()], 5, 100, seed=1)
    assert (len(found.ranges), len(found.held_out)) == (5, 7)
    assert all(len(faces) == 1 for _, faces in found.held_out)


def test_too_little_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="has 3 identities with two faces or more; at"):
        face_examples([Painted(identities=3)], 0.0, 9, 9, seed=1)
    with pytest.raises(WrongUse, match="has 0 pictures of which every face"):
        picture_examples([Painted(each=1)], 9, 9, seed=1)


def test_a_watcher_sees_what_the_network_sees(tmp_path: Path) -> None:
    path = colour_embedder(tmp_path / "ears.onnx")
    batches: list[NDArray[np.float32]] = []
    with watching(batches.append):
        watched = Embedder.open(path)
    watched.embed([painted(50, 50, {(0, 0, 50): RED})])
    [batch] = batches
    assert batch.shape == (1, 3, 112, 112)
    assert batch[0, :, 5, 5].tolist() == list(RED)
    Embedder.open(path).embed([painted(50, 50, {})])
    assert len(batches) == 1


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    made = init(tmp_path / "space")
    yield made
    made.catalogue.close()


def test_a_detector_is_judged_by_its_average_precision(
    made: Workspace, tmp_path: Path
) -> None:
    path = colour_detector(tmp_path / "eyes.onnx")
    readers = [Painted(identities=1, each=6)]
    card = quantise(made, path, readers, "painted", "anna")
    assert card.parent == load_card(path.with_suffix(".json")).sha256
    assert card.figures["eight bits"]["pictures"] == 3
    assert card.figures["eight bits"]["ap50_before"] == 1
    assert {"ap50_after"} <= card.figures["eight bits"].keys()
    with pytest.raises(WrongUse, match=r"-int8 has numbers of eight bits already"):
        quantise(made, made.root / "models" / card.file, readers, "painted", "anna")


@pytest.mark.slow
def test_the_bundled_embedder_keeps_its_directions_in_a_third_of_the_bytes(
    tmp_path: Path,
) -> None:
    made = drawn_workspace(tmp_path / "space")
    made.catalogue.close()
    done = call("-C", made.root, "model", "quantise", "embedder", "--json")
    found = json.loads(done.stdout)
    assert found["bytes"] < bundled_path("embedder").stat().st_size / 3
    figures = found["figures"]
    assert figures["cosine"] > 0.95
    assert abs(figures["auc_after"] - figures["auc_before"]) < 0.02
    model = onnx.load(made.root / "models" / found["file"])
    assert "QuantizeLinear" in {node.op_type for node in model.graph.node}
    crops = np.random.default_rng(0).integers(0, 256, (3, 60, 60, 3), np.uint8)
    vectors = Embedder.open(made.root / "models" / found["file"]).embed(list(crops))
    assert np.isfinite(vectors).all()
