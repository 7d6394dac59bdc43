"""Both bundled recipes on a few drawings, by the command that makes them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from click.testing import CliRunner

from icf.errors import WrongUse
from icf.models.cards import bundled_path, load_card, new_card, save_card
from icf.models.cli.main import cli
from icf.models.data.index import Source, build_index
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.runtime.onnx_weights import read_weights
from icf.models.training import export as exporting
from icf.models.training.detector.batches import Batch
from icf.models.training.detector.config import DetectorConfig, NetworkSettings
from icf.models.training.drawn import art as drawn_art
from icf.models.training.drawn import detector, detector_figures, embedder
from icf.models.training.drawn.embedder_config import DrawnSettings
from icf.models.training.drawn.face_crops import Identities
from icf.models.training.export import MAX_BYTES
from icf.models.training.run_state import save_parts
from icf.models.training.start import Start, read_start
from icf.models.training.task import Given, Moment, Rank
from icf.stores.files import hash_file
from icf.tools.training_art import figures as whole_figures
from icf.tools.training_art import make, restyle, sources
from icf.tools.training_art.real import figures
from icf.tools.training_art.real import make as real
from icf.tools.training_art.real import sources as real_sources
from icf.tools.training_art.real.sources import RealSource
from tests.models.networks.centerface_file import published
from tests.tools.art_cache import write_cache, write_weights
from tests.tools.training_art import tiny

ZOO = RealSource("zoo", "zoo", "npm", "zoo", "1", "MIT", "flat")


@pytest.fixture(scope="module", autouse=True)
def art(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small art cache with weights, and scenes of a size for it."""
    root = tmp_path_factory.mktemp("art")
    write_cache(root)
    (root / "drawn" / "sculpted").mkdir()
    tiny.write_head(root / "drawn/real/zoo/ape/0.png", "zoo", "ape")
    for name in ("person-240", "person-241"):
        for view in range(2):
            path = root / "drawn" / make.OTHER_DAYS / name / f"{view}.png"
            tiny.write_head(path, make.OTHER_DAYS, name)
    weights = write_weights(root / "mobilenet.pth")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICF_ART_CACHE", str(root))
        # These would fetch packages.
        patch.setattr(make, "main", lambda say: None)
        patch.setattr(real, "main", lambda say: None)
        patch.setattr(whole_figures, "main", lambda: None)
        patch.setattr(restyle, "fetch", lambda: None)
        patch.setattr(sources, "mobilenet_weights", lambda: weights)
        patch.setattr(figures, "SOURCES", (ZOO,))
        patch.setattr(real_sources, "SOURCES", (ZOO,))
        # It needs a network that is fetched.
        patch.setattr(embedder, "_REPAINTED", 0.0)
        patch.setattr(detector_figures, "SCENES", 3)
        patch.setattr(detector_figures, "EMPTY", 2)
        yield root
    torch.set_num_threads(threads)


#: An embedder's crops and batches, likewise.
SMALL_EMBEDDER = """
[loop]
workers = 0
batch = 4
[network]
side = 64
dim = 16
[drawn]
repainted = 0.0
"""
#: Scenes that are small enough for a test.
SMALL = "[pictures]\nsides = [64, 128]\nchances = [0.5, 0.5]\n"
#: The first generation, of ImageNet's weights, in one turn.
FIRST = """
[network]
name = "retinanet-mobilenetv2"
[scenes]
teacher = 0.0
turns = 1
"""


def trained(task: str, out: Path, *words: str, more: str = "") -> dict[str, object]:
    config = out.with_suffix(".toml")
    config.write_text("[loop]\nworkers = 0\nbatch = 1\nsave_every = 2\n" + more)
    command = [task, "--recipe", "bundled", "--out", str(out), "--steps", "3"]
    command += ["--config", str(config), "--json", *words]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_bundled_detector_is_trained_exported_measured_and_opened(
    tmp_path: Path, art: Path
) -> None:
    found = trained("detector", tmp_path / "out", more=SMALL + FIRST)
    path = tmp_path / "out" / "detector.onnx"
    assert found["path"] == str(path)
    assert path.stat().st_size <= MAX_BYTES
    card = load_card(path.with_suffix(".json"))
    assert card.figures.keys() == {"micah", "no faces"}
    assert card.figures["no faces"]["pictures"] == 2
    assert "--steps 3" in card.recipe
    assert Detector.open(path).model_hash == found["model"] == hash_file(path)
    status = CliRunner().invoke(cli, ["status", "--json"]).stdout
    assert json.loads(status)["detector"] == {"step": 3, "steps": 3, "seed": 7}


