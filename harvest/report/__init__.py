"""What the harvest has, and how far it is."""
