"""What describes a release: Croissant, a data card, a datasheet, tables of records."""
