"""Lists of what was withdrawn, signed, and copies of releases cleaned by them."""
