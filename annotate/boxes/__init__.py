"""Boxes of all drawn faces of a picture, as people draw and accept them."""
