"""Addresses of what belongs to a lease."""

from __future__ import annotations


def picture_url(handle: str, name: str) -> str:
    """Where a picture of a lease is.

    >>> picture_url("0f", "candidate")
    '/picture/0f/candidate.jpg'
    """
    return f"/picture/{handle}/{name}.jpg"
