"""The reference picture of each character."""
