"""DenseNet-169 at 256 px on a processor: ONNX Runtime and OpenVINO next to PyTorch.

One thread each, batches of four, the same pictures in turn; the best of several rounds.
The weights are random, and the norms have seen pictures, so that embeddings of two
pictures differ like those of a trained network.

Run: python -m benchmarks.infer_cpu [--json]
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.report import Result, report
from icf.models import create
from icf.models.runtime.network import open_network
from icf.models.training.embedder.export import export_onnx

SIDE, BATCH, BATCHES, ROUNDS = 256, 4, 3, 5
FASTER, OPENVINO_FASTER, ALIKE = 1.5, 3.0, 0.9999

Array = NDArray[np.float32]


def drawn(count: int, seed: int) -> Array:
    """Pictures of areas of colour, n x 3 x 256 x 256 in 0..255."""
    random = np.random.default_rng(seed)
    made = random.integers(0, 256, (count, 3, 8, 8)).astype(np.float32)
    fine = random.normal(0, 12, (count, 3, SIDE, SIDE))
    large = made.repeat(SIDE // 8, 2).repeat(SIDE // 8, 3)
    return np.clip(large + fine, 0, 255).astype(np.float32)


def network() -> nn.Module:
    """An untrained network whose norms know what pictures look like."""
    torch.manual_seed(0)
    made = create("densenet169", side=SIDE).train()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None  # the mean of all that it saw
    with torch.no_grad():
        for seed in range(3):
            made(torch.from_numpy(drawn(16, 100 + seed)))
    return made.eval()


def in_openvino_f32(path: Path) -> Callable[[Array], Array]:
    """OpenVINO told to compute with 32 bits, which `icf` does not ask for."""
    import openvino

    hints = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", hints)
    return lambda batch: np.array(compiled([batch])[compiled.outputs[0]])


def seconds(run: Callable[[Array], object], pictures: Array) -> float:
    """CPU seconds for all pictures."""
    begin = time.process_time()
    for start in range(0, len(pictures), BATCH):
        run(pictures[start : start + BATCH])
    return time.process_time() - begin


def cosine(ours: Array, wanted: Array) -> float:
    """The smallest cosine of two embeddings of one picture."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(wanted, axis=1)
    return float(((ours * wanted).sum(1) / lengths).min())


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    eager = network()

    @torch.inference_mode()
    def in_torch(batch: Array) -> Array:
        found: Array = eager(torch.from_numpy(batch)).numpy()
        return found

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "densenet169.onnx"
        export_onnx(eager, path, SIDE)
        runs: dict[str, Callable[[Array], Array]] = {"eager": in_torch}
        for name in ("onnxruntime", "openvino"):
            opened = open_network(path, 1, name)
            runs[name] = lambda batch, run=opened.run: run(batch)[0]  # type: ignore[misc]
        runs["openvino_f32"] = in_openvino_f32(path)
        pictures = drawn(BATCH * BATCHES, 1)
        given = {name: run(pictures[:BATCH]) for name, run in runs.items()}
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            for name, run in runs.items():
                best[name] = min(best[name], seconds(run, pictures))
    rates = {name: len(pictures) / value for name, value in best.items()}
    ratio = rates["onnxruntime"] / rates["eager"]
    openvino = rates["openvino"] / rates["eager"]
    alike = {
        name: cosine(found, given["eager"])
        for name, found in given.items()
        if name != "eager"
    }
    report(
        Result(
            "infer_cpu",
            "pictures/CPU-s, DenseNet-169 at 256 px",
            rates["onnxruntime"],
            rates["eager"],
            f"PyTorch {torch.__version__}, eager",
            ratio,
            f"ONNX Runtime >= {FASTER} at a cosine >= {ALIKE}, OpenVINO >= "
            f"{OPENVINO_FASTER}",
            ratio >= FASTER
            and openvino >= OPENVINO_FASTER
            and alike["onnxruntime"] >= ALIKE,
            {
                "openvino": rates["openvino"],
                "openvino_ratio": openvino,
                "cosine": alike["onnxruntime"],
                "openvino_cosine": alike["openvino"],
                "openvino_f32_ratio": rates["openvino_f32"] / rates["eager"],
                "openvino_f32_cosine": alike["openvino_f32"],
                "between_pictures": cosine(given["eager"][1:], given["eager"][:-1]),
            },
        )
    )


if __name__ == "__main__":
    main()
