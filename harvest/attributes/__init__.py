"""Read licence, gender, region and style from text."""
