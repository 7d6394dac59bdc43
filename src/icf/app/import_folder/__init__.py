"""`icf import folder`: pictures in folders of characters, or with metadata."""