@pytest.mark.slow
def test_the_bundled_embedder_is_trained_exported_measured_and_opened(
    tmp_path: Path,
) -> None:
    changes = tmp_path / "changes.toml"
    changes.write_text(SMALL_EMBEDDER)
    found = trained("embedder", tmp_path / "out", "--config", str(changes))
    path = tmp_path / "out" / "embedder.onnx"
    assert path.stat().st_size <= embedder.MAX_EMBEDDER_BYTES
    card = load_card(path.with_suffix(".json"))
    assert card.figures.keys() == {"micah", "other-days", "mean"}
    assert card.figures["other-days"]["identities"] == 2
    assert card.figures["micah"]["identities"] == 3
    assert {"name": "zoo", "source": "npm zoo 1", "licence": "MIT"} in card.data
    opened = Embedder.open(path)
    assert (opened.dim, opened.crop_rate) == (16, 0.5)
    assert opened.model_hash == found["model"]
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    ahead, mirrored = opened.embed([crop, crop[:, ::-1]])
    assert ahead @ mirrored == pytest.approx(1, abs=1e-4)


def test_its_data_cannot_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="draws its own pictures"):
        trained("embedder", tmp_path / "out", "--data", f"folders:{tmp_path}")


def test_ranks_divide_a_batch_of_drawn_crops() -> None:
    batches = embedder.DrawnCrops(1, 4, 64, DrawnSettings())
    whole = batches.batch(3, Rank())
    parts = [batches.batch(3, Rank(number, 2)) for number in range(2)]
    assert torch.equal(torch.cat([part.pixels for part in parts]), whole.pixels)
    assert whole.labels.tolist() == [
        int(name.split()[1]) for name in batches.pictures(3)
    ]


def test_figures_of_real_drawings_are_drawn_as_often_as_their_weight_says() -> None:
    [ape] = figures.figures()["zoo"]
    art = tiny.art()
    without = Identities.of(art)
    having = Identities.of(art, modelled=4, figures={"zoo": [ape, ape]}, real=2.5)
    assert len(having.pictures) == len(without.pictures) + 1
    new = [n for n, own in enumerate(having.pictures) if own[0].identity == "ape"]
    assert [len(having.pictures[n]) for n in new] == [2]
    chances = having.chances()
    assert chances.sum() == pytest.approx(1)
    assert chances[new[0]] == pytest.approx(2.5 / (2.5 + len(without.pictures)))


def test_a_batch_is_of_as_many_styles_as_asked_and_follows_the_weights() -> None:
    art = tiny.art()
    identities = Identities.of(art, modelled=4)
    styles = np.array([own[0].style for own in identities.pictures])
    random = np.random.default_rng(0)
    for styles_asked in (1, 2):
        drawn = identities.draw(8, styles_asked, random)
        assert len(drawn) == 8
        assert len(set(styles[drawn])) == styles_asked
    assert len(identities.draw(8, 99, random)) == 8
    often = np.concatenate([identities.draw(6, 1, random) for _ in range(600)])
    chances = identities.chances()
    for style in set(styles):
        share = (styles[often] == style).mean()
        assert share == pytest.approx(chances[styles == style].sum(), abs=0.08)


@pytest.mark.slow
def test_a_bundled_embedder_can_be_trained_further(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, art: Path
) -> None:
    monkeypatch.delattr(exporting, "to_onnx")  # its graph is known
    shutil.rmtree(art / "embedder", ignore_errors=True)  # of another run
    first = bundled_path("embedder")
    changes = tmp_path / "changes.toml"
    changes.write_text(
        "[loop]\nworkers = 0\nbatch = 4\nsave_every = 2\n[drawn]\nrepainted = 0.0\n"
    )
    before = Embedder.open(first)
    out = tmp_path / "out"
    words = ("--from", str(first), "--config", str(changes))
    found = trained("embedder", out, *words)
    made = Embedder.open(out / "embedder.onnx")
    assert made.model_hash == found["model"] != before.model_hash
    card = load_card(out / "embedder.json")
    assert card.network == "embedder-mobilenetv2-flipped"
    assert str(card.parent).endswith(f", through model {before.model_hash}")
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (90, 90, 3)).astype(np.uint8) for _ in range(3)]
    cosines = (made.embed(crops) * before.embed(crops)).sum(1)
    assert cosines.min() > 0.5  # three steps from it


