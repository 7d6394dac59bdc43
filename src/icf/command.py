"""What all commands share: options, output, errors as exit codes.

stdout is data, stderr is for people. Every command takes ``-C DIR``, ``--set``,
``--json``, ``-q`` and ``-v``, before or after its subcommand.

Starts are quick because heavy libraries are imported where they are used: this module
imports click alone, and a `LazyGroup` imports only the command that is run.
``tests/app/test_starts.py`` holds which modules a start may load.
"""

from __future__ import annotations

import errno
import functools
import inspect
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import click
from click.core import ParameterSource

from icf.errors import IcfError, WrongUse
from icf.names import LONGEST_NAME, normal_name
from icf.terminal import (
    Printable,
    ProgressLines,
    console,
    is_terminal,
    log_to_stderr,
    printable,
    take_any_text,
)
from icf.text_file import UNREADABLE
from icf.version import __version__

if TYPE_CHECKING:
    from rich.table import Table

    from icf.workspace import Workspace

#: Integers of databases and files are under this.
_WHOLE = 2**63
#: Characters of a name that is too long to be one.
_LONGEST_SHOWN = 80

F = TypeVar("F", bound=Callable[..., Any])


class _Name(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A name of the catalogue, in the form in which names are stored."""

    name = "name"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return the normal form; an empty name, or one too long, is an error."""
        name = normal_name(value)
        if not 0 < len(name) <= LONGEST_NAME:
            self.fail(f"a name has 1 to {LONGEST_NAME} characters", param, ctx)
        return name


NAME = _Name()


class GivenPath(click.Path):
    """A path. An empty one, as of a variable that is not set, is an error.

    `Path` takes it for the current folder.
    """

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True
    ) -> None:
        super().__init__(exists, file_okay, dir_okay, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Return the path; an empty one is an error, and a link to itself."""
        if value == "":
            self.fail("the path is empty; this folder is called '.'", param, ctx)
        try:
            Path(value).stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                self.fail(f"{value!r} is no path: {error.strerror}", param, ctx)
        return super().convert(value, param, ctx)


@dataclass
class Invocation:
    """What the shared options of one command line ask for."""

    directory: Path | None = None
    settings: tuple[str, ...] = ()
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    _workspace: Workspace | None = field(default=None, repr=False)

    @property
    def workspace(self) -> Workspace:
        """The workspace of this command; opened once."""
        if self._workspace is None:
            from icf.workspace import find

            self._workspace = find(self.directory or Path.cwd(), self.settings)
        return self._workspace

    def say(self, message: str | Table) -> None:
        """Print something for people: on stderr, and nothing with ``--quiet``."""
        if self.quiet:
            return
        if isinstance(message, str):
            click.echo(printable(message), err=True)
        else:
            console(stderr=True).print(Printable(message))

    def say_if_empty(self) -> None:
        """Say what comes first, in a workspace into which nothing was harvested."""
        from icf.next_step import HARVEST, is_empty

        with self.workspace.catalogue.read() as connection:
            if is_empty(connection):
                self.say(HARVEST)

    def say_next_step(self) -> None:
        """Say which command continues the work."""
        from icf.next_step import next_step

        with self.workspace.catalogue.read() as connection:
            self.say(next_step(connection))

    def emit(
        self, value: Mapping[str, Any] | Sequence[Any], render: Callable[[], Any]
    ) -> None:
        """Print the result: ``value`` as JSON, or what ``render`` makes for people."""
        if self.json:
            click.echo(json.dumps(value))
            return
        rendered = render()
        if isinstance(rendered, str):
            click.echo(printable(rendered))
        else:
            console(stderr=False).print(Printable(rendered))

    @contextmanager
    def progress(
        self, title: str, total: int | None
    ) -> Iterator[Callable[[int], None]]:
        """A bar on stderr while the block runs; without a terminal a line a minute."""
        if self.quiet or not is_terminal(sys.stderr):
            yield ProgressLines(self.say, title, total).advance
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console(stderr=True),
            transient=True,
        )
        with bar:
            task = bar.add_task(title, total=total)
            yield lambda advance: bar.update(task, advance=advance)


_pass = click.make_pass_decorator(Invocation, ensure=True)


def pass_invocation(function: F) -> F:
    """Pass the `Invocation` to a command, once the numbers of its line were checked."""

    @functools.wraps(function)
    def checked(invocation: Invocation, /, *values: Any, **named: Any) -> Any:
        for name, value in named.items():
            for each in value if isinstance(value, tuple) else (value,):
                _check_number(name, each)
        return function(invocation, *values, **named)

    return cast(F, _pass(checked))


def _check_number(name: str, value: object) -> None:
    """Refuse what click's ranges let through: NaN, infinity, and over 64 bits."""
    if isinstance(value, float) and not math.isfinite(value):
        wrong = f"{value} is not a finite number"
    elif isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        wrong = f"{value} has more than 64 bits"
    else:
        return
    context = click.get_current_context()
    found = (each for each in context.command.params if each.name == name)
    raise click.BadParameter(wrong, context, next(found, None))


def refuse_options(why: str, *names: str) -> None:
    """Refuse options and arguments that would have no effect, if they were given.

    Args:
        why: they would have none, such as "it is for --show".
        names: of the parameters of the running command.

    Raises:
        WrongUse: one was given on the command line; the message names it.
    """
    context = click.get_current_context()
    for each in context.command.params:
        given = context.get_parameter_source(each.name or "")
        if each.name in names and given is ParameterSource.COMMANDLINE:
            shown = each.opts[0] if isinstance(each, click.Option) else each.metavar
            raise WrongUse(f"{shown}: {why}; leave it out")


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Store an option in the `Invocation`, wherever on the line it was given."""

    def callback(context: click.Context, _option: click.Parameter, value: Any) -> None:
        if value:
            invocation = context.ensure_object(Invocation)
            if name == "settings":
                value = invocation.settings + tuple(value)
            setattr(invocation, name, value)

    return callback


_OPTIONS = (
    click.option(
        "-C",
        "directory",
        metavar="DIR",
        type=GivenPath(file_okay=False, exists=True),
        help="Work in the workspace that DIR is in.",
        expose_value=False,
        callback=_remember("directory"),
    ),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Change a setting for this run, such as filter.min_face=80.",
        expose_value=False,
        callback=_remember("settings"),
    ),
    click.option(
        "--json",
        is_flag=True,
        help="Print the result as JSON.",
        expose_value=False,
        callback=_remember("json"),
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        help="Print nothing but the result and errors.",
        expose_value=False,
        callback=_remember("quiet"),
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Print more; show the traceback of an error.",
        expose_value=False,
        callback=_remember("verbose"),
    ),
)


def shared_options(command: F) -> F:
    """Give a click command or group the options that every command takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Subcommand:
    """A command of a `LazyGroup`.

    Attributes:
        where: ``module:attribute``, or a function that makes the command.
        summary: what the group's help says of it.
    """

    where: str | Callable[[], click.Command]
    summary: str

    def load(self) -> click.Command:
        """Import the command."""
        if not isinstance(self.where, str):
            return self.where()
        module, _, attribute = self.where.partition(":")
        found: object = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run.

    Its help lists them, in the order of the table, without importing any.
    """

    subcommands: Mapping[str, Subcommand] = {}

    def list_commands(self, context: click.Context) -> list[str]:
        """Names of all commands."""
        return [*self.subcommands, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name in self.subcommands:
            return self.subcommands[name].load()
        return super().get_command(context, name)

    def format_commands(
        self, context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        rows = [(name, each.summary) for name, each in self.subcommands.items()]
        rows += [
            (name, each.get_short_help_str(limit=88))
            for name, each in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def group(
    name: str, help: str, subcommands: Mapping[str, Subcommand] | None = None
) -> LazyGroup:
    """Make a group of commands with the shared options and ``--version``.

    >>> where = "icf.app.status:status"
    >>> group("icf-toys", "Play.", {"status": Subcommand(where, "Count.")}).name
    'icf-toys'
    """

    @click.command(
        name, help=help, cls=LazyGroup, context_settings={"max_content_width": 88}
    )
    @click.version_option(__version__, prog_name=name)
    @shared_options
    def made() -> None:
        pass

    assert isinstance(made, LazyGroup)
    made.subcommands = subcommands or {}
    return made


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table for people; numbers are right-aligned."""
    from icf.plain_table import PlainTable

    drawn = PlainTable()
    for index, title in enumerate(columns):
        numeric = bool(rows) and all(isinstance(r[index], int | float) for r in rows)
        drawn.add_column(title, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row))
    return drawn


