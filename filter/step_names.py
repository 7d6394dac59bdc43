"""Names of steps that other modules of the filter refer to."""

from __future__ import annotations

DETECT, EMBED, REFERENCE, IDENTITY = "detect", "embed", "reference", "identity"
