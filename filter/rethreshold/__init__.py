"""New decisions from stored measures after a setting changed."""
