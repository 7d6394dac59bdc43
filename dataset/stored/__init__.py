"""A release that is written, taken for what it was written from."""
