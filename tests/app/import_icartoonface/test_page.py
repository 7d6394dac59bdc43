"""The page about the published iCartoonFace does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_docs import ROOT, Shell, blocks
from tests.icartoonface_files import Published, write_published
from tests.models.cli.test_detector import write_widerface

PAGE = ROOT / "docs" / "training" / "icartoonface.md"


@pytest.mark.slow
def test_its_commands_run_from_top_to_bottom(tmp_path: Path) -> None:
    write_published(tmp_path / "published")
    shell = Shell(tmp_path)
    for block in blocks(PAGE, "sh")[:2]:
        shell.run_within(block)
    assert "confirmed labels" in shell.out[0]
    assert (tmp_path / "cartoons" / "releases" / "mine" / "release.json").is_file()
    assert (tmp_path / "cartoons" / "reports" / "icartoonface.html").is_file()
    write_widerface(tmp_path / "WIDER")
    shell.run_within(blocks(PAGE, "sh")[3])
    assert "refused" in shell.out[-1]
    assert "is the champion detector now" in shell.out[-1]


def test_its_links_lead_somewhere() -> None:
    assert "](../formats.md)" in PAGE.read_text(encoding="utf-8")
    assert (PAGE.parent / "../formats.md").resolve().is_file()


@pytest.mark.slow
def test_what_is_trained_on_it_is_scored_by_its_own_protocol(tmp_path: Path) -> None:
    write_published(tmp_path / "published", Published(identities=6, pictures=4))
    shell = Shell(tmp_path)
    shell.run_within(blocks(PAGE, "sh")[2])
    assert "rank" in shell.out[0]
