"""Formats of question batches and answer files, one module per format."""
