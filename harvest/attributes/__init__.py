"""Read licence, gender and region from what people wrote."""
