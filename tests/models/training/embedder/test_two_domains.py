"""Drawn and photographed faces at once, through the whole trainer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from icf.errors import WrongUse
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source
from icf.models.training.config import read_config
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.trackers.json_lines import read_log
from icf.models.training.train import Trained, train
from tests.models.training.small_run import SMALL, write_faces


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    root = tmp_path_factory.mktemp("faces")
    return [
        Source(FoldersReader(write_faces(root / "drawn", 4, 4))),
        Source(FoldersReader(write_faces(root / "taken", 3, 4), "human")),
    ]


def trained(sources: list[Source], out: Path, **changes: object) -> Trained:
    given = {f"adaptation.{key}": value for key, value in changes.items()}
    config = read_config(
        EmbedderConfig,
        "embedder",
        changes={**SMALL, "loop.steps": 3, "adaptation.on": True, **given},
    )
    return train("embedder", sources, config, out, device="cpu")


@pytest.mark.slow
@pytest.mark.usefixtures("known_graphs")
def test_both_domains_are_trained_by_the_terms_of_the_paper(
    sources: list[Source], tmp_path: Path
) -> None:
    done = trained(sources, tmp_path)
    weights = safetensors.torch.load_file(done.path.with_suffix(".safetensors"))
    assert weights["loss.cartoon.weight"].shape == (4, 16)
    assert weights["loss.human.weight"].shape == (3, 16)
    for row in read_log(tmp_path):
        terms = [row[k] for k in ("identity", "unknown identity", "domain")]
        assert np.isfinite(terms).all()
        assert row["loss"] == pytest.approx(sum(terms) + row["discriminator"])
        assert min(terms) > 0


@pytest.mark.slow
@pytest.mark.usefixtures("known_graphs")
def test_each_term_can_be_switched_off(sources: list[Source], tmp_path: Path) -> None:
    trained(sources, tmp_path, unknown="off", domain="off")
    for row in read_log(tmp_path):
        assert (row["unknown identity"], row["domain"]) == (0, 0)
        assert row["loss"] == pytest.approx(row["identity"])


def test_one_domain_alone_is_refused(sources: list[Source], tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="0 identities are photographed"):
        trained(sources[:1], tmp_path)
