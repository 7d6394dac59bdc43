from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.app.cli import cli
from icf.app.doctor.machine import check_models
from icf.catalogue import ledger
from icf.catalogue.ledger import Decision
from icf.catalogue.schema import face, run
from icf.errors import IcfError
from icf.workspace import Workspace, find, init
from tests.app.doctor.damages import flip_a_bit
from tests.app.program import call, program, said
from tests.dataset.drawn import EMBEDDER

MACHINE = ["python", "processors", "onnxruntime", "faiss", "torch", "ray", "gpu"]
MODELS = ["detector", "embedder", "photo"]
STORES = ["pictures", "embeddings", "decisions", "crops", "hashes", "settings"]


def states(found: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["state"] for each in found["checks"]}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    init(tmp_path).catalogue.close()
    return tmp_path


def test_a_sound_workspace_on_a_sound_machine_passes_every_check(space: Path) -> None:
    found = said("-C", space, "doctor")
    names = [*MACHINE, *MODELS, "workspace", "catalogue", "writable", "free disk"]
    names += STORES
    assert [each["name"] for each in found["checks"]] == names
    assert "broken" not in states(found).values()
    revision = found["checks"][names.index("catalogue")]["found"]
    assert revision.startswith("sqlite, revision ")


def test_it_leaves_nothing_behind(space: Path) -> None:
    def names() -> set[str]:
        found = {each.name for each in space.iterdir()}
        return {name for name in found if not name.startswith("catalogue.sqlite-")}

    before = names()
    call("-C", space, "doctor")
    assert names() == before


def test_outside_a_workspace_it_checks_the_machine_and_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = said("doctor")
    assert [each["name"] for each in found["checks"]] == [
        *MACHINE,
        *MODELS,
        "workspace",
    ]
    assert found["checks"][-1]["state"] == "warning"
    assert "icf init" in found["checks"][-1]["found"]


@pytest.mark.slow
def test_a_catalogue_that_is_no_database_is_broken_and_the_exit_code_says_so(
    space: Path,
) -> None:
    (space / "catalogue.sqlite").write_bytes(
        b"no database at all, but a long text" * 99
    )
    for left in space.glob("catalogue.sqlite-*"):
        left.unlink()
    done = program("icf", "doctor", "--json", folder=space, code=1)
    found = json.loads(done.stdout)
    assert states(found)["catalogue"] == "broken"
    assert done.stderr == "error: broken: catalogue; see the table above\n"


@pytest.mark.slow
def test_settings_that_cannot_be_read_are_broken(space: Path) -> None:
    (space / "icf.toml").write_text("[filter]\nmin_fase = 3\n")
    done = program("icf", "doctor", "--json", folder=space, code=1)
    last = json.loads(done.stdout)["checks"][-1]
    assert (last["name"], last["state"]) == ("workspace", "broken")
    assert "filter.min_face" in last["found"]


def test_people_get_a_table(space: Path) -> None:
    lines = call("-C", space, "doctor").stdout.splitlines()
    assert lines[0].split() == ["check", "state", "found"]
    assert any(line.startswith("detector") for line in lines)


def test_a_model_that_does_not_match_its_card_is_broken(tmp_path: Path) -> None:
    flags = (f"filter.detector={tmp_path / 'none.onnx'}",)
    check = next(iter(check_models(init(tmp_path, flags))))
    assert (check.name, check.state) == ("detector", "broken")
    assert "none.json" in check.found


@pytest.mark.slow
def test_it_opens_no_model_and_imports_nothing_heavy(space: Path) -> None:
    words = (
        "import sys; from icf.app.cli import cli; "
        "cli(['doctor', '-q'], standalone_mode=False); "
        "heavy = 'torch', 'faiss', 'ray'; "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=space,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def drawn(drawn_space: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(drawn_space, tmp_path / "space")
    opened = find(tmp_path / "space")
    with opened.catalogue.write() as connection:
        # The drawing has a face of every reason.
        noise = sa.update(face).where(face.c.reason == "missing_blob")
        connection.execute(noise.values(reason="low_score"))
    yield opened
    opened.catalogue.close()


def broken(drawn: Workspace, *words: str) -> dict[str, tuple[str, str]]:
    """What is not as it should be, with its state."""
    done = call("-C", drawn.root, "doctor", "--json", *words)
    checks = json.loads(done.stdout)["checks"]
    return {
        each["name"]: (each["state"], each["found"])
        for each in checks
        if each["name"] in STORES and each["state"] != "ok"
    }


def blob(drawn: Workspace) -> Path:
    [first, *_] = sorted(
        path for path in (drawn.root / "blobs").rglob("*") if path.is_file()
    )
    return first


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, ()),
        (lambda path: path.write_bytes(b""), ()),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), ()),
        (flip_a_bit, ("--full",)),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), ("--full",)),
    ],
)
def test_a_lost_or_changed_picture_is_found(
    drawn: Workspace, damage: Callable[[Path], object], words: tuple[str, ...]
) -> None:
    assert broken(drawn, *words) == {}
    damage(blob(drawn))
    with pytest.raises(IcfError, match="broken: pictures; see the table above"):
        broken(drawn, *words)
    shown = invoke_anyhow("-C", drawn.root, "doctor", *words)
    assert "1 are missing or have changed: `icf doctor --repair`" in shown


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        flip_a_bit,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
    ],
)
def test_lost_or_changed_embeddings_are_found(
    drawn: Workspace, damage: Callable[[Path], object]
) -> None:
    [shard] = (drawn.root / "vectors" / EMBEDDER).glob("*.checked")
    damage(shard)
    with pytest.raises(IcfError, match="broken: embeddings; see the table above"):
        broken(drawn)


def test_edited_settings_are_found(drawn: Workspace) -> None:
    drawn.begin_run("icf-filter run")
    with drawn.catalogue.write() as connection:
        key = connection.execute(sa.select(sa.func.max(run.c.id))).scalar_one()
        made = Decision("face", 1, "size", "pending", "ok", 100.0, 80.0)
        ledger.append(connection, key, [made])
    with (drawn.root / "icf.toml").open("a") as file:
        file.write("\n[filter]\nmin_face = 30\n")
    state, found = broken(drawn)["settings"]
    assert state == "warning"
    assert "filter.min_face is 30" in found
    assert "icf-filter rethreshold" in found


def test_a_catalogue_of_a_newer_version_is_said_to_be_that(drawn: Workspace) -> None:
    with drawn.catalogue.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    shown = invoke_anyhow("-C", drawn.root, "doctor")
    assert "a newer version of icf wrote it" in " ".join(shown.split())


def invoke_anyhow(*words: object) -> str:
    """What a command prints, also where it fails."""
    done = CliRunner().invoke(cli, [str(word) for word in words])
    return done.output
