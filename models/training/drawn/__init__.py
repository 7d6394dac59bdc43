"""The bundled models' training, on pictures that `icf.tools.training_art` draws."""
