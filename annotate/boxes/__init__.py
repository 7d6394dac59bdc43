"""Pictures of which people say where all drawn faces are."""
