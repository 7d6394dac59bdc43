"""What all commands share: options, output, exit codes."""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Group

from icf import command
from icf.command import Invocation, pass_invocation, shared_options, table
from icf.errors import (
    BadInput,
    BadModel,
    BrokenMachine,
    IcfError,
    SomeFailed,
    WrongUse,
)
from icf.workspace import init

cli = command.group("icf-test", "A program for tests.")


@cli.command("look")
@shared_options
@pass_invocation
def look(invocation: Invocation) -> None:
    """Print where the workspace is, and one setting."""
    invocation.say("looking")
    made = invocation.workspace
    result = {"root": str(made.root), "min_face": made.settings.filter.min_face}
    invocation.emit(result, lambda: f"at {made.root}")


HOSTILE = "Luna\x1b]0;owned\x1b[2J\u202eevil [red]\udcff[/]"
SHOWN = r"Luna\x1b]0;owned\x1b[2J\u202eevil [red]\udcff[/]"


@cli.command("show")
@shared_options
@pass_invocation
def show(invocation: Invocation) -> None:
    """Print a name from the world through every door."""
    invocation.say(HOSTILE)
    invocation.say(table(("name",), [(HOSTILE,)]))
    logging.getLogger("icf.test").warning("%s", HOSTILE)
    invocation.emit({}, lambda: Group(HOSTILE, table(("name",), [(HOSTILE,)])))
    raise BadInput(HOSTILE)


@cli.command("count")
@shared_options
@click.option("--share", type=click.FloatRange(0, 1), default=0.5)
@click.option("--seed", type=int, default=1)
@click.option("--name", type=command.NAME, default="Ann")
@click.argument("ids", type=int, nargs=-1)
@pass_invocation
def count(
    invocation: Invocation, share: float, seed: int, name: str, ids: tuple[int, ...]
) -> None:
    """Take numbers."""
    invocation.emit({"share": share, "seed": seed, "name": name, "ids": ids}, str)


