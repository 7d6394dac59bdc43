"""The names of the files that every release has, whatever its formats."""

from __future__ import annotations

#: What the release is made from, with counts, settings and models.
SUMMARY = "release.json"
#: What was searched between train and test.
LEAKS = "leaks.json"
#: The hash of every other file.
SUMS = "SHA256SUMS"
