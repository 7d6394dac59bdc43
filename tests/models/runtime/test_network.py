import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

import icf
from icf.errors import BadModel, WrongUse
from icf.models.cards import bundled_path
from icf.models.runtime import network
from icf.models.runtime.network import open_network
from tests.models.formats.published_files import own_embedder

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("shape", [(2, 3, 112, 112), (1, 3, 112, 112)])
def test_both_runtimes_point_an_embedding_the_same_way(
    shape: tuple[int, ...],
) -> None:
    batch = RNG.integers(0, 256, shape).astype(np.float32)
    ours, theirs = (_vectors(name, batch) for name in ("onnxruntime", "openvino"))
    assert np.sum(ours * theirs, axis=1) == pytest.approx(1, abs=5e-3)


def _vectors(name: str, batch: network.Array) -> network.Array:
    assert name in ("onnxruntime", "openvino")
    path = bundled_path("embedder")
    opened = open_network(path, runtime=name)  # type: ignore[arg-type]
    assert opened.runtime == name
    [found] = opened.run(batch)
    vectors: network.Array = found / np.linalg.norm(found, axis=1, keepdims=True)
    return vectors


def test_onnxruntime_makes_no_identifier_to_report_under(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # Alone in its environment: where CI is set, it reports nothing by itself.
    subprocess.run(
        [sys.executable, "-c", "import icf; import onnxruntime"],
        cwd=Path(icf.__file__).parents[1],
        env={"HOME": str(home)},
        check=True,
    )
    assert list(home.rglob("*")) == []


def test_what_somebody_set_on_reporting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED")
    importlib.reload(icf)
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_outputs_of_other_precisions_come_as_float32(
    tmp_path: Path, kind: int, runtime: network.Runtime
) -> None:
    path = own_embedder(tmp_path / "mine.onnx", inside=kind, extra=True)
    batch = np.full((2, 3, 160, 160), 300, np.float32)
    best, vectors = open_network(path, runtime=runtime).run(batch)
    assert vectors.dtype == np.float32
    # The square of 300 is more than a float16 holds.
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(300 * 3**0.5, rel=1e-3)
    assert best.dtype == np.int64


def test_threads_may_share_a_network_in_either_runtime() -> None:
    batch = RNG.integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
    for name in ("onnxruntime", "openvino"):
        opened = open_network(bundled_path("embedder"), runtime=name)
        [alone] = opened.run(batch)
        with ThreadPoolExecutor(4) as threads:
            for [found] in threads.map(opened.run, [batch] * 200):
                assert np.array_equal(found, alone)


def test_openvino_that_is_not_installed_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "_has_openvino", lambda: False)
    with pytest.raises(WrongUse, match=r"icf-toolkit\[openvino\]"):
        open_network(bundled_path("embedder"), runtime="openvino")


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(BadModel, match=r"model\.onnx"):
        open_network(path, runtime=name)  # type: ignore[arg-type]
