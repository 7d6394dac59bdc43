"""Rounds of answers and training: what they set aside, and where they stand."""
