"""How every benchmark reports: a table for people, one JSON line for programs."""

import json
import resource
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path.home() / ".cache" / "icf-bench"


@dataclass(frozen=True)
class Result:
    """What one benchmark measured.

    Attributes:
        name: The module's name.
        unit: Unit of ``ours`` and ``peer``.
        ours: Our figure.
        peer: The peer's figure in the same run; None where there is no peer.
        peer_name: The peer and its version or kind.
        ratio: How much better we are, above 1; None where there is no peer.
        goal: The goal in words.
        ok: Whether the goal is met.
        also: Further figures by name.
    """

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    goal: str
    ok: bool
    also: Mapping[str, object] = field(default_factory=dict)


def report(result: Result, arguments: Sequence[str] | None = None) -> None:
    """Print a result: with ``--json`` as one line of JSON, otherwise as a table.

    Args:
        result: What was measured.
        arguments: The command line, by default this process's.
    """
    values = {key: _rounded(value) for key, value in vars(result).items()}
    values.pop("also")
    values |= {key: _rounded(value) for key, value in result.also.items()}
    if "--json" in (sys.argv[1:] if arguments is None else arguments):
        print(json.dumps(values), flush=True)
        return
    width = max(map(len, values))
    for key, value in values.items():
        print(f"{key:<{width}}  {value}")


def _rounded(value: object) -> object:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def peak_rss_mib() -> float:
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peer_python(name: str, requirements: Sequence[str]) -> Path:
    """A Python that has a peer installed, in an environment of its own.

    Args:
        name: The environment's folder below the cache folder.
        requirements: What pip is asked for, the first time.
    """
    folder = CACHE / name
    python = folder / "bin" / "python"
    done = folder / "installed.json"
    if done.exists() and json.loads(done.read_text()) == list(requirements):
        return python
    venv.create(folder, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    subprocess.run(install, check=True, stdout=sys.stderr)
    done.write_text(json.dumps(list(requirements)))
    return python
