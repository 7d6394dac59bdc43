"""What only an expert settles: conflicts, twins, merges, splits."""
