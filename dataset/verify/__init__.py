"""A release, checked from its files alone: what was lost, changed or leaks."""
