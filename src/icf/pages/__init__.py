"""What all HTML pages that the program makes share."""
