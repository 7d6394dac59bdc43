"""Train, measure and export the bundled models."""
