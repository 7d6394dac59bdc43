"""`--engine ray`: the very same steps on a real Ray, and the very same rows."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from icf.app.demo.site.truth import Noise, TrueFile
from icf.catalogue.schema import face, image
from icf.engine.engine import open_engine
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import Workspace, find
from tests.app.program import within
from tests.filter.plugin_package import add_picture, install_crashing
from tests.filter.workspaces import (
    add_files,
    make_workspace,
    outcome_of,
    rows,
    site_files,
)
from tests.filter.workspaces import run_filter as run_steps_here

pytest.importorskip("ray", reason="needs the extra `ray`")

ENGINES = ("local", "ray")
#: Pictures of the site that have no colour.
GREY = {"Mister_Billington_04.jpg", "Mister_Billington_14.jpg"}


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


@dataclass(frozen=True)
class Bad:
    """What breaks a step or a decoder.

    Attributes:
        face_id: a face without an end, which nothing can cut out.
        image_id: a grey picture, which crashes the step `crashing`.
        others: pictures that are taken up with it.
    """

    face_id: int
    image_id: int
    others: Sequence[int]


def add_bad(made: Workspace) -> Bad:
    """Add both to pictures whose faces are found; these wait for `crashing` then."""
    first = sa.select(sa.func.min(face.c.id))
    with made.catalogue.write() as connection:
        others = connection.execute(sa.select(image.c.id)).scalars().all()
        bad = connection.execute(first).scalar_one()
        waits = sa.update(face).where(face.c.verdict.is_(None))
        connection.execute(waits.values(awaits="embed"))
        broken = sa.update(face).where(face.c.id == bad)
        connection.execute(broken.values(awaits="embed", x2=float("inf")))
    number = add_picture(made, Image.linear_gradient("L"))
    with made.catalogue.write() as connection:
        connection.execute(sa.update(image).values(awaits="crashing"))
    return Bad(bad, number, others)


@dataclass(frozen=True)
class Filtered:
    """The same pictures, some of them bad, after each engine.

    Attributes:
        bad: what is bad.
        made: the workspace that each left.
        said: what it said.
    """

    bad: Bad
    made: Mapping[str, Workspace]
    said: Mapping[str, str]


def is_other(file: TrueFile) -> bool:
    """Whether a file is of another character alone, or not clean; in colour."""
    mine = file.noise is not Noise.CLEAN or file.filed_under == ("Mister Billington",)
    return mine and file.name not in GREY


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Filtered:
    """Have each engine filter the same."""
    root = tmp_path_factory.mktemp("engines")
    clean = [each for each in site_files(1) if each.noise is Noise.CLEAN]
    begun = make_workspace(root / "begun", clean[:6])
    run_steps_here(begun, "detect")
    bad = add_bad(begun)
    add_files(begun, [each for each in site_files(2) if is_other(each)])
    install_crashing(root / "packages")
    made, said = {}, {}
    for name in ENGINES:
        made[name] = find(shutil.copytree(begun.root, root / name))
        said[name] = run_filter(
            made[name], "--engine", name, code=3, packages=str(root / "packages")
        )
    return Filtered(bad, made, said)


@pytest.mark.parametrize("what", ["images", "faces", "decisions", "references"])
def test_both_engines_leave_the_same_rows(filtered: Filtered, what: str) -> None:
    local, ray = (outcome_of(filtered.made[name])[what] for name in ENGINES)
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


def test_both_engines_leave_the_same_vectors(filtered: Filtered) -> None:
    local, ray = (vectors(filtered.made[name]) for name in ENGINES)
    assert local.keys() == ray.keys()
    for name, vector in local.items():
        assert np.array_equal(vector, ray[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_what_breaks_a_step_or_a_decoder_stops_nothing_and_is_named(
    filtered: Filtered, engine: str
) -> None:
    bad, made, said = filtered.bad, filtered.made[engine], filtered.said[engine]
    assert "Traceback" not in said
    for each in (f"face:{bad.face_id}", f"image:{bad.image_id}"):
        assert f"icf why {each}" in said
    reasons = dict(rows(made, sa.select(image.c.id, image.c.reason)))
    assert reasons.pop(bad.image_id) == "crashed"
    assert {reasons[each] for each in bad.others} == {"ok"}
    assert "crashed" not in reasons.values()
    kinds = dict(rows(made, sa.select(face.c.id, face.c.reason)))
    assert kinds.pop(bad.face_id) == "step_failed"
    assert kinds
    assert "step_failed" not in kinds.values()


def test_a_cluster_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    made = make_workspace(tmp_path, site_files(1)[:1])
    where = ("--engine", "ray", "--ray-address", "127.0.0.1:1")
    done = within("icf-filter", "run", *where, folder=made.root, code=1)
    assert "no Ray cluster answers at '127.0.0.1:1'" in done.stderr


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
