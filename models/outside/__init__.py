"""Models that other programs made: fetched, recognised, tried out, and given a card."""
