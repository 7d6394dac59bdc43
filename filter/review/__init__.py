"""Suspicions that people are asked about."""
