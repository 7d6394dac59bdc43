"""Losses for embedders."""
