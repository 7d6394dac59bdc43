"""Programs that train, forked from one that has PyTorch loaded.

A process takes four seconds to import what a training needs. These are forked from a
program that has imported it, one for all tests of this process; from there on each is a
process of its own, with its own words and variables.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, NoReturn

from torch._C._distributed_c10d import TCPStore

_LOADED = ("timm", "torch._dynamo", "torch.nn.parallel", "icf.models.training.train")


@dataclass(frozen=True)
class Program:
    """A program to start.

    Attributes:
        module: whose ``main`` it is.
        words: of its line.
        variables: of its environment, beside those of these tests.
    """

    module: str
    words: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """Programs that were started.

    Attributes:
        pids: their ids.
    """

    server: subprocess.Popen[str]
    log: IO[str]
    pids: Sequence[int]

    def are_running(self) -> bool:
        """Whether none has ended."""
        try:
            for pid in self.pids:
                os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill all that have not ended."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def codes(self) -> list[int]:
        """Wait until they end; their exit codes, or the signals below 0."""
        codes: list[int] = _said(self.server)
        return codes


def start(*programs: Program) -> Running:
    """Start programs; the last ones have to be waited for."""
    server, log = _server()
    assert server.stdin is not None
    server.stdin.write(json.dumps([vars(each) for each in programs]) + "\n")
    server.stdin.flush()
    return Running(server, log, _said(server))


def run(*programs: Program) -> None:
    """Run programs at once to their end, which must be a good one."""
    running = start(*programs)
    codes = running.codes()
    running.log.seek(0)
    assert not any(codes), running.log.read()


def run_ranks(module: str, *words: str, count: int = 2) -> None:
    """Run so many of a program, with the variables that torchrun gives them."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    given = {
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "TORCHELASTIC_RESTART_COUNT": "0",
        # Loopback, whatever the machine's name resolves to.
        "GLOO_SOCKET_IFNAME": "lo",
    }
    run(
        *(
            Program(module, words, {**given, "RANK": str(n), "LOCAL_RANK": str(n)})
            for n in range(count)
        )
    )


@functools.cache
def _server() -> tuple[subprocess.Popen[str], IO[str]]:
    """The program that forks; it ends when these tests do: nobody writes to it then."""
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115
    server = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )
    atexit.register(server.communicate)
    return server, log


def _said(server: subprocess.Popen[str]) -> list[int]:
    assert server.stdout is not None
    found: list[int] = json.loads(server.stdout.readline())
    return found


def main() -> None:
    """Fork programs line by line; say their ids, and then their exit codes."""
    for each in _LOADED:
        importlib.import_module(each)
    for line in sys.stdin:
        pids = [_forked(Program(**each)) for each in json.loads(line)]
        print(pids, flush=True)
        ended = [os.waitpid(pid, 0)[1] for pid in pids]
        print([os.waitstatus_to_exitcode(each) for each in ended], flush=True)


def _forked(program: Program) -> int:
    """Start one; return its id."""
    return os.fork() or _become(program)


def _become(program: Program) -> NoReturn:
    code = 1
    try:
        os.dup2(2, 1)
        os.environ.update(program.variables)
        sys.argv = [program.module, *program.words]
        importlib.import_module(program.module).main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
