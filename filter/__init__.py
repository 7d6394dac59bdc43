"""Filter: images to faces that are worth asking people about."""
