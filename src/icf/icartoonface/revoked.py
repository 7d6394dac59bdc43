"""Whether a release says that nobody should use it any more."""

from __future__ import annotations

from pathlib import Path

#: In a release's folder since `icf release revoke`: when, and why.
REVOKED = "REVOKED"
_SUMMARY = "release.json"


def revocation(folder: Path) -> str | None:
    """Return when and why a release was revoked, as its folder says; None: it was not.

    Args:
        folder: the release.
    """
    try:
        text = (folder / REVOKED).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return " ".join(text.split())


def revocation_above(file: Path) -> str | None:
    """Return the same of the release that a file belongs to."""
    for folder in (file.resolve(), *file.resolve().parents):
        if (folder / _SUMMARY).is_file():
            return revocation(folder)
    return None


def warning_of(file: Path) -> str | None:
    """Return what to say before a file of a revoked release is used."""
    why = revocation_above(file)
    return None if why is None else f"{file} is of a revoked release. {why}"
