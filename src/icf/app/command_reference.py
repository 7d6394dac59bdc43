"""Write docs/commands.md from the commands themselves.

Run ``python -m icf.app.command_reference docs/commands.md`` after a change to any
command; a test keeps the page equal to what this makes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from icf.app.cli import COMMANDS, cli
from icf.command import LazyGroup, shared_options
from icf.stores.files import replace_file

_HEAD = """\
# Commands

Made by `python -m icf.app.command_reference docs/commands.md`; do not edit.

stdout is data, stderr is for people. Every command ends with an exit code:

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed; the last line on stderr says why and what to do |
| 2 | wrong use: an unknown option, setting, workspace or name |
| 3 | done, but some items failed; the message says where to see them |
| 130 | interrupted; the same command goes on |
"""


@dataclass(frozen=True)
class Listed:
    """A command, and how it is typed: ``icf-harvest run``."""

    path: str
    command: click.Command

    @property
    def example(self) -> str:
        """Its example, from `icf.command.example`; empty if it has none."""
        return str(getattr(self.command.callback, "icf_example", ""))


def programs() -> dict[str, click.Command]:
    """Every console command by its name: ``icf`` first, then the stages'."""
    context = click.Context(cli)
    found: dict[str, click.Command] = {"icf": cli}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if (command.name or "").startswith("icf-"):
            found[str(command.name)] = command
    return found


def groups() -> dict[str, LazyGroup]:
    """The console commands that have commands below them."""
    return {
        name: made for name, made in programs().items() if isinstance(made, LazyGroup)
    }


def commands(program: str, command: click.Command) -> Iterator[Listed]:
    """The commands below ``command``; for `icf` without those of the stages."""
    if not isinstance(command, click.Group):
        yield Listed(program, command)
        return
    if command.invoke_without_command:
        yield Listed(program, command)
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        if not (below.name or "").startswith("icf-"):
            yield from commands(f"{program} {name}", below)


def reference() -> str:
    """The text of docs/commands.md."""
    parts = [_HEAD, "Options of every command:\n", _table(_shared())]
    for name, command in programs().items():
        parts.append(f"## {name}\n")
        if isinstance(command, click.Group) and not command.invoke_without_command:
            parts.append(_words(command))
        stage = name.removeprefix("icf-")
        if stage in COMMANDS:
            parts.append(f"The same as `icf {stage}`.\n")
        single = not isinstance(command, click.Group)
        for each in commands(name, command):
            parts += described(each, heading=not single)
    return "\n".join(parts)


def described(listed: Listed, *, heading: bool) -> Iterator[str]:
    """The parts of one command's description, with or without a heading."""
    if heading:
        yield f"### {listed.path}\n"
    yield f"    {_usage(listed)}\n"
    yield _words(listed.command)
    known = {name for option in _shared() for name in option.opts}
    own = [
        each
        for each in listed.command.params
        if isinstance(each, click.Option)
        and not known & set(each.opts)
        and each.name != "version"
    ]
    if own:
        yield _table(own)
    yield f"Example:\n\n    {listed.example}\n"


def _usage(listed: Listed) -> str:
    words = [listed.path]
    for each in listed.command.params:
        if isinstance(each, click.Argument):
            shown = each.metavar or (each.name or "").upper()
            words.append(shown if each.required else f"[{shown}]")
        elif isinstance(each, click.Option) and each.required:
            words.append(_option(each))
    return " ".join([*words, "[OPTIONS]"])


def _words(command: click.Command) -> str:
    """The help without its example, unwrapped into paragraphs."""
    text = inspect.cleandoc(command.help or "").partition("\n\n\b\nExample:")[0]
    paragraphs = text.replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs) + "\n"


def _option(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    if isinstance(option.type, click.Choice):
        value = "|".join(str(each) for each in option.type.choices)
    else:
        kind = option.type.name.removesuffix(" range")
        value = option.metavar or kind.upper().replace(" ", "_")
    return f"{names} {value}"


def _table(options: list[click.Option]) -> str:
    lines = ["| option | meaning |", "| --- | --- |"]
    for each in options:
        meaning = each.help or ""
        if each.show_default and not each.is_flag:
            meaning += f" Default: {each.default}."
        if each.multiple and "repeated" not in meaning:
            meaning += " May be repeated."
        if each.required:
            meaning += " Required."
        name = _option(each).replace("|", r"\|")
        lines.append(f"| `{name}` | {meaning} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def _shared() -> list[click.Option]:
    @click.command()
    @shared_options
    def nothing() -> None:
        pass

    return [each for each in nothing.params if isinstance(each, click.Option)]


def main() -> None:
    """Write the page to the file that is named, or print it."""
    text = reference()
    if len(sys.argv) > 1:
        replace_file(Path(sys.argv[1]), [text.encode()])
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
