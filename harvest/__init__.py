"""Harvest: albums to characters to images, with where each came from."""
