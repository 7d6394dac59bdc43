"""Harvest web sites that have no API: rules in ``icf.toml``, read by Scrapy."""
