"""Web sites without an API, crawled by rules."""
