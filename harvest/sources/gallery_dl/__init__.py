"""Sources of kind ``gallery-dl``."""
