"""The catalogue: its tables, connections and ledger of decisions."""
