"""What the harvest has found, and its progress."""
