"""Which questions are asked next, and how many are left."""
