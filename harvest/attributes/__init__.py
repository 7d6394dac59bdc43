"""Read licence, gender and region from text."""
