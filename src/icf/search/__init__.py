"""Nearest neighbours among vectors and hashes."""
