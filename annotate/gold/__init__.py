"""Questions with a known answer, and what they tell of a person."""
