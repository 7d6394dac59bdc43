"""A real PostgreSQL on loopback, from Debian's package, for one test run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server in a new folder; yield its URL; stop it and remove the folder."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        raise RuntimeError(
            "PostgreSQL is not installed; run `sh tests/integration/install_servers.sh`"
        )
    programs = binaries[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="icf-postgres-"))
    # The server refuses to run as root; Debian's package made it a user of its own.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    try:
        with _serving(programs, folder, user) as url:
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serving(programs: Path, folder: Path, user: str | None) -> Iterator[str]:
    data, port = folder / "data", _free_port()
    initdb = programs / "initdb"
    _run(user, initdb, "-D", data, "-A", "trust", "-U", "icf", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    control = (programs / "pg_ctl", "-D", data, "-w")
    _run(user, *control, "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://icf@127.0.0.1:{port}/postgres"
    finally:
        _run(user, *control, "-m", "immediate", "stop")


def _run(user: str | None, *words: object) -> None:
    command = [str(word) for word in words]
    subprocess.run(
        command,
        check=True,
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
