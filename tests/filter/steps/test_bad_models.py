"""Models that are not what their cards promise, and what is to run them, by command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import torch

import icf
from icf.catalogue.schema import decision, face, image
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.filter.workspaces import make_workspace, rows, run_before, site_files

pytestmark = pytest.mark.slow

PACKAGE = Path(icf.__file__).parent


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An installation of this program with weights of its own; their folder."""
    models = tmp_path / "site" / "icf" / "models"
    models.mkdir(parents=True)
    for folder, left_out in ((PACKAGE, "models"), (PACKAGE / "models", "bundled")):
        for entry in folder.iterdir():
            if entry.name != left_out:
                there = models.parent if folder == PACKAGE else models
                (there / entry.name).symlink_to(entry.resolve())
    return Path(shutil.copytree(PACKAGE / "models" / "bundled", models / "bundled"))


#: Of the bundled detector, in bytes.
SIZE = (PACKAGE / "models" / "bundled" / "detector.onnx").stat().st_size


def run(made: Workspace, bundled: Path, *words: str, code: int = 1) -> str:
    """Run the filter of the installation; return stderr."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from icf.filter.cli.main import main; main()"),
            *("run", "-C", str(made.root), *words),
        ],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(bundled.parent.parent.parent),
        },
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def cut_short(bundled: Path) -> None:
    path = bundled / "detector.onnx"
    path.write_bytes(path.read_bytes()[:-1000])


def one_bit_other(bundled: Path) -> None:
    path = bundled / "detector.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def missing(bundled: Path) -> None:
    (bundled / "detector.onnx").unlink()


def no_network(bundled: Path) -> None:
    (bundled / "detector.onnx").write_bytes(b"not a network at all")
    promise_what_is_there(bundled)


def other_architecture(bundled: Path) -> None:
    shutil.copy(bundled / "embedder.onnx", bundled / "detector.onnx")
    promise_what_is_there(bundled)


def cut_short_with_its_card(bundled: Path) -> None:
    cut_short(bundled)
    promise_what_is_there(bundled)


def promise_what_is_there(bundled: Path) -> None:
    """Give the detector's file a card that agrees with it."""
    path, card = bundled / "detector.onnx", bundled / "detector.json"
    fields = json.loads(card.read_text())
    fields |= {"sha256": hash_file(path), "bytes": path.stat().st_size}
    card.write_text(json.dumps(fields))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut_short, f"has {SIZE - 1000} bytes; its card promises {SIZE}"),
        (one_bit_other, r"has SHA-256 [0-9a-f]{64}; its card promises [0-9a-f]{64}"),
        (missing, r"there are no weights .*detector\.onnx, which its card promises"),
        (no_network, r"detector\.onnx is not a model for ONNX Runtime"),
        (cut_short_with_its_card, r"detector\.onnx is not a model for ONNX Runtime"),
        (
            other_architecture,
            r"takes \['\w+', 3, 112, 112\] and gives rows of \[192\] numbers; expected",
        ),
    ],
)
def test_a_bad_model_ends_the_run_and_is_charged_to_no_picture(
    tmp_path: Path, installed: Path, harm: Callable[[Path], None], message: str
) -> None:
    made = make_workspace(tmp_path / "work", site_files(1)[:4])
    harm(installed)
    assert re.search(message, run(made, installed))
    assert rows(made, sa.select(decision.c.id)) == []
    assert set(rows(made, sa.select(image.c.awaits))) == {("detect",)}


def test_a_bad_embedder_leaves_the_faces_waiting(
    tmp_path: Path, installed: Path
) -> None:
    made = make_workspace(tmp_path / "work", site_files(1)[:4])
    run_before(made, "embed")
    before = rows(made, sa.select(face.c.id).where(face.c.awaits == "embed"))
    weights = installed / "embedder.onnx"
    promised = weights.stat().st_size
    weights.write_bytes(b"")
    said = run(made, installed, "--step", "embed")
    assert f"embedder.onnx has 0 bytes; its card promises {promised}" in said
    assert before
    after = rows(made, sa.select(face.c.id).where(face.c.awaits == "embed"))
    assert sorted(after) == sorted(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_wrong_use_before_any_picture(
    tmp_path: Path, installed: Path
) -> None:
    made = make_workspace(tmp_path / "work", site_files(1)[:4])
    said = run(made, installed, "--set", "filter.device=cuda", code=2)
    assert said.startswith("error: filter.device = cuda: PyTorch finds no GPU")
    assert rows(made, sa.select(decision.c.id)) == []


def test_pictures_are_filtered_in_pytorch_by_the_same_models(
    tmp_path: Path, installed: Path
) -> None:
    found = {}
    for name in ("onnxruntime", "torch"):
        made = make_workspace(tmp_path / name, site_files(1)[:4])
        words = ("--to", "detect", "--set", f"filter.runtime={name}")
        run(made, installed, *words, code=0)
        query = sa.select(face.c.detector, face.c.x1, face.c.y1).order_by(face.c.score)
        found[name] = rows(made, query)
    assert found["torch"]
    for ours, theirs in zip(found["torch"], found["onnxruntime"], strict=True):
        assert ours[0] == theirs[0]
        assert ours[1:] == pytest.approx(theirs[1:], abs=1)