@pytest.mark.slow
def test_a_bundled_detector_can_be_trained_further(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, art: Path
) -> None:
    monkeypatch.delattr(exporting, "to_onnx")  # its graph is known
    shutil.rmtree(art / "detector", ignore_errors=True)  # of another run
    weights = published(art / "centerface.onnx", seed=1)
    monkeypatch.setattr(sources, "centerface_weights", lambda: weights)
    first = bundled_path("detector")
    out = tmp_path / "out"
    found = trained("detector", out, "--from", str(first), more=SMALL)
    before, made = Detector.open(first), Detector.open(out / "detector.onnx")
    assert made.model_hash == found["model"] != before.model_hash
    card = load_card(out / "detector.json")
    assert str(card.parent).endswith(f", through model {before.model_hash}")
    whole = safetensors.torch.load_file(art / "detector/detector.safetensors")
    shift = read_weights(out / "detector.onnx")["classes.bias"]
    shift = shift - whole["detector.classes.bias"].numpy()
    assert shift == pytest.approx(0.4, abs=1e-5)  # as its recipe says
    shown = np.full((200, 160, 3), 230, np.uint8)
    shown[40:104, 40:104] = tiny.picture(200)[..., :3]
    [[best, *_]] = made.detect([shown], 0.05)
    [[was, *_]] = before.detect([shown], 0.05)
    assert np.abs(np.array(best.box) - was.box).max() < 20  # three steps from it


def test_drawings_that_probabilities_are_fitted_on_are_not_trained_on(
    monkeypatch: pytest.MonkeyPatch, art: Path
) -> None:
    held = RealSource("kenney", "kenney", "npm", "kenney", "1", "CC0-1.0", "flat")
    tiny.write_head(art / "drawn/real/kenney/elf/0.png", "kenney", "elf")
    before = embedder.DrawnCrops(1, 4, 64, DrawnSettings(real=1)).identities
    monkeypatch.setattr(figures, "SOURCES", (ZOO, held))
    assert figures.figures().keys() == {"zoo", "kenney"}
    assert embedder.DrawnCrops(1, 4, 64, DrawnSettings(real=1)).identities == before


def test_crops_have_the_side_of_the_network() -> None:
    batches = embedder.DrawnCrops(1, 4, 80, DrawnSettings(real=1))
    assert batches.batch(0, Rank()).pixels.shape == (4, 3, 80, 80)


def test_the_art_is_listed_by_character() -> None:
    index = build_index([Source(drawn_art.drawn_art(print))])
    assert set(index.identities) >= {
        f"{index.sources[0].reader.name}/lorelei/lorelei-00{number}"
        for number in range(3)
    }


def test_art_that_is_written_again_as_it_was_is_the_same_data(art: Path) -> None:
    reader = drawn_art.drawn_art(print)
    before = reader.fingerprint()
    box = art / "drawn/dicebear/lorelei/lorelei-000/0.json"
    os.utime(box, (1, 1))
    assert reader.fingerprint() == before
    was = box.read_text()
    box.write_text(was + " ")
    assert reader.fingerprint() != before
    box.write_text(was)


def test_the_crops_to_measure_on_are_the_same_every_time() -> None:
    first, second = (embedder.crops_to_measure_on(tiny.art()) for _ in range(2))
    # The photographs are one person each: nothing to be told apart.
    assert first.keys() == {"round", "square"}
    for style in first:
        assert torch.equal(first[style].crops, second[style].crops)
    assert first["round"].crops.shape == (3 * embedder.VIEWS, 3, 112, 112)
    assert first["round"].labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


