"""What a release can contain, read from the catalogue as columns of numbers."""
