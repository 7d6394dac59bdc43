from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.app.takedown.target import find_target
from icf.app.takedown.work import take_down
from icf.catalogue.schema import image
from icf.dataset.contents import read_contents
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.takedowns.signed import write_list
from icf.workspace import Workspace
from tests.app.program import call


@pytest.mark.slow
def test_pictures_that_left_shards_are_counted(
    workspace: Workspace, tmp_path: Path
) -> None:
    out, listed = tmp_path / "out", tmp_path / "gone.json"
    write(workspace, prepare(workspace, 1, ("webdataset",)), out, 1)
    contents = read_contents(out / "contents.csv")
    sha256 = contents.sha256[contents.rows("probe")[0]].decode()
    rows = contents.sha256.tolist().count(sha256.encode())
    with workspace.catalogue.read() as connection:
        known = sa.select(image.c.id).where(image.c.sha256 == sha256)
        assert connection.execute(known).one()
        target = find_target(connection, sha256)
    take_down(workspace, target, "asked by mail")
    write_list(workspace, listed)
    words = ("release", "clean", out, "--list", listed, "--key", f"{listed}.pub")
    shown = call(*words).stdout
    counts = (
        f"1 pictures withdrawn, {rows} rows and 0 files deleted, others written again"
    )
    assert f"{out}: {counts}" in shown
    again = json.loads(call(*words, "--json").stdout)
    assert (again["rows"], again["pictures"]) == (0, 0)
    assert f"{out} has nothing of what was withdrawn" in call(*words).stdout
