"""Shards of pictures with their labels, for training that streams."""