def counts_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A plain table whose column ``count`` holds numbers that are formatted already."""
    drawn = table(columns, rows)
    drawn.columns[columns.index("count")].justify = "right"
    return drawn


def example(text: str) -> Callable[[F], F]:
    """End a command's help with an example, which a test runs.

    Goes under ``@command(...)``, next to the function. The line must be a command that
    works in the workspace which `tests/app/test_examples.py` prepares.
    """

    def decorate(function: F) -> F:
        shown = f"\n\n\b\nExample:\n    {text}"
        function.__doc__ = inspect.cleandoc(function.__doc__ or "") + shown
        function.icf_example = text  # type: ignore[attr-defined]
        return function

    return decorate


def run(command: click.Command) -> NoReturn:
    """Run ``command`` as the program: errors become messages and exit codes.

    0 done, 1 failed, 2 wrong use, 3 done but some items failed, 130 interrupted.
    """
    # After each product of matrices OpenBLAS's threads wait 25 ms for another, and keep
    # all processors busy. So they sleep at once. It is read when NumPy is imported.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    invocation = Invocation()
    take_any_text(sys.stdout)
    take_any_text(sys.stderr)
    try:
        log_to_stderr("-v" in sys.argv or "--verbose" in sys.argv)
        # Of a command that ends with `click.exceptions.Exit` it returns the code.
        returned = command.main(obj=invocation, standalone_mode=False)
        code = returned if isinstance(returned, int) else 0
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(printable(shown.getvalue()), err=True, nl=False)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = _say_interrupted()
    except IcfError as error:
        _show_origin(invocation)
        click.echo(printable(f"error: {error}"), err=True)
        code = error.exit_code
    except BrokenPipeError:
        code = 141
    except OSError as error:
        # A full disk or a folder that may not be written is no fault of the program.
        _show_origin(invocation)
        said, code = _refused(error)
        click.echo(printable(f"error: {said}"), err=True)
    except UnicodeEncodeError:
        # What is not UTF-8 of an argument stands in it as half a character.
        bad = [each for each in sys.argv[1:] if UNREADABLE.search(each)]
        if not bad:
            raise
        _show_origin(invocation)
        click.echo(printable(f"error: {bad[0]} is not UTF-8"), err=True)
        code = WrongUse.exit_code
    except Exception as error:
        # A library that is interrupted while it is imported may say it in another way.
        if not _is_of_interrupt(error):
            raise
        code = _say_interrupted()
    sys.exit(code)


def _refused(error: OSError) -> tuple[str, int]:
    """Say what the machine refused, and return the exit code."""
    from icf.stores.files import check_place_of_folder

    if error.errno == errno.ENAMETOOLONG:
        given = os.fsdecode(error.filename or "")
        return f"'{given[:_LONGEST_SHOWN]}...' is no path: {error.strerror}", 2
    # Of two names, as of a link, the first is meant to be a file.
    name = None if error.filename2 else error.filename
    if isinstance(error, NotADirectoryError | FileExistsError) and name:
        try:
            check_place_of_folder(Path(os.fsdecode(name)))
        except WrongUse as wrong:
            return str(wrong), wrong.exit_code
    advice = "what was done before is kept; run the same command again"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = f"free some space on its disk: {advice}"
    return f"the machine refused: {error}; {advice}", 1


def _say_interrupted() -> int:
    click.echo("interrupted; run the same command again to continue", err=True)
    return 130


def _is_of_interrupt(error: BaseException | None) -> bool:
    """Whether an error came from Ctrl-C."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _show_origin(invocation: Invocation) -> None:
    """Print the traceback of the current error, with ``--verbose``."""
    if invocation.verbose:
        console(stderr=True).print_exception()
