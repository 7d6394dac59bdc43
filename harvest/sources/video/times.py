"""Times of frames as they are written into URLs."""

from __future__ import annotations


def written(seconds: float) -> str:
    """Write a time to the microsecond, without needless zeros.

    >>> written(12.5), written(0.0), written(3.000001)
    ('12.5', '0', '3.000001')
    """
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def split(url: str) -> tuple[str, float]:
    """Return the URL of a video and the time of one of its frames.

    Raises:
        ValueError: the URL has no time.

    >>> split("file:///film.mp4#t=12.5")
    ('file:///film.mp4', 12.5)
    """
    address, _, seconds = url.rpartition("#t=")
    return address, float(seconds)
