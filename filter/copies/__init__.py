"""Near-duplicates, within a character and across characters."""
