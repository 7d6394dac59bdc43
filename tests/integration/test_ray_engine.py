"""`--engine ray`: the very same steps on a real Ray, and the very same rows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from icf.app.demo.site.truth import Noise
from icf.catalogue.schema import face, image
from icf.engine.engine import open_engine
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import Workspace
from tests.filter.plugin_package import add_picture, install_crashing
from tests.filter.workspaces import make_workspace, outcome_of, rows, site_files

pytest.importorskip("ray", reason="needs the extra `ray`")

ENGINES = ("local", "ray")


def run_filter(made: Workspace, *words: str, code: int = 0, packages: str = "") -> str:
    """Run `icf-filter run` with two workers; return stderr.

    It sees what is installed in the folder ``packages`` too. Whatever becomes of the
    run, the Ray that it started ends with it.
    """
    program = Path(sys.executable).with_name("icf-filter")
    sizes = ("--set", "filter.batch=5", "--set", "filter.workers=2")
    process = subprocess.Popen(
        [program, "run", "-C", made.root, *sizes, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": packages},
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _, said = process.communicate()
    assert process.returncode == code, said
    assert rays_of(process.pid) == []
    return said


def rays_of(session: int) -> list[int]:
    """The servers of Ray that were started in a session and still run."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes()
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        serves = b"/raylet" in words or b"/gcs_server" in words
        if serves and fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workspace]:
    """The same pictures, filtered by each engine."""
    made = {}
    for name in ENGINES:
        root = tmp_path_factory.mktemp(name)
        made[name] = make_workspace(root, site_files(2))
        assert run_filter(made[name], "--engine", name) == ""
    return made


@pytest.mark.parametrize("what", ["images", "faces", "decisions", "references"])
def test_both_engines_leave_the_same_rows(
    filtered: dict[str, Workspace], what: str
) -> None:
    local, ray = (outcome_of(filtered[name])[what] for name in ENGINES)
    assert local
    for one, other in zip(local, ray, strict=True):
        assert one == other


def vectors(made: Workspace) -> dict[tuple[Any, ...], np.ndarray[Any, Any]]:
    """The vector of each face that has one, by its picture and its box."""
    query = (
        sa.select(face.c.embedder, face.c.id, image.c.sha256, face.c.x1, face.c.y1)
        .join(image, image.c.id == face.c.image_id)
        .where(face.c.embedder.is_not(None))
    )
    found = rows(made, query)
    [model] = {row[0] for row in found}
    ids = np.array([row[1] for row in found], np.int64)
    matrix = made.vectors.get(model, ids)
    return {row[2:]: vector for row, vector in zip(found, matrix, strict=True)}


def test_both_engines_leave_the_same_vectors(filtered: dict[str, Workspace]) -> None:
    local, ray = (vectors(filtered[name]) for name in ENGINES)
    assert local.keys() == ray.keys()
    for name, vector in local.items():
        assert np.array_equal(vector, ray[name])


def test_what_breaks_a_step_or_a_decoder_stops_nothing_on_ray_and_is_named(
    tmp_path: Path,
) -> None:
    clean = [each for each in site_files(1) if each.noise is Noise.CLEAN]
    made = make_workspace(tmp_path / "work", clean[:6])
    run_filter(made, "--step", "detect")
    number = add_picture(made, Image.linear_gradient("L"))
    packages = tmp_path / "packages"
    install_crashing(packages)
    with made.catalogue.write() as connection:
        bad = connection.execute(sa.select(sa.func.min(face.c.id))).scalar_one()
        waits = sa.update(face).where(face.c.verdict.is_(None))
        connection.execute(waits.values(awaits="embed"))
        broken = sa.update(face).where(face.c.id == bad)
        connection.execute(broken.values(awaits="embed", x2=float("inf")))
        connection.execute(sa.update(image).values(awaits="crashing"))
    said = run_filter(made, "--engine", "ray", code=3, packages=str(packages))
    assert "Traceback" not in said
    for each in (f"face:{bad}", f"image:{number}"):
        assert f"icf why {each}" in said
    reasons = sa.select(image.c.reason).order_by(image.c.id)
    assert rows(made, reasons) == [("ok",)] * 6 + [("crashed",)]
    kinds = dict(rows(made, sa.select(face.c.id, face.c.reason)))
    assert kinds.pop(bad) == "step_failed"
    assert kinds
    assert "step_failed" not in kinds.values()


def test_a_cluster_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    made = make_workspace(tmp_path, site_files(1)[:1])
    where = ("--engine", "ray", "--ray-address", "127.0.0.1:1")
    said = run_filter(made, *where, code=1)
    assert "no Ray cluster answers at '127.0.0.1:1'" in said
    assert "Traceback" not in said


def test_a_cluster_that_wants_a_token_is_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setattr("ray.init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"127.0.0.1:{there.getsockname()[1]}"
        with pytest.raises(BrokenMachine, match=r"Failed to connect.*RAY_AUTH_MODE"):
            open_engine("ray", address=address)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WrongUse, match=r"icf-toolkit\[ray\]"):
        open_engine("ray")
