"""Parquet files with the pictures in them, as the Hub of Hugging Face has data sets."""
