"""Content-addressed store: the bytes of every picture under their SHA-256.

Bytes are checked against their hash each time they are read or copied: what a disk or
an editor changed is never taken for the picture. Storing the right bytes again mends
it.

A local folder and an object store use one code path, fsspec. In a local folder, bytes
go to a temporary file that is flushed to the disk and renamed, so a visible file is
always complete. Object stores show an object only when it is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.redact import redact
from icf.stores.files import copy_file, new_temporary, write_new
from icf.stores.memory import Memory

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: Age in seconds from which a temporary file was left by a killed program.
STALE = 24 * 3600.0

#: What to do about lost or changed bytes, in messages.
LOST_REMEDY = (
    "`icf doctor --repair` fetches them again, or says what does; `icf takedown --lost "
    "--reason TEXT` takes out all pictures that nothing brings back"
)


class MissingBlob(BrokenMachine, FileNotFoundError):
    """The store has no bytes under this hash, although the catalogue names it."""


class DamagedBlob(MissingBlob):
    """The bytes under this hash are not those that were stored."""


class BlobStore:
    """A content-addressed store.

    Args:
        url: a folder, whatever its name, or an fsspec URL such as
            ``s3://bucket/prefix``.

    Raises:
        WrongUse: the URL means nothing, or its package is not installed.
    """

    def __init__(self, url: str | Path) -> None:
        away, root = _opened(str(url))
        self._root = root.rstrip("/")
        self.local = away is None
        self._away = away
        self._shown = self._root if self.local else redact(str(url))
        #: What it raises: a disk has errors of one kind, each client its own.
        self._faults: tuple[type[Exception], ...] = (
            (OSError,) if self.local else (Exception,)
        )
        self._has_temporary_folder = False
        #: Whether copies may share their blocks with the store; found out by the first.
        self._shares = True

    @property
    def _files(self) -> AbstractFileSystem:
        """What speaks with a store that is elsewhere."""
        assert self._away is not None
        return self._away

    def put(self, data: bytes | memoryview) -> str:
        """Store ``data``; return its SHA-256 in hexadecimal. Storing twice is harmless.

        Raises:
            BrokenMachine: the bytes cannot be written.
        """
        with self.writer() as writer:
            writer.write(data)
            return writer.commit()

    def writer(self, *, sha1: bool = False) -> BlobWriter:
        """Open a `BlobWriter`, for bytes that come in pieces.

        Args:
            sha1: compute their SHA-1 too, which doubles the cost.
        """
        return BlobWriter(self, sha1=sha1)

    def get(self, sha256: str) -> bytes:
        """Return the bytes stored under ``sha256``.

        Raises:
            MissingBlob: there are none.
            DamagedBlob: they have another hash.
            BrokenMachine: they cannot be read.
        """
        try:
            data = self._content(self.place(sha256))
        except self._faults as error:
            raise self._unreadable(sha256, error) from error
        self._check(sha256, hashlib.sha256(data).hexdigest())
        return data

    def add_to(self, memory: Memory, sha256: str) -> memoryview:
        """Add the bytes stored under ``sha256`` to what ``memory`` holds.

        Returns:
            The bytes, where they are now.

        Raises:
            MissingBlob: there are none.
            DamagedBlob: they have another hash.
            BrokenMachine: they cannot be read.
        """
        try:
            content = self._added(memory, self.place(sha256))
        except self._faults as error:
            raise self._unreadable(sha256, error) from error
        self._check(sha256, hashlib.sha256(content).hexdigest())
        return content

    def copy(self, sha256: str, target: str | Path, *, link: bool = False) -> bytes:
        """Write the bytes of ``sha256`` into a new file, which is checked.

        Args:
            sha256: of the bytes.
            target: the file to make; its folder must exist.
            link: make a hard link where the disk allows it. It takes no space, but a
                change of the file is then a change of the store.

        Returns:
            The bytes.

        Raises:
            MissingBlob: there are none.
            DamagedBlob: they have another hash; no file is left.
            BrokenMachine: they cannot be read.
            OSError: the file cannot be written.
        """
        if not self.local:
            data = self.get(sha256)
            Path(target).write_bytes(data)
            return data
        if not link and not self._shares:
            data = self.get(sha256)
            write_new(target, data)
            return data
        source, target = self.path(sha256), Path(target)
        if not source.is_file():
            raise self._missing(sha256)
        shared = copy_file(source, target, link=link)
        self._shares = self._shares and (link or shared)
        try:
            data = self._copied(sha256, target)
            self._check(sha256, hashlib.sha256(data).hexdigest())
        except BrokenMachine:
            target.unlink()
            raise
        return data

    def is_whole(self, sha256: str) -> bool:
        """Return whether the right bytes are under ``sha256``; reads all of them."""
        try:
            self.get(sha256)
        except MissingBlob:
            return False
        return True

    def damaged(self, sizes: Mapping[str, int], *, full: bool) -> set[str]:
        """Return those whose bytes are missing or others.

        Args:
            sizes: how many bytes each has, by SHA-256.
            full: read them, instead of comparing their numbers.

        Raises:
            BrokenMachine: the store does not answer.
        """
        if full:
            return {sha256 for sha256 in sizes if not self.is_whole(sha256)}
        if self.local:
            return {
                sha256
                for sha256, size in sizes.items()
                if _size_of(self.place(sha256)) != size
            }
        try:
            found = self._files.find(self._root, detail=True) if sizes else {}
        except Exception as error:
            raise self._unusable("list", error) from error
        known = {
            place.rpartition("/")[2]: each["size"] for place, each in found.items()
        }
        return {sha256 for sha256, size in sizes.items() if known.get(sha256) != size}

    def _content(self, place: str) -> bytes:
        if not self.local:
            return bytes(self._files.cat_file(place))
        # The generic way costs as much as reading a small picture.
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            data = os.read(descriptor, size)
            while len(data) < size and (more := os.read(descriptor, size - len(data))):
                data += more
            return data
        finally:
            os.close(descriptor)

    def _copied(self, sha256: str, target: Path) -> bytes:
        try:
            return target.read_bytes()
        except OSError as error:
            raise self._unreadable(sha256, error) from error

    def _added(self, memory: Memory, place: str) -> memoryview:
        if not self.local:
            return memory.add(self._files.cat_file(place))
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = memory.room(os.fstat(descriptor).st_size)
            read = os.readv(descriptor, [content])
            while read < len(content):
                if not (more := os.readv(descriptor, [content[read:]])):
                    break  # it got shorter meanwhile: the hash is another
                read += more
            return content
        finally:
            os.close(descriptor)

    def _check(self, sha256: str, found: str) -> None:
        if found != sha256:
            raise self._damaged(sha256, f"their SHA-256 is {found[:12]}...")

    def _damaged(self, sha256: str, how: str) -> DamagedBlob:
        return DamagedBlob(
            f"the bytes of {sha256} in the blob store {self._shown} have changed "
            f"({how}); {LOST_REMEDY}"
        )

    def _missing(self, sha256: str) -> MissingBlob:
        return MissingBlob(
            f"the blob store {self._shown} has no {sha256}; {LOST_REMEDY}"
        )

    def _unreadable(self, sha256: str, error: Exception) -> BrokenMachine:
        """Return what to raise for bytes that cannot be read."""
        if isinstance(error, FileNotFoundError):
            return self._missing(sha256)
        if isinstance(error, OSError) and error.errno == errno.EIO:
            return self._damaged(sha256, str(error))
        return self._unusable(f"read {sha256} from", error)

    def _unusable(self, what: str, error: Exception) -> BrokenMachine:
        """Return what to raise where the store refuses or does not answer."""
        check = (
            "check the disk, and who may read there"
            if self.local
            else "check blobs.url, the credentials and the network"
        )
        return BrokenMachine(
            f"cannot {what} the blob store {self._shown}: {error}; {check}"
        )

    def has(self, sha256: str) -> bool:
        """Return whether there are bytes under ``sha256``.

        Raises:
            BrokenMachine: the store does not answer.
        """
        place = self.place(sha256)
        try:  # not `exists`: it may take any error for a no
            if self.local:
                Path(place).stat()
            else:
                self._files.info(place)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except Exception as error:
            raise self._unusable(f"look for {sha256} in", error) from error
        return True

    def remove(self, sha256: str) -> bool:
        """Remove the bytes of ``sha256``; return whether there were any.

        Raises:
            BrokenMachine: they cannot be removed.
        """
        if not self.has(sha256):
            return False
        try:
            if self.local:
                Path(self.place(sha256)).unlink()
            else:
                self._files.rm_file(self.place(sha256))
        except self._faults as error:
            raise BrokenMachine(
                f"cannot remove {sha256} from the blob store {self._shown}: {error}; "
                "check who may write there, and run the same command again"
            ) from error
        return True

    def place(self, sha256: str) -> str:
        """Return the path of ``sha256`` in the store, two folders deep."""
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def path(self, sha256: str) -> Path:
        """Return the local file of ``sha256``.

        Raises:
            BadInput: the store is not a local folder.
        """
        if not self.local:
            raise BadInput(f"the blob store {self._shown} is not a folder on this disk")
        return Path(self.place(sha256))

    def sweep(self, older_than: float = STALE) -> int:
        """Remove the temporary files of killed programs; return how many.

        Args:
            older_than: seconds since the last write; younger files may be in use.
        """
        if not self.local:
            return 0
        limit = time.time() - older_than
        stale = [
            path
            for path in (Path(self._root) / "tmp").glob("*")
            if path.stat().st_mtime < limit
        ]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _move_in(self, temporary: Path, sha256: str) -> None:
        """Move a complete temporary file to its final name."""
        place = self.place(sha256)
        if not self.local:
            try:  # also over an object that is there: it may be damaged
                self._files.put_file(str(temporary), place)
            except Exception as error:
                raise self._unusable("write to", error) from error
            temporary.unlink()
            return
        target = Path(place)
        try:
            temporary.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)

    def _new_temporary(self) -> tuple[int, Path]:
        """Make a file on the disk of the store, so that renaming is atomic."""
        if not self.local:
            descriptor, name = tempfile.mkstemp()
            return descriptor, Path(name)
        folder = Path(self._root) / "tmp"
        if not self._has_temporary_folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._has_temporary_folder = True
        return new_temporary(folder)


def is_url(text: str) -> bool:
    """Return whether this is an fsspec URL, and not the path of a folder."""
    return "://" in text or text.startswith("file:")


def _opened(url: str) -> tuple[AbstractFileSystem | None, str]:
    """Return what speaks with a store, and the path in it; None: this disk."""
    if not is_url(url):  # in a folder's name, "::" means nothing
        return None, str(Path(url).expanduser().absolute())
    # Imported here: a folder needs none of it, and it takes as long as to start.
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        files, root = fsspec.core.url_to_fs(url)
    except Exception as error:  # of fsspec, of Python, or of the store's own client
        raise WrongUse(
            f"the blob store {redact(url)} cannot be opened: {error}; write a folder "
            "or an fsspec URL, such as s3://BUCKET/FOLDER (needs `pip install s3fs`)"
        ) from error
    return None if isinstance(files, LocalFileSystem) else files, str(root)


class BlobWriter:
    """Writes bytes into a store; as a context, discards them unless committed.

    Attributes:
        size: bytes written so far.
    """

    def __init__(self, store: BlobStore, *, sha1: bool = False) -> None:
        self._store = store
        self._sha256 = hashlib.sha256()
        self._sha1 = hashlib.sha1(usedforsecurity=False) if sha1 else None
        self.size = 0
        try:
            descriptor, path = store._new_temporary()
        except OSError as error:
            raise _cannot_write(error) from error
        self._file: int | None = descriptor
        self._path = path
        self._is_kept = False

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes.

        Raises:
            BrokenMachine: the disk is full or fails.
        """
        if self._file is None:
            raise ValueError("the writer has been committed or closed")
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise _cannot_write(error) from error
        self._sha256.update(data)
        if self._sha1 is not None:
            self._sha1.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def sha1(self) -> str:
        """SHA-1 of what was written, in hexadecimal, as MediaWiki gives it.

        Raises:
            ValueError: the writer was opened without ``sha1=True``.
        """
        if self._sha1 is None:
            raise ValueError("this writer does not compute a SHA-1")
        return self._sha1.hexdigest()

    def read_back(self) -> bytes:
        """Return what was written so far."""
        if self._file is None:
            raise ValueError("the writer has been committed or closed")
        try:
            return b"".join(self._pieces(self._file))
        except OSError as error:
            raise _cannot_write(error) from error

    def _pieces(self, file: int) -> Iterator[bytes]:
        place = 0
        while piece := os.pread(file, 1 << 20, place):
            place += len(piece)
            yield piece

    def commit(self) -> str:
        """Store the bytes durably under their SHA-256; return the hash.

        Raises:
            BrokenMachine: the bytes cannot be written.
        """
        if self._file is None:
            raise ValueError("the writer has been committed or closed")
        sha256 = self._sha256.hexdigest()
        try:
            os.fsync(self._file)
            self._close()
            self._store._move_in(self._path, sha256)
            self._is_kept = True
        except OSError as error:
            raise _cannot_write(error) from error
        return sha256

    def __enter__(self) -> BlobWriter:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Discard what was not committed."""
        self._close()
        if not self._is_kept:
            self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            descriptor, self._file = self._file, None
            os.close(descriptor)


def _size_of(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a Path for each costs more
    except OSError:
        return None


def _cannot_write(error: OSError) -> BrokenMachine:
    return BrokenMachine(
        f"cannot write to the blob store: {error}; free some space, or check who may "
        "write there; stored pictures are not affected"
    )
