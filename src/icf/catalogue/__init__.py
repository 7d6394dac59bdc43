"""The catalogue: its tables, its door, its ledger of decisions."""