class TestTheSecondGeneration:
    """The detector that grows out of CenterFace."""

    @pytest.fixture
    def config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DetectorConfig:
        """Every part of the recipe, on small scenes; weights are by chance."""
        weights = published(tmp_path / "centerface.onnx", seed=1)
        monkeypatch.setattr(sources, "centerface_weights", lambda: weights)
        return DetectorConfig.model_validate(
            {
                "loop": {"seed": 3, "batch": 1},
                "network": {"name": "retinanet-centerface", "keep": 0.1, "frozen": 1},
                "pictures": {"sides": [64, 128], "chances": [0.5, 0.5]},
                "scenes": {"faceless": 0.3, "objects": 0.5, "teacher": 0.5},
            }
        )

    def test_a_step_lowers_its_loss_and_leaves_what_is_frozen(
        self, config: DetectorConfig, tmp_path: Path
    ) -> None:
        task = made(config, tmp_path)
        [network] = task.parts.values()
        before = {name: p.clone() for name, p in network.named_parameters()}
        learning = [p for group in task.groups() for p in group.parameters]
        optimiser = torch.optim.SGD(learning, lr=1e-4)
        batch = next(b for s in range(9) if (b := faces_at(task, s)) is not None)
        task.train_mode()
        moment = Moment(0, 3, nullcontext)
        losses = []
        for _ in range(2):
            found = task.losses(batch, moment)
            loss = torch.stack(list(found.values())).sum()
            losses.append(loss.item())
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        assert set(found) == {"classes", "boxes", "teacher", "near start"}
        assert found["near start"].item() > 0
        assert losses[1] < losses[0]
        changed = {n for n, p in network.named_parameters() if not p.equal(before[n])}
        assert not any(name.startswith("body.blocks.6.") for name in changed)
        assert any(name.startswith("body.blocks.7.") for name in changed)

    def test_a_turn_goes_on_from_all_weights_of_the_last(
        self, config: DetectorConfig, tmp_path: Path
    ) -> None:
        [network] = made(config, tmp_path).parts.values()
        with torch.no_grad():
            for weights in network.state_dict().values():
                weights += 1
        path = tmp_path / "detector.onnx"
        path.write_bytes(b"its norms are folded")
        card = new_card(path, "detect", "icf-detector-onnx", {}, network="x")
        save_card(card, path.with_suffix(".json"))
        kept = {f"detector.{name}": w for name, w in network.state_dict().items()}
        save_parts(path, card.sha256, kept)
        [again] = made(config, tmp_path, read_start(path, "detect")).parts.values()
        assert again.state_dict().keys() == network.state_dict().keys()
        for name, weights in again.state_dict().items():
            assert torch.equal(weights, network.state_dict()[name]), name

    def test_norms_that_are_folded_stay_and_whole_ones_learn(
        self, config: DetectorConfig, tmp_path: Path
    ) -> None:
        start = read_start(bundled_path("detector"), "detect")
        assert learning_norms(made(config, tmp_path, start)) == set()
        first = made(config, tmp_path)
        assert learning_norms(first) == {"smooth", "coarse", "norms"}
        kept = config.network.model_copy(update={"norms": "frozen"})
        still = config.model_copy(update={"network": kept})
        assert learning_norms(made(still, tmp_path)) == set()

    def test_centerface_teaches_no_other_network(
        self, config: DetectorConfig, tmp_path: Path
    ) -> None:
        other = config.model_copy(update={"network": NetworkSettings()})
        with pytest.raises(WrongUse, match="CenterFace teaches retinanet-centerface"):
            made(other, tmp_path)

    def test_ranks_divide_a_batch_of_scenes(
        self, config: DetectorConfig, tmp_path: Path
    ) -> None:
        batches = made(config, tmp_path).batches()
        step = next(s for s in range(9) if len(batches.batch(s, Rank()).pictures) == 4)
        whole = batches.batch(step, Rank())
        parts = [batches.batch(step, Rank(number, 2)) for number in range(2)]
        assert torch.equal(torch.cat([part.pictures for part in parts]), whole.pictures)


def learning_norms(task: detector.DrawnDetectorTask) -> set[str]:
    """The parts of its network whose norms take statistics of the batches."""
    [network] = task.parts.values()
    task.train_mode()
    return {
        name.partition(".")[0]
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d) and module.training
    }


def made(
    config: DetectorConfig, folder: Path, start: Start | None = None
) -> detector.DrawnDetectorTask:
    index = build_index([Source(drawn_art.drawn_art(print))])
    return detector.DrawnDetectorTask.make(
        Given(index, config, start, folder, lambda line: None)
    )


def faces_at(task: detector.DrawnDetectorTask, step: int) -> Batch | None:
    """The batch of a step, if it has a face."""
    batch = task.batches().batch(step, Rank())
    return batch if (batch.faces.kinds >= 0).any() else None