@cli.command("import")
def import_() -> None:
    """Be interrupted while a library is imported."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise ImportError("cannot import multiarray") from error


@cli.command("write")
@click.argument("name")
def write(name: str) -> None:
    """Write a name as a database does."""
    name.encode("utf-8")
    "of another place \udcfe".encode("utf-8")


@cli.command("fail")
@click.argument("name")
def fail(name: str) -> None:
    """Raise an error by its name."""
    raise ERRORS[name]


ERRORS: dict[str, BaseException] = {
    "icf": IcfError("it failed"),
    "wrong-use": WrongUse("it failed"),
    "bad-input": BadInput("it failed"),
    "bad-model": BadModel("it failed"),
    "broken-machine": BrokenMachine("it failed"),
    "some-failed": SomeFailed("it failed"),
    "interrupted": KeyboardInterrupt(),
    "full-disk": OSError(errno.ENOSPC, "it failed", "vectors/1.rows"),
}


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the program; return its exit code."""
    monkeypatch.setattr("sys.argv", ["icf-test", *words])
    with pytest.raises(SystemExit) as caught:
        command.run(cli)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("icf", 1),
        ("wrong-use", 2),
        ("bad-input", 1),
        ("bad-model", 1),
        ("broken-machine", 1),
        ("some-failed", 3),
        ("interrupted", 130),
        ("full-disk", 1),
    ],
)
def test_an_error_is_a_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    code: int,
) -> None:
    assert run(monkeypatch, "fail", name) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert ("it failed" in err) or "run the same command again" in err


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_that_ends_with_a_code_gives_it_to_the_shell(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    @click.command()
    def ends() -> None:
        raise click.exceptions.Exit(code)

    monkeypatch.setattr(sys, "argv", ["ends"])
    with pytest.raises(SystemExit) as ended:
        command.run(ends)
    assert ended.value.code == code


@pytest.mark.parametrize(("given", "used"), [(None, "4"), ("26", "26")])
def test_threads_that_multiply_matrices_do_not_wait_at_work(
    given: str | None, used: str
) -> None:
    # In a process of its own: NumPy reads it once, when it is imported.
    name = "OPENBLAS_THREAD_TIMEOUT"
    program = (
        "import os, sys, click\n"
        "from icf import command\n"
        "@click.command()\n"
        "def show():\n"
        f"    print('numpy' in sys.modules, os.environ.get({name!r}))\n"
        "command.run(show)"
    )
    others = {key: value for key, value in os.environ.items() if key != name}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=others | ({name: given} if given else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", used]


def test_names_from_the_world_never_command_the_terminal() -> None:
    """In a process of its own, because pytest takes the log."""
    program = f"import {__name__} as here; here.command.run(here.cli)"
    done = subprocess.run(
        [sys.executable, "-c", program, "show"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", "PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == 1
    assert done.stdout.count(SHOWN) == 2
    assert done.stderr.count(SHOWN) == 4
    said = done.stdout + done.stderr
    assert not {"\x1b", "\u202e"} & set(said)


def test_a_bad_word_on_the_line_is_shown_harmless(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "no-such\x1b[2J") == 2
    assert "\x1b" not in capsys.readouterr().err


def test_an_interrupt_inside_an_import_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "import") == 130
    assert capsys.readouterr().err.startswith("interrupted;")


def test_a_disk_that_refuses_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "fail", "full-disk") == 1
    said = capsys.readouterr().err
    assert "vectors/1.rows" in said
    assert "; free some space on its disk: " in said
    assert "run the same command again" in said


@pytest.mark.parametrize("place", ["", "below", "far/below"])
def test_a_file_where_a_folder_should_be_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    place: str,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((NotADirectoryError, FileExistsError)) as caught:
        (tmp_path / "file" / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.setitem(ERRORS, "no-folder", caught.value)
    assert run(monkeypatch, "fail", "no-folder") == 2
    said = capsys.readouterr().err
    assert said == (
        f"error: {tmp_path / 'file'} is a file and no folder; name another place\n"
    )


@pytest.mark.parametrize(
    "words",
    [("no-such-command",), ("look", "--no-such-option"), ("look", "-C", "/no/such")],
)
def test_a_line_that_cannot_be_read_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    assert run(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error" in err


@pytest.mark.parametrize("options_first", [True, False])
def test_options_stand_before_or_after_the_command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options_first: bool,
) -> None:
    init(tmp_path)
    options = ["-C", str(tmp_path), "--json", "--set", "filter.min_face=60"]
    words = [*options, "look"] if options_first else ["look", *options]
    assert run(monkeypatch, *words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"root": str(tmp_path.resolve()), "min_face": 60}
    assert err == "looking\n"


def test_data_goes_to_stdout_and_quiet_silences_the_rest(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    init(tmp_path)
    assert run(monkeypatch, "look", "--quiet", "-C", str(tmp_path)) == 0
    out, err = capsys.readouterr()
    assert out == f"at {tmp_path.resolve()}\n"
    assert err == ""


def test_there_is_no_progress_bar_without_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Invocation().progress("detect", 10) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "of"), [(20_000, " of 20,000"), (None, "")])
def test_without_a_terminal_a_long_run_says_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    total: int | None,
    of: str,
) -> None:
    seconds = iter([0.0, 30.0, 61.0, 90.0, 130.0])
    monkeypatch.setattr("icf.terminal.monotonic", lambda: next(seconds))
    with Invocation().progress("detect", total) as advance:
        for _ in range(4):
            advance(1500)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [f"detect: 3,000{of}", f"detect: 6,000{of}"]


def test_quiet_says_no_line_of_a_long_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = itertools.count(0.0, 100.0)
    monkeypatch.setattr("icf.terminal.monotonic", lambda: next(seconds))
    with Invocation(quiet=True).progress("detect", None) as advance:
        advance(1)
        advance(1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--share", "nan"), "'--share': nan is not a finite number"),
        (("--seed", str(2**63)), f"'--seed': {2**63} has more than 64 bits"),
        (("1", str(10**30)), "has more than 64 bits"),
        (("--name", " \u200b "), "'--name': a name has 1 to 500 characters"),
        (("--name", "a" * 501), "'--name': a name has 1 to 500 characters"),
    ],
)
def test_what_no_file_or_database_can_hold_is_refused_on_the_line(
    words: tuple[str, ...], named: str
) -> None:
    done = CliRunner().invoke(cli, ["count", *words])
    assert done.exit_code == 2
    assert named in done.stderr


def test_the_largest_numbers_are_taken() -> None:
    words = ["count", "--seed", str(2**63 - 1), "--share", "1", "--json"]
    done = CliRunner().invoke(cli, words)
    assert json.loads(done.stdout)["seed"] == 2**63 - 1


def test_an_argument_that_is_not_utf_8_is_wrong_use_where_it_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "write", "w\udcff9") == 2
    assert capsys.readouterr().err == "error: w\\udcff9 is not UTF-8\n"
    monkeypatch.setattr("sys.argv", ["icf-test", "write", "ö"])
    with pytest.raises(UnicodeEncodeError):
        command.run(cli)
