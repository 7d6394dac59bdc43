from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from icf.app.cli import cli
from icf.dataset.cli.report import cli as report
from icf.workspace import init


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (cli, "import icartoonface OLD --dry-run"),
        (cli, "import coco OLD/coco --dry-run"),
        (cli, "import folder OLD/imagefolder --dry-run"),
        (cli, "release diff new OLD"),
        (cli, "release relink OLD linked"),
        (report, "compare OLD new page.html"),
    ],
)
def test_whatever_reads_a_revoked_release_says_that_it_is_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: click.Command,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    init(tmp_path)
    for name in ("old/coco", "old/imagefolder", "new"):
        Path(name).mkdir(parents=True)
    for name in ("old", "new"):
        Path(name, "release.json").write_text("{}")
    Path("old/REVOKED").write_text("Revoked at noon: mixed up\n")
    # It has nothing to read, so it fails afterwards.
    done = CliRunner().invoke(command, words.replace("OLD", "old").split())
    assert done.stderr.count("is of a revoked release. Revoked at noon: mixed up") == 1
