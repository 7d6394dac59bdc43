"""Releases: prepared, written, looked at, checked and withdrawn."""
