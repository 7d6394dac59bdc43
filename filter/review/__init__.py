"""Suspicions for people to review: outliers, splits, merges, twins."""
