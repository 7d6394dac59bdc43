"""From the answers of all people to a probability for each question."""
