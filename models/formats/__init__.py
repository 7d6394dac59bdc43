"""Model formats: how pictures go into a network, and how its outputs are read."""
