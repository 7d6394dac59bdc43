"""The scorers of `icf-evaluate`."""
