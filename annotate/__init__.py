"""From faces to questions, from answers to labels."""
