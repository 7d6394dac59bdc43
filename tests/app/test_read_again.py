"""What `icf detect` and `icf embed` write, `icf-evaluate` reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from icf.dataset.cli.evaluate.main import cli as evaluate
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.program import call, invoke


def test_detections_and_embeddings_are_scored(tmp_path: Path) -> None:
    files = [file for file in good_files(40) if len(file.faces) == 1][:8]
    paths = write_pictures(tmp_path / "pictures", files)
    boxes = [[round(edge) for edge in file.faces[0].box] for file in files]
    names = [path.name for path in paths]

    truth, found = tmp_path / "t.csv", tmp_path / "d.jsonl"
    truth.write_text(
        "".join(
            f"{name},{','.join(map(str, box))},face\n"
            for name, box in zip(names, boxes, strict=True)
        )
    )
    found.write_text(call("detect", tmp_path / "pictures", "--json").stdout)
    told = invoke(
        evaluate, "detection", "--truth", truth, "--detections", found, "--json"
    )
    assert json.loads(told.stdout)["coco"] > 0.7

    call("embed", found, "--out", tmp_path / "found.npy")
    lines = [json.loads(line) for line in found.read_text().splitlines()]
    assert len(np.load(tmp_path / "found.npy")) == sum(
        len(one["faces"]) for one in lines
    )

    info, faces = tmp_path / "info.txt", tmp_path / "faces.jsonl"
    labels = [0, 0, *[-1] * (len(names) - 2)]
    info.write_text(
        "".join(
            f"{name} {' '.join(map(str, box))} {label}\n"
            for name, box, label in zip(names, boxes, labels, strict=True)
        )
    )
    faces.write_text(
        "".join(
            json.dumps({"path": str(path), "box": box}) + "\n"
            for path, box in zip(paths, boxes, strict=True)
        )
    )
    call("embed", faces, "--out", tmp_path / "f.npy")
    words = ("--info", info, "--features", tmp_path / "f.npy", "--json")
    told = invoke(evaluate, "identification", *words)
    assert json.loads(told.stdout)["pairs"] == 2
