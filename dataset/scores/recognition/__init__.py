"""Scores of a recogniser's features: identification, verification, open set."""
