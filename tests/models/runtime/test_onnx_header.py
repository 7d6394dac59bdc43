from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from icf.errors import BadModel
from icf.models.cards import bundled_path
from icf.models.runtime.onnx_header import read_header


def test_the_header_is_what_the_package_onnx_reads() -> None:
    path = bundled_path("embedder")
    model, header = onnx.load(path), read_header(path)
    assert header.ir_version == model.ir_version
    assert header.opsets == {each.domain: each.version for each in model.opset_import}
    assert header.producer == model.producer_name
    nodes = [(node.name, node.op_type) for node in model.graph.node[:8]]
    assert list(header.first_nodes) == nodes
    assert header.external == ()


def test_metadata_and_files_of_weights_are_named(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="big.data")
    graph = helper.make_graph([], "made", [], [], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.x", 3)])
    helper.set_model_props(model, {"names": "{0: 'face'}"})
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    header = read_header(path)
    assert header.metadata == {"names": "{0: 'face'}"}
    assert header.external == ("big.data",)
    assert header.opsets == {"ai.x": 3}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [False, True])
def test_numbers_of_double_precision_are_seen(
    tmp_path: Path, kind: type[np.floating], weights: bool
) -> None:
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    pictures = helper.make_tensor_value_info("x", element, ["n", 3])
    tensor = numpy_helper.from_array(np.zeros(4, kind), "weights")
    graph = helper.make_graph(
        [], "made", [] if weights else [pictures], [], [tensor] if weights else []
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert read_header(path).float64 == (kind is np.float64)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9999])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, share: float) -> None:
    whole = bundled_path("embedder").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BadModel, match="is not a whole ONNX file"):
        read_header(path)


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>", b"\x80\x02}q\x00.", b"\xff" * 99, b"\0" * 99]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(BadModel, match="is not a whole ONNX file"):
        read_header(path)
