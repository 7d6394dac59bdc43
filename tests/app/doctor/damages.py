"""How a disk, or an editor, damages a file."""

from __future__ import annotations

from pathlib import Path


def cut(path: Path) -> None:
    """Lose the second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Lose all bytes."""
    path.write_bytes(b"")


def zero(path: Path) -> None:
    """Lose what the bytes were."""
    path.write_bytes(bytes(path.stat().st_size))


def flip_a_bit(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def remove(path: Path) -> None:
    """Lose the file."""
    path.unlink()


#: All of them.
DAMAGES = (remove, empty, cut, zero, flip_a_bit)
