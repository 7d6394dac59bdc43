from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import click
import pytest

from icf.app.cli import COMMANDS, cli
from icf.app.command_reference import Listed, commands, programs
from icf.version import __version__
from icf.workspace import Workspace
from tests.app.program import BIN, call, program, within

ROOT = Path(__file__).parent.parent.parent

ALL = [each for name, made in programs().items() for each in commands(name, made)]


def script_names() -> list[str]:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options.entry_points"]["console_scripts"].strip().splitlines()
    return [line.partition("=")[0].strip() for line in lines]


def test_every_console_command_is_also_a_command_of_icf() -> None:
    assert sorted(programs()) == sorted(script_names())
    stages = {name.removeprefix("icf-") for name in script_names()} - {"icf"}
    assert stages < set(COMMANDS)


def test_every_console_command_is_installed() -> None:
    assert all((BIN / name).is_file() for name in script_names())


@pytest.mark.parametrize("listed", ALL, ids=lambda each: each.path)
def test_the_help_of_every_command_ends_with_an_example(listed: Listed) -> None:
    assert listed.example
    assert (listed.command.help or "").endswith(
        f"\n\n\b\nExample:\n    {listed.example}"
    )


@pytest.mark.parametrize("listed", ALL, ids=lambda each: each.path)
def test_an_example_runs_the_command_whose_help_shows_it(listed: Listed) -> None:
    words, path = listed.example.split(), listed.path.split()
    assert words[: len(path)] == path


@pytest.mark.parametrize("listed", ALL, ids=lambda each: each.path)
def test_every_command_takes_the_shared_options_and_explains_each_option(
    listed: Listed,
) -> None:
    options = [o for o in listed.command.params if isinstance(o, click.Option)]
    names = {name for option in options for name in option.opts}
    assert {"-C", "--set", "--json", "--quiet", "--verbose"} <= names
    assert all(option.help for option in options if not option.hidden)


PATHS = [
    pytest.param(option, id=f"{each.path} {option.name}")
    for each in ALL
    for option in each.command.params
    if isinstance(option.type, click.Path)
]


@pytest.mark.parametrize("option", PATHS)
def test_an_empty_path_is_never_the_current_folder(option: click.Parameter) -> None:
    with pytest.raises(click.BadParameter, match="the path is empty"):
        option.type.convert("", option, None)


def test_what_can_be_no_path_is_wrong_use(space: Workspace) -> None:
    (space.root / "loop").symlink_to("loop")
    words = "release", "revoke", "loop", "--reason", "x"
    done = within("icf", *words, folder=space.root, code=2)
    assert "loop' is no path: Too many levels of symbolic links" in done.stderr
    done = within("icf", "why", "a" * 300, folder=space.root, code=2)
    assert "a...' is no path: File name too long" in done.stderr


def test_a_folder_where_a_file_should_be_is_wrong_use(space: Workspace) -> None:
    (space.root / "file").mkdir()
    words = "filter", "review", "--sheet", "file"
    done = program("icf", *words, folder=space.root, code=2)
    assert done.stderr == "error: file is a folder; name a file\n"


def test_the_help_of_a_command_is_set_as_its_author_wrote_it() -> None:
    lines = call("init", "--help").stdout.splitlines()
    assert "  Make a workspace in DIR, or update an existing one." in lines
    assert "      icf init cartoons" in lines


def test_icf_lists_its_commands_in_the_order_of_the_work() -> None:
    shown = call("--help").stdout.partition("Commands:")[2]
    assert [line.split()[0] for line in shown.strip().splitlines()] == list(COMMANDS)


def test_a_stage_of_icf_is_the_console_command_itself() -> None:
    own = call("harvest", "run", "--help").stdout
    assert own.startswith("Usage: icf harvest run")
    console = program("icf-harvest", "run", "--help", folder=ROOT).stdout
    # The two assume different widths of the terminal, so lines may break elsewhere.
    assert own.split()[4:] == console.split()[3:]


def test_a_command_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = program("icf", "harvets", folder=tmp_path, code=2)
    assert "No such command 'harvets'" in done.stderr


def test_the_version_is_printed() -> None:
    assert call("--version").stdout == f"icf, version {__version__}\n"
    assert cli.name == "icf"


@pytest.mark.parametrize(
    "words",
    [
        "harvest reference page file/x.html",
        "harvest licences --csv file/x.csv",
        "filter review --sheet file/x.html",
        "report file/x.html",
        "embed faces.jsonl --out file/x.npy",
        "copy-catalogue sqlite:///file/x.db",
        "copy-catalogue sqlite:///nowhere/x.db",
    ],
)
def test_a_file_without_a_folder_for_it_is_wrong_use(
    space: Workspace, words: str
) -> None:
    (space.root / "file").touch()
    done = program("icf", *words.split(), folder=space.root, code=2)
    assert re.fullmatch(
        r"error: there is no folder .* to write x\.\w+ into\n", done.stderr
    )


def test_a_catalogue_without_a_folder_is_named(space: Workspace) -> None:
    url = "catalogue.url=sqlite:///nowhere/x.db"
    done = program("icf", "status", "--set", url, folder=space.root, code=1)
    assert f"There is no folder {space.root / 'nowhere'}" in done.stderr
