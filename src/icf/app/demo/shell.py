"""Runs commands for the demo, as a user types them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from icf.app.die_with_parent import die_with_parent
from icf.command import Invocation
from icf.errors import IcfError

#: 3 is "done, but some items failed": in the demo some are meant to.
EXPECTED = (0, 3)

#: Characters of a line that is shown to people.
LONGEST_LINE = 400


def shortened(text: str) -> str:
    """The lines of a text, the end of very long ones left out.

    >>> shortened("x" * 405)[-23:]
    'xxxx … (405 characters)'
    """
    return "\n".join(
        f"{line[:LONGEST_LINE]} … ({len(line):,} characters)"
        if len(line) > LONGEST_LINE
        else line
        for line in text.split("\n")
    )


@dataclass(frozen=True)
class Shell:
    """Runs commands in the demo's workspace, each printed before it runs."""

    invocation: Invocation
    root: Path

    def run(
        self,
        *words: str,
        folder: Path | None = None,
        capture: bool = False,
        codes: Collection[int] = EXPECTED,
    ) -> str:
        """Run a console command of this installation; return stdout if captured.

        Args:
            words: the command line.
            folder: where to run it; None: in the workspace.
            capture: whether its output is the result.
            codes: exit codes with which the demo goes on.

        Raises:
            IcfError: the command failed; its own message is above.
        """
        self.invocation.say(f"\n$ {shlex.join(words)}")
        program = Path(sys.executable).parent / words[0]
        done = subprocess.run(
            [str(program), *words[1:]],
            cwd=folder or self.root,
            stdout=subprocess.PIPE if capture else self._results(),
            text=True,
            preexec_fn=die_with_parent(),
            check=False,
        )
        if done.returncode not in codes:
            raise IcfError(
                f"{words[0]} stopped with exit code {done.returncode}; its message is "
                "above. Fix what it says and start the demo again: it continues."
            )
        if capture:
            self.say(shortened(done.stdout.rstrip()))
        return done.stdout if capture else ""

    def serve(self, *words: str) -> None:
        """Run a console command that serves until Ctrl-C.

        Raises:
            IcfError: the command failed; its own message is above.
        """
        self.invocation.say(f"\n$ {shlex.join(words)}")
        program = Path(sys.executable).parent / words[0]
        with subprocess.Popen(
            [str(program), *words[1:]],
            cwd=self.root,
            stdout=self._results(),
            preexec_fn=die_with_parent(),
        ) as process:
            while True:
                try:
                    code = process.wait()
                    break
                except KeyboardInterrupt:
                    # The terminal tells the command too: it ends by itself.
                    continue
        if code:
            raise IcfError(
                f"{words[0]} stopped with exit code {code}; its message is above"
            )

    def _results(self) -> IO[str] | int | None:
        """Where what a command prints goes: before the table, but never into JSON."""
        if self.invocation.quiet:
            return subprocess.DEVNULL
        return sys.stderr if self.invocation.json else None

    def say(self, text: str) -> None:
        """Print a message for people."""
        self.invocation.say(text)
