"""Stores on disk: blobs, vectors, hashes, whole files."""
