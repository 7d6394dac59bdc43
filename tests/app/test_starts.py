"""Which modules the start of a command may load: a start must not be slow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from icf.app.cli import COMMANDS
from icf.app.command_reference import groups
from icf.command import Subcommand
from icf.workspace import init
from tests.app.program import BIN
from tests.app.test_cli import script_names

#: Libraries that take long to import, and that printing a help text does not need.
HEAVY = {
    *("PIL", "aiohttp", "alembic", "av", "cv2", "faiss", "fsspec", "jinja2", "numpy"),
    *("onnxruntime", "pyarrow", "pydantic", "requests", "rich", "safetensors"),
    *("scrapy", "sqlalchemy", "torch", "twisted"),
}


def loaded(folder: Path, program: str, *words: str) -> set[str]:
    """The heavy libraries that one run of a program imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", BIN / program, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if "import time:" in line]
    assert len(lines) > 50
    return HEAVY & {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("program", script_names())
def test_help_and_version_load_nothing_heavy(
    program: str, option: str, tmp_path: Path
) -> None:
    assert loaded(tmp_path, program, option) == set()


@pytest.mark.parametrize(
    "words", ["icf status", "icf-annotate status", "icf-harvest status"]
)
def test_a_status_loads_what_reads_and_prints_it(words: str, tmp_path: Path) -> None:
    init(tmp_path).catalogue.close()
    assert loaded(tmp_path, *words.split()) == {"pydantic", "rich", "sqlalchemy"}


def test_the_status_of_the_filter_loads_no_library_of_training_or_fetching(
    tmp_path: Path,
) -> None:
    init(tmp_path).catalogue.close()
    found = loaded(tmp_path, "icf-filter", "status")
    heavy = {"aiohttp", "faiss", "fsspec", "onnxruntime", "pyarrow", "scrapy", "torch"}
    assert not found & heavy


#: What a worker process does before its first picture, for each step that has workers.
OPENED = """
import sys
from pathlib import Path
import icf.engine.worker
from icf.app.importing.measure import Measure
from icf.filter.steps.detect import Detect
from icf.filter.steps.embed import Embed
from icf.stores.blobs import BlobStore
BlobStore("b")
for step in (Detect("b", 0.5, 1), Embed("b", Path("v"), 1), Measure("b", 1)):
    step.open()
print(*sys.modules)
"""


def test_a_worker_process_loads_what_decodes_and_runs_models() -> None:
    words = [sys.executable, "-c", OPENED]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == {"PIL", "cv2", "numpy", "onnxruntime"}


SUBCOMMANDS = [
    (f"{group} {name}", name, each)
    for group, made in groups().items()
    for name, each in made.subcommands.items()
]


@pytest.mark.parametrize(
    ("name", "each"),
    [(name, each) for _, name, each in SUBCOMMANDS],
    ids=[path for path, _, _ in SUBCOMMANDS],
)
def test_the_line_of_a_command_in_a_help_text_leads_to_that_command(
    name: str, each: Subcommand
) -> None:
    command = each.load()
    assert command.name in (name, f"icf-{name}")
    assert each.summary.endswith(".")
    assert "\n" not in each.summary


def test_every_group_is_lazy() -> None:
    not_lazy = {name for name, made in groups().items() if not made.subcommands}
    assert not_lazy == set()
    assert len(SUBCOMMANDS) > len(COMMANDS)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
@pytest.mark.parametrize("words", ["init made", "-C . status"])
def test_commands_run_with_a_standard_stream_that_is_closed(
    words: str, closed: str, tmp_path: Path
) -> None:
    init(tmp_path).catalogue.close()
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" {words} {closed}', BIN / "icf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "ネコ"), ("latin-1", r"\u30cd\u30b3"), ("shift_jis", "ネコ")],
)
def test_names_are_printed_in_whatever_encoding_the_output_has(
    encoding: str, shown: str, tmp_path: Path
) -> None:
    init(tmp_path).catalogue.close()
    done = subprocess.run(
        [BIN / "icf", "config", "show", "--set", "harvest.contact=ネコ"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout.decode("utf-8" if encoding == "ascii" else encoding)
