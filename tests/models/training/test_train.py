"""One small training: killed, resumed, on two ranks, further, refused."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from icf.catalogue.labels.doubtful import read_doubtful
from icf.errors import BadInput, BadModel, IcfError, WrongUse
from icf.models.cards import load_card
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source
from icf.models.embedding import Embedder
from icf.models.trained_on import IDENTITIES_BEFORE, read_trained_on
from icf.models.training.config import read_config
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.run_files import CHECKPOINT, RUN
from icf.models.training.run_state import RunState, check_same
from icf.models.training.trackers.json_lines import FILE, read_log
from icf.models.training.train import Silent, Trained, train
from icf.stores.files import hash_file, new_temporary
from icf.stores.lock import one_at_a_time
from tests.models.training.forked import Program, run_ranks, start
from tests.models.training.small_run import SMALL, train_small, write_faces

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("forked trainings")]

#: The program that trains as `train_small` does.
SMALL_RUN = "tests.models.training.small_run"

#: Figures of a log that are a matter of time.
TIMES = {"examples per second"}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces"), 5, 4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, faces: Path) -> Trained:
    """A training that nothing interrupted."""
    return train_small(faces, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, faces: Path) -> Path:
    """The folder of one that was killed after its first checkpoint."""
    out = tmp_path_factory.mktemp("killed")
    running = start(Program(SMALL_RUN, (str(faces), str(out), "{}")))
    while len(read_log(out)) < 5 and running.are_running():
        time.sleep(0.01)
    running.kill()
    assert running.codes() == [-signal.SIGKILL]
    assert not (out / RUN).exists()
    return out


def losses(folder: Path) -> list[dict[str, float]]:
    return [
        {key: value for key, value in row.items() if key not in TIMES}
        for row in read_log(folder)
    ]


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_a_killed_run_goes_on_with_the_same_losses_to_the_last_bit(
    killed: Path, faces: Path, tmp_path: Path, whole: Trained
) -> None:
    out = copied(killed, tmp_path / "out")
    # What a kill leaves of a checkpoint and of an export.
    descriptor, half = new_temporary(out, f".{CHECKPOINT}.")
    os.close(descriptor)
    export = Path(mkdtemp(dir=out, prefix=f".{whole.path.name}."))
    # A line that was cut off by the kill.
    with (out / FILE).open("ab") as file:
        file.write(b'{"step": 7, "lo')
    done = train_small(faces, out)
    assert not half.exists()
    assert not export.exists()
    assert losses(out) == losses(whole.path.parent)
    assert [row["step"] for row in read_log(out)] == list(range(1, 9))
    ours, theirs = (
        safetensors.torch.load_file(path.with_suffix(".safetensors"))
        for path in (done.path, whole.path)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert done.card.sha256 == whole.card.sha256


#: Adam, and large steps, would make much of the smallest rounding error.
DIVIDED = {"loop.optimiser": "sgd", "loop.rate": 2e-4, "loss.sample": 1.0}


def test_a_killed_run_goes_on_with_another_number_of_ranks(
    killed: Path, faces: Path, tmp_path: Path, whole: Trained
) -> None:
    out = copied(killed, tmp_path / "out")
    run_ranks(SMALL_RUN, str(faces), str(out), "{}")
    assert_close(out, whole.path.parent)


@pytest.mark.usefixtures("known_graphs")
def test_two_ranks_train_what_one_process_trains_with_centres_divided(
    faces: Path, tmp_path: Path
) -> None:
    two = tmp_path / "two"
    run_ranks(SMALL_RUN, str(faces), str(two), json.dumps(DIVIDED))
    one = train_small(faces, tmp_path / "one", None, None, **DIVIDED)
    assert_close(two, one.path.parent)
    weights = safetensors.torch.load_file(two / "embedder.safetensors")
    assert weights["loss.loss.weight"].shape == (5, 16)


def assert_close(some: Path, others: Path) -> None:
    ours, theirs = losses(some), losses(others)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=2e-3), one["step"]


def test_the_model_is_exported_with_its_card_and_opened(whole: Trained) -> None:
    path = whole.path
    assert load_card(path.with_suffix(".json")) == whole.card
    assert whole.card.sha256 == hash_file(path)
    assert whole.steps == 8
    assert whole.seconds > 0
    assert not (path.parent / CHECKPOINT).exists()
    embedder = Embedder.open(path)
    assert (embedder.dim, embedder.crop_rate) == (16, 0.5)
    crops = [np.full((50, 50, 3), 90, np.uint8)] * 3
    assert embedder.embed(crops).shape == (3, 16)
    in_torch = Embedder.open(path, runtime="torch", device="cpu")
    same = (embedder.embed(crops) * in_torch.embed(crops)).sum(1)
    assert same.min() > 0.999


@pytest.mark.usefixtures("known_graphs")
def test_sub_centres_list_the_labels_that_they_doubt(
    whole: Trained, faces: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    changes = {**SMALL, "loss.name": "subcenter-arcface", "loop.steps": 2}
    config = read_config(EmbedderConfig, "embedder", changes=changes)
    data = [Source(FoldersReader(faces))]
    done = train("embedder", data, config, tmp_path, device="cpu", say=said.append)
    path = tmp_path / "doubtful.csv"
    listed = read_doubtful(path)
    # After two steps no face is near its centres yet.
    assert said[-1] == f"{len(listed)} of 20 labels are doubtful: {path}"
    assert 0 < len(listed) <= 20
    assert {each.box for each in listed} == {None}
    assert all((faces / each.picture).is_file() for each in listed)
    assert all(each.picture.startswith(f"{each.identity}/") for each in listed)
    degrees = [each.degrees for each in listed]
    assert degrees == sorted(degrees, reverse=True)
    # As the exported model and the stored centres say.
    pictures = [np.array(Image.open(faces / each.picture)) for each in listed]
    vectors = Embedder.open(done.path).embed(pictures)
    stored = safetensors.torch.load_file(done.path.with_suffix(".safetensors"))
    [centres] = (w for name, w in stored.items() if name.startswith("loss."))
    own = [int(each.identity[-3:]) for each in listed]
    cosines = (
        torch.nn.functional.normalize(centres, dim=-1)[own]
        @ torch.from_numpy(vectors)[:, :, None]
    )
    angles = cosines[..., 0].clamp(-1, 1).arccos().rad2deg()
    for each, its in zip(listed, angles, strict=True):
        # Crops with room to be moved are interpolated once more.
        assert (its - each.degrees).abs().min() < 2
    assert not (whole.path.parent / "doubtful.csv").exists()


def test_a_finished_run_is_left_as_it_is(whole: Trained, faces: Path) -> None:
    before = hash_file(whole.path)
    again = train_small(faces, whole.path.parent)
    assert (again.card, again.steps) == (whole.card, whole.steps)
    assert hash_file(whole.path) == before


def test_a_run_of_another_recipe_is_not_gone_on_with(
    killed: Path, faces: Path, whole: Trained
) -> None:
    for folder in (killed, whole.path.parent):
        with pytest.raises(WrongUse, match=r"has another config\.loop\.rate"):
            train_small(faces, folder, loop__rate=0.5)


def test_a_run_on_other_data_is_not_gone_on_with(killed: Path, tmp_path: Path) -> None:
    others = write_faces(tmp_path / "faces", 3, 4)
    with pytest.raises(WrongUse, match="has another data") as why:
        train_small(others, killed)
    # The same options would not help: answers came in, or pictures.
    assert "pictures or labels were added or changed since" in str(why.value)
    assert "The same options resume it" not in str(why.value)


def test_the_task_is_named_before_the_settings_that_it_brings(tmp_path: Path) -> None:
    one = {"task": "embedder", "config": {"adaptation": {"alpha": 1.0}}}
    other = {"task": "detector", "config": {"pictures": {"longest": 9}}}
    with pytest.raises(WrongUse, match=r"has another task, .*embedder' there"):
        check_same(other, one, tmp_path)


@pytest.mark.parametrize("part", ["weights", "moments"])
def test_a_checkpoint_with_a_changed_byte_is_not_gone_on_with(
    killed: Path, faces: Path, tmp_path: Path, part: str
) -> None:
    """It would train on, to a model that nobody could make again."""
    path = copied(killed, tmp_path / "changed") / CHECKPOINT
    stored = bytearray(path.read_bytes())
    head = int.from_bytes(stored[:8], "little")
    table = json.loads(stored[8 : 8 + head])
    name = next(key for key in table if key.startswith(f"{part}."))
    stored[8 + head + table[name]["data_offsets"][0]] ^= 1
    path.write_bytes(stored)
    with pytest.raises(BadInput, match=r"its content has changed.*remove it to train"):
        train_small(faces, path.parent)


def test_a_checkpoint_of_an_earlier_version_has_no_checksum(
    killed: Path, tmp_path: Path
) -> None:
    path = copied(killed, tmp_path / "earlier") / CHECKPOINT
    found = RunState.load(path)
    with safetensors.safe_open(path, "pt") as file:
        about = {k: v for k, v in file.metadata().items() if k != "crc"}
    safetensors.torch.save_file(safetensors.torch.load_file(path), path, about)
    assert RunState.load(path).step == found.step


@pytest.mark.parametrize("name", ["embedder.onnx", "embedder.json"])
def test_a_finished_run_that_lacks_a_file_says_how_to_begin_anew(
    whole: Trained, faces: Path, tmp_path: Path, name: str
) -> None:
    folder = copied(whole.path.parent, tmp_path / "lacking")
    (folder / name).unlink()
    with pytest.raises(BadInput, match=r"is not as the run left it; remove .* again"):
        train_small(faces, folder)


def test_a_finished_run_without_all_weights_says_so(
    whole: Trained, faces: Path, tmp_path: Path
) -> None:
    folder = copied(whole.path.parent, tmp_path / "lacking")
    (folder / "embedder.safetensors").unlink()
    with pytest.raises(BadInput, match=r"embedder\.safetensors, which the run .* back"):
        train_small(faces, folder)
    # Runs of earlier versions did not say that there was one.
    done = json.loads((folder / RUN).read_text())
    del done["whole"]
    (folder / RUN).write_text(json.dumps(done))
    assert train_small(faces, folder).card == whole.card


def test_a_run_that_another_version_began_says_how_to_begin_anew(
    tmp_path: Path,
) -> None:
    with pytest.raises(WrongUse, match=r"the version of icf that .* remove this one"):
        check_same({"start": "bundled now"}, {"start": "bundled then"}, tmp_path)


@pytest.mark.parametrize("change", ["shape", "name"])
def test_a_checkpoint_whose_weights_do_not_fit_says_how_to_begin_anew(
    killed: Path, faces: Path, change: str
) -> None:
    """An earlier version may have held out other identities, of the same data."""
    path = killed / CHECKPOINT
    found = RunState.load(path)
    *_, name = (key for key in found.weights if key.startswith("loss."))
    weights = {key: w for key, w in found.weights.items() if key != name}
    key = name if change == "shape" else f"{name}s"
    weights[key] = found.weights[name][1:]
    dataclasses.replace(found, weights=weights).save(path)
    with pytest.raises(WrongUse, match=r"another version of icf began.* remove it"):
        train_small(faces, killed)


def test_a_model_is_trained_further_from_its_own_file(
    whole: Trained, faces: Path, tmp_path: Path
) -> None:
    start = copied(whole.path.parent, tmp_path / "start") / whole.path.name
    tensors = start.with_suffix(".safetensors")
    with safetensors.safe_open(tensors, "pt") as file:
        about = json.loads(file.metadata()["about"])
    said = {**about, IDENTITIES_BEFORE: ["workspace/Moomins/Ninny"]}
    everything = safetensors.torch.load_file(tensors)
    safetensors.torch.save_file(everything, tensors, {"about": json.dumps(said)})
    # One step too small to move anything.
    with_all = train_small(
        faces, tmp_path / "a", start, loop__steps=1, loop__rate=1e-12
    )
    # It knows whom the models before it knew, beside its own.
    known = read_trained_on(with_all.path)
    assert known is not None
    assert known.own.identities == {*about["identities"]}
    assert known.before.identities == {"workspace/Moomins/Ninny"}
    assert with_all.card.parent == whole.card.sha256
    assert with_all.card.network == "timm:test_resnet"
    ours, theirs = (
        safetensors.torch.load_file(each.path.with_suffix(".safetensors"))
        for each in (with_all, whole)
    )
    # The class centres were carried over as well.
    centres = [name for name in theirs if name.startswith("loss.")]
    assert centres
    for name in centres:
        assert torch.allclose(ours[name], theirs[name], atol=1e-5)


def test_weights_of_another_model_are_not_taken_for_its_own(
    whole: Trained, faces: Path, tmp_path: Path
) -> None:
    folder = copied(whole.path.parent, tmp_path / "mixed")
    foreign = folder / "embedder.safetensors"
    tensors = safetensors.torch.load_file(foreign)
    safetensors.torch.save_file(tensors, foreign, {"about": '{"sha256": "0"}'})
    with pytest.raises(BadModel, match="belongs to another model"):
        train_small(faces, tmp_path / "out", folder / "embedder.onnx")


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        ("embedder-mobilenetv2", 32, r"network\.side = 32: the network .* a fixed one"),
        ("retinanet-centerface", None, r"cannot embed a crop of 112 pixels: .*\.side$"),
    ],
)
def test_a_network_that_takes_no_such_crops_is_refused(
    faces: Path, tmp_path: Path, name: str, side: int | None, message: str
) -> None:
    changes: dict[str, Any] = {"network__name": name, "network__side": side}
    with pytest.raises(IcfError, match=message):
        train_small(faces, tmp_path, network__dim=None, **changes)


def test_a_loss_that_is_no_number_is_blamed_on_its_pictures(
    faces: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"not a number.*identity-00\d/\d\.png") as why:
        train_small(faces, tmp_path, loop__rate=1e38, loop__clip=0, loop__warm_up=0)
    assert "lower loop.rate" in str(why.value)
    assert all(math.isfinite(row["loss"]) for row in read_log(tmp_path))


@pytest.mark.usefixtures("known_graphs")
def test_identities_of_one_face_are_not_measured_on(tmp_path: Path) -> None:
    """A sample of them alone has no two faces to compare, and ended the run at last."""
    faces = write_faces(tmp_path / "faces", 200, 1)
    for name in ("identity-003", "identity-007"):
        shutil.copy(faces / name / "0.png", faces / name / "1.png")
    made = train_small(faces, tmp_path / "out", held_out__most=100, loop__steps=1)
    assert made.figures["trained on"]["identities"] == 2


def test_what_cannot_train_is_said_before_anything_is_trained(
    faces: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no picture to train on"):
        train_small(tmp_path / "empty", tmp_path / "out")
    one = write_faces(tmp_path / "one", 1, 4)
    with pytest.raises(BadInput, match="only 1 of at least 2 identities"):
        train_small(one, tmp_path / "out")
    alone = write_faces(tmp_path / "alone", 4, 1)
    with pytest.raises(BadInput, match=r"cannot be measured on .* 4 faces of 4 ident"):
        train_small(alone, tmp_path / "out")
    broken = write_faces(tmp_path / "broken", 2, 2)
    for path in broken.glob("*/1.png"):
        path.write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"cannot be measured on .* 2 faces of 2 ident"):
        train_small(broken, tmp_path / "out")
    assert not read_log(tmp_path / "out")
    with pytest.raises(
        BadInput, match=r"20 faces.*fewer than crops\.per_identity = 32"
    ):
        train_small(faces, tmp_path / "out", crops__per_identity=32, loop__batch=64)
    with pytest.raises(WrongUse, match="no multiple of crops"):
        train_small(faces, tmp_path / "out", crops__per_identity=3)


def test_batches_that_another_process_makes_are_the_same(
    faces: Path, tmp_path: Path, whole: Trained
) -> None:
    done = train_small(faces, tmp_path, loop__workers=1)
    assert losses(tmp_path) == losses(whole.path.parent)
    assert done.card.sha256 == whole.card.sha256


def test_a_second_training_in_a_folder_waits_for_the_first(
    whole: Trained, faces: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Ended()
    with ThreadPoolExecutor(1) as pool:
        with one_at_a_time(tmp_path / ".lock", "icf-train"):
            second = pool.submit(train_small, faces, tmp_path, None, watcher)
            while "icf-train (process" not in caplog.text and not second.done():
                time.sleep(0.01)
            assert not second.done()
            shutil.copytree(whole.path.parent, tmp_path, dirs_exist_ok=True)
        assert second.result().card == whole.card
    assert watcher.steps == 0


class Ended(Silent):
    """Counts the steps that it is told of."""

    def __init__(self) -> None:
        self.steps = 0

    def advance(self) -> None:
        self.steps += 1


def test_an_embedder_learns_thirty_two_identities_by_heart(tmp_path: Path) -> None:
    """What is wrong in any part of the trainer would leave it far from this.

    Their faces are so alike that a network which learnt nothing has an area of 0.87 and
    finds another face of the same identity first for every second one.
    """
    faces = write_faces(tmp_path / "faces", 32, 3, side=32, mixed=0.3)
    watcher = Ended()
    done = train_small(
        faces,
        tmp_path / "out",
        watcher=watcher,
        network__dim=64,
        loop__steps=160,
        loop__batch=32,
        loop__rate=5e-3,
        loop__average=0.9,
        loop__log_every=80,
        loop__save_every=160,
    )
    assert watcher.steps == 160
    assert done.figures["trained on"]["identities"] == 32
    assert done.figures["trained on"]["auc"] >= 0.99
    assert done.figures["trained on"]["rank1"] >= 0.8
