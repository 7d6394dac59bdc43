"""Atomic writes: a killed program leaves no incomplete file; and copies."""

import fcntl
import glob
import hashlib
import os
import platform
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from icf.errors import BrokenMachine, WrongUse

_PIECE = 1 << 20
_SHA256 = re.compile("[0-9a-f]{64}")


def replace_file(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Write a file atomically: its final name never shows an incomplete file.

    Args:
        path: The file to make or to replace; its folder must exist.
        chunks: Its bytes.
    """
    descriptor, temporary = new_temporary(path.parent, f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = os.fspath(path)  # a full disk names no file
        raise


def new_temporary(folder: Path, prefix: str = "") -> tuple[int, Path]:
    """Make a file of a new name that will be renamed.

    It may be read by whom the user's umask allows; those of `tempfile` by nobody else.

    Returns:
        Its descriptor, for reading and writing, and its path.
    """
    path = folder / f"{prefix}{secrets.token_urlsafe(6)}"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(path, flags, 0o666), path


def check_place_of_folder(path: Path) -> None:
    """See that a folder can be made: neither it nor what is above it is a file.

    Raises:
        WrongUse: one of them is.
    """
    for each in (path, *path.parents):
        if each.exists() and not each.is_dir():
            raise WrongUse(f"{each} is a file and no folder; name another place")


def check_place_of_file(path: Path) -> None:
    """See that a file can be made: there is a folder for it, and none in its place.

    Raises:
        WrongUse: there is no such folder, or the path is a folder, as an empty one is.
    """
    if os.path.isdir(path):  # noqa: PTH112 - of a name that is too long Path raises
        raise WrongUse(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise WrongUse(f"there is no folder {path.parent} to write {path.name} into")


#: Around the moment at which a folder gets its final name; called with the folder.
Publishing = Callable[[Path], AbstractContextManager[object]]


@contextmanager
def new_folder(
    target: Path, publishing: Publishing = lambda _: nullcontext()
) -> Iterator[Path]:
    """Write a folder atomically: its final name never shows an incomplete folder.

    Yields a folder next to ``target``. If the block succeeds, all of it is flushed to
    the disk and renamed; otherwise it is removed. Remains of killed programs for
    the same target are removed first.

    Args:
        target: The folder to make; it may exist if it is empty.
        publishing: Entered when all is flushed, left when the folder has its name; what
            it raises leaves nothing.

    Raises:
        WrongUse: a file is where a folder should be.
    """
    check_place_of_folder(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent, target.name)
    folder = target.parent / f".{target.name}.partial-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
        flush_folder(folder)
        with publishing(folder):
            folder.rename(target)
            flush(target.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


#: Files from which on the whole disk is flushed instead of each of them: a disk that
#: others use takes a millisecond and more for each.
_MANY = 500


def flush_folder(folder: Path) -> None:
    """Wait until everything below a folder is on the disk.

    Raises:
        OSError: the disk fails.
    """
    paths = [
        f"{place}/{name}"
        for place, _, files in os.walk(folder)
        for name in (*files, "")
    ]
    if len(paths) >= _MANY and _flush_disk_of(folder):
        return
    # Imported here, because every command loads this module.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for _ in threads.map(flush, paths):
            pass


#: Files that are flushed side by side, so that the disk writes its journal once.
_AT_ONCE = 8


def _flush_disk_of(folder: Path) -> bool:
    """Flush all that a folder's disk waits to write; False where it would not tell.

    It is syncfs(2), which Python has no name for. Errors are told since Linux 5.8.
    """
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None or _linux() < (5, 8):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(folder))
    finally:
        os.close(descriptor)
    return True


def _linux() -> tuple[int, int]:
    """The version of the system's kernel; (0, 0) where it is no Linux."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    if platform.system() != "Linux" or found is None:
        return 0, 0
    return int(found[1]), int(found[2])


#: The request of ioctl_ficlone(2), which Python has a name for from 3.14 on.
_FICLONE = 0x40049409


def copy_file(source: Path, target: Path, *, link: bool = False) -> bool:
    """Copy a file: on disks that can (Btrfs, XFS) the copy shares its blocks.

    Args:
        source: The file.
        target: The file to make.
        link: Make a hard link instead, where the disk allows it.

    Returns:
        Whether both share their blocks.
    """
    if link:
        with suppress(OSError):
            os.link(source, target)
            return True
    with source.open("rb") as old, target.open("xb") as new:
        try:
            fcntl.ioctl(new, _FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, _PIECE)
            return False
    return True


def write_new(path: str | Path, data: bytes) -> None:
    """Write a file that must not be there yet; in half the time of `open`.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def read_secret(path: Path, called: str, remedy: str) -> bytes:
    """Read 32 random bytes from a file; make it at the first time.

    Args:
        path: The file, which its owner alone may read.
        called: What it is, for messages.
        remedy: What to do where it is no such file.

    Raises:
        BrokenMachine: It cannot be read or written, or has another length.
    """
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_bytes()
    except OSError as error:
        raise BrokenMachine(
            f"cannot read or write {path}, {called}: {error}"
        ) from error
    if len(secret) != 32:
        raise BrokenMachine(
            f"{path} is not {called}: it has {len(secret)} bytes instead of 32; "
            f"{remedy}"
        )
    return secret


def _make_secret(path: Path) -> None:
    """Write the bytes; of two programs that do so at once, the first one's stay."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256, as `hash_file` writes it."""
    return _SHA256.fullmatch(text) is not None


def sweep(parent: Path, name: str | None = None) -> None:
    """Remove what killed programs left of new folders.

    Args:
        parent: Where they were to be.
        name: Of the folder; None for all.
    """
    wanted = "*" if name is None else glob.escape(name)
    for left in parent.glob(f".{wanted}.partial-*"):
        pid = left.name.rpartition("-")[2]
        if pid.isdecimal() and not process_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def sweep_files(folder: Path, *endings: str) -> None:
    """Remove what killed programs left of files that were to be replaced.

    Args:
        folder: Where they were to be; nobody else may be writing there.
        endings: Of the files' names.
    """
    for ending in endings:
        for left in folder.glob(f".*{ending}.????????"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def is_being_written(target: Path) -> bool:
    """Whether a program of this machine is making a new folder of this name."""
    return any(
        left.name.rpartition("-")[2].isdecimal()
        and process_exists(int(left.name.rpartition("-")[2]))
        for left in target.parent.glob(f".{glob.escape(target.name)}.partial-*")
    )


def process_exists(pid: int) -> bool:
    """Whether this machine has a process with an id, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def flush(path: Path | str) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
