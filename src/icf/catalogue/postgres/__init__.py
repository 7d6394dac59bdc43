"""What only a catalogue in PostgreSQL needs."""
