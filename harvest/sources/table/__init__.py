"""Sources of kind ``list``: CSV, JSON Lines and Parquet."""
