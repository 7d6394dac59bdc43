"""A real PostgreSQL on this machine, from Debian's package, for one test run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.tethered import tethered

#: No test needs its rows after the machine lost its power, and few connect at once.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server in a new folder; yield its URL; stop it and remove the folder.

    It listens on a socket in that folder, so that there is no port to be taken.
    """
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
        with _serving(programs, folder, user):
            yield f"postgresql://icf@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serving(programs: Path, folder: Path, user: str | None) -> Iterator[None]:
    data = folder / "data"
    made = ["-D", str(data), "-A", "trust", "-U", "icf", "-E", "UTF8", "--no-sync"]
    subprocess.run(
        [str(programs / "initdb"), *made],
        check=True,
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    words = [str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
    for name, value in SETTINGS.items():
        words += ["-c", f"{name}={value}"]
    told = folder / "log"
    with (
        told.open("wb") as log,
        tethered(words, end=signal.SIGQUIT, log=log, user=user) as server,
    ):
        # The server writes this last line of the file when it takes connections.
        pid = data / "postmaster.pid"
        while not pid.is_file() or "ready" not in pid.read_text():
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{told.read_text()}")
            time.sleep(0.02)
        yield
