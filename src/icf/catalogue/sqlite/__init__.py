"""What only a catalogue in a SQLite file needs."""
