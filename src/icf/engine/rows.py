"""Read rows by id; see `icf.catalogue.rows`."""

from icf.catalogue.rows import CHUNK, by_ids

__all__ = ["CHUNK", "by_ids"]
